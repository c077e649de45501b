"""HTTP for phones that were called: shown, opened, accepted from the notification; and who was called, for people.

Longer than most files because it is many small answers, each a few lines.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, TypeAlias
from uuid import UUID

import msgspec
from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, JSONBody, URLEncodedBody
from prometheus_client import Histogram

from app.anomaly import queries as anomalies
from app.anomaly.lifecycle import NotAllowedNow
from app.anomaly.routes import WORDS
from app.dispatch import answers
from app.dispatch.answers import Seen
from app.dispatch.models import CALL, DeliveryState
from app.dispatch.plans import plan_test
from app.dispatch.queries import Call, Told, proof, told
from app.dispatch.words import CHANNEL_WORDS, how_far, why
from app.kit.errors import N_
from app.kit.guard import Limit
from app.kit.http import AnyRequest, Db, Form, Now, page, see, wants_fragment, wants_json
from app.kit.i18n import gettext, sentence
from app.people.models import Person
from app.people.routes import Me, Staff

Secret: TypeAlias = NamedDependency[bytes]
Some = Annotated[list[UUID], msgspec.Meta(max_length=100)]  # more cards than a page shows

DISPLAYED = Histogram(
    "pullcord_displayed_seconds",
    "Seconds from the moment a message was planned until a device showed it.",
    ["channel"],
    buckets=(0.25, 0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900),
)
WATCHED = timedelta(minutes=10)  # a page asks by itself how far a call got that is not older
PATIENCE = timedelta(minutes=1)  # how long a test may take before one may call it lost
tests = Limit(6)  # a minute, for one person


class TokenForm(Form):
    token: str = ""


class TestForm(Form):
    address: UUID | None = None


class Shown(msgspec.Struct):
    """The cards a page has shown to somebody who looked at it, and the one it is about."""

    shown: Some
    opened: Some = []


@get("/anomalies/{anomaly_id:uuid}/calls")
async def show_calls(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    found = (await db.read(told, [anomaly_id]))[anomaly_id]
    waiting = any(call.displayed_at is None and call.planned_at > now - WATCHED for call in found.calls)
    return page(
        request,
        "dispatch/_calls.html",
        calls=[_line(call) for call in found.calls],
        how_far=how_far(found.reached),
        why_me=_why_me(found, staff),
        waiting=waiting,
        anomaly_id=anomaly_id,
    )


@post("/deliveries/shown", status_code=200)
async def shown(data: JSONBody[Shown], staff: Staff, db: Db, now: Now) -> dict[str, dict[str, str]]:
    """An open page says what somebody has before their eyes, and hears how far its calls got."""
    about = [*{*data.shown, *data.opened}]
    out = await db.read(answers.unseen, about, person_id=staff.id, now=now)
    if any(one.displayed_at is None or one.anomaly_id in data.opened for one in out):
        _observe(await db.write(answers.shown, about, person_id=staff.id, opened=data.opened, now=now))
    found = await db.read(told, about, limit=1000)
    return {
        str(anomaly_id): {"calls": how_far(one.reached) if one.calls else "", "why": _why_me(one, staff)}
        for anomaly_id, one in found.items()
    }


@post("/me/test", status_code=200)
async def test_me(request: AnyRequest, data: URLEncodedBody[TestForm], staff: Staff, db: Db, now: Now) -> Response[Any]:
    """Ring my own phones, or one of them."""
    tests.take(str(staff.id), at=now.timestamp())
    planned = await db.write(plan_test, staff, now=now, address_id=data.address)
    return await _proof(request, db, staff, planned, now=now)


@get("/me/test")
async def my_test(request: AnyRequest, staff: Staff, db: Db, now: Now, of: FromQuery[str] = "") -> Response[Any]:
    return await _proof(request, db, staff, _ids(of), now=now)


@post("/deliveries/{delivery_id:uuid}/displayed", status_code=204)
async def displayed(
    delivery_id: FromPath[UUID], data: URLEncodedBody[TokenForm], db: Db, secret: Secret, now: Now
) -> None:
    _observe(await db.write(answers.displayed, delivery_id, data.token, secret=secret, now=now))


@post("/deliveries/{delivery_id:uuid}/opened", status_code=204)
async def opened(
    delivery_id: FromPath[UUID], data: URLEncodedBody[TokenForm], db: Db, secret: Secret, now: Now
) -> None:
    _observe(await db.write(answers.opened, delivery_id, data.token, secret=secret, now=now))


@post("/deliveries/{delivery_id:uuid}/acceptance", status_code=200)
async def accept(
    request: AnyRequest,
    delivery_id: FromPath[UUID],
    data: URLEncodedBody[TokenForm],
    db: Db,
    me: Me,
    secret: Secret,
    now: Now,
) -> Response[Any]:
    """Only a POST accepts: link previews and curious thumbs open addresses, and that must do nothing."""
    try:
        anomaly, person = await db.write(answers.accept, delivery_id, data.token, secret=secret, now=now)
    except NotAllowedNow as late:
        if not wants_json(request):
            raise
        said = sentence(late.message, late.details)
        return Response({"title": gettext(N_("You need not go")), "body": said, "won": False}, status_code=409)
    card = await db.read(anomalies.card, anomaly.id, viewer=person)
    if wants_json(request):
        told = {"number": card.number}
        return Response(
            {
                "title": gettext(N_("You have it")),
                "body": gettext(N_("#%(number)s is yours. Go to the station.")) % told,
                "won": True,
            }
        )
    if me is not None:
        return see(card.url)
    return page(request, "dispatch/accepted.html", card=card, won=True, owner=person.name, **WORDS)


@get("/d/{delivery_id:uuid}")
async def accept_page(
    request: AnyRequest, delivery_id: FromPath[UUID], db: Db, me: Me, secret: Secret, t: FromQuery[str] = ""
) -> Response[Any]:
    """Where a link in a mail or a chat leads: one big button. Opening it accepts nothing."""
    anomaly_id = await db.read(answers.called, delivery_id, t, secret=secret)
    card = await db.read(anomalies.card, anomaly_id, viewer=me)
    action = f"/deliveries/{delivery_id}/acceptance"
    return page(request, "dispatch/accept.html", card=card, token=t, action=action, **WORDS)


def _observe(seen: Sequence[Seen]) -> None:
    for one in seen:
        DISPLAYED.labels(one.channel).observe(one.seconds)


def _why_me(found: Told, person: Person) -> str:
    """Return why this person was called last, "" when they were not."""
    return next((why(call.why) for call in found.calls if (call.person_id, call.purpose) == (person.id, CALL)), "")


async def _proof(request: AnyRequest, db: Any, staff: Person, ids: Sequence[UUID], *, now: datetime) -> Response[Any]:
    """Return how far a test got: as figures for a script, as a part of a page, as a page."""
    found = await db.read(proof, staff.id, ids)
    lines = [_line(call) | {"settled": _settled(call)} for call in found]
    waiting = any(not _settled(call) and call.planned_at > now - PATIENCE for call in found)
    if wants_json(request):
        told_ = ("seconds", "sent", "settled", "error")
        return Response({"of": [str(one) for one in ids], "lines": [{k: line[k] for k in told_} for line in lines]})
    template = "dispatch/_test.html" if wants_fragment(request) else "dispatch/test.html"
    return page(request, template, lines=lines, waiting=waiting, of=",".join(map(str, ids)))


def _settled(call: Call) -> bool:
    """Nothing more is to be expected: it was shown, it failed, or it went out over what cannot tell."""
    ended = call.state in (DeliveryState.FAILED, DeliveryState.DROPPED)
    return ended or call.displayed_at is not None or (call.sent_at is not None and call.channel != "webpush")


def _line(call: Call) -> dict[str, Any]:
    """One delivery as people read it: when it was planned, and how many seconds later it got how far."""
    steps = {
        "sent": call.sent_at,
        "displayed": call.displayed_at,
        "opened": call.opened_at,
        "accepted": call.accepted_at,
    }
    after = {name: (at - call.planned_at).total_seconds() for name, at in steps.items() if at}
    return {
        "person": call.person,
        "device": call.device,
        "channel": gettext(CHANNEL_WORDS.get(call.channel, call.channel)),
        "is_open_page": call.channel == "stream",
        "purpose": call.purpose,
        "why": why(call.why),
        "planned_at": call.planned_at,
        "after": after,
        "sent": "sent" in after,
        "seconds": after.get("displayed"),
        "dropped": call.state == DeliveryState.DROPPED,
        "error": gettext(call.error),
    }


def _ids(text: str) -> list[UUID]:
    try:
        return [UUID(one) for one in text.split(",")[:20] if one]
    except ValueError:
        return []


handlers = [show_calls, shown, test_me, my_test, displayed, opened, accept, accept_page]
