"""HTTP for phones that were called: shown, opened, accepted from the notification; and who was called, for people."""

from typing import Any, TypeAlias
from uuid import UUID

from litestar import Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, URLEncodedBody

from app.anomaly import queries as anomalies
from app.anomaly.lifecycle import NotAllowedNow
from app.anomaly.routes import WORDS
from app.dispatch import answers
from app.dispatch.queries import calls, reached
from app.dispatch.words import why
from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Form, Now, page, see, wants_json
from app.kit.i18n import gettext, sentence
from app.people.routes import Me, Staff

Secret: TypeAlias = NamedDependency[bytes]


class TokenForm(Form):
    token: str = ""


@get("/anomalies/{anomaly_id:uuid}/calls")
async def show_calls(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    found = await db.read(calls, anomaly_id)
    rang, displayed = reached(found)
    shown = [
        {
            "person": call.person,
            "channel": call.channel,
            "purpose": call.purpose,
            "why": why(call.why),
            "planned_at": call.planned_at,
            "sent_at": call.sent_at,
            "displayed_at": call.displayed_at,
            "opened_at": call.opened_at,
            "state": call.state,
            "error": gettext(call.error),
        }
        for call in found
    ]
    return page(request, "dispatch/_calls.html", calls=shown, rang=rang, displayed=displayed, anomaly_id=anomaly_id)


@post("/deliveries/{delivery_id:uuid}/displayed", status_code=204)
async def displayed(
    delivery_id: FromPath[UUID], data: URLEncodedBody[TokenForm], db: Db, secret: Secret, now: Now
) -> None:
    await db.write(answers.displayed, delivery_id, data.token, secret=secret, now=now)


@post("/deliveries/{delivery_id:uuid}/opened", status_code=204)
async def opened(
    delivery_id: FromPath[UUID], data: URLEncodedBody[TokenForm], db: Db, secret: Secret, now: Now
) -> None:
    await db.write(answers.opened, delivery_id, data.token, secret=secret, now=now)


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


handlers = [show_calls, displayed, opened, accept, accept_page]
