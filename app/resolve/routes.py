"""HTTP for who puts it right and who checks it. An acceptance is a thing one posts, not a verb in the URL.

Longer than most files because each button is a resource of its own, however short.
"""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from litestar import Response, get, post
from litestar.params import FromPath, URLEncodedBody

from app.anomaly import queries as anomalies
from app.anomaly.models import Anomaly
from app.anomaly.routes import WORDS, show
from app.flows import queries as flows
from app.kit.errors import N_
from app.kit.http import AnyRequest, Db, Form, Now, page, see
from app.people.routes import Me, Staff
from app.resolve import actions
from app.resolve.models import CauseClass

CAUSE_WORDS = {
    CauseClass.MAN: N_("People"),
    CauseClass.MACHINE: N_("Machine"),
    CauseClass.MATERIAL: N_("Material"),
    CauseClass.METHOD: N_("Method"),
    CauseClass.ENVIRONMENT: N_("Environment"),
    CauseClass.MEASUREMENT: N_("Measuring"),
}


class NoteForm(Form):
    note: str = ""


class ReasonForm(Form):
    reason: str = ""


class HoldForm(Form):
    reason: str = ""
    minutes: int = 60


class HandOverForm(Form):
    person_id: UUID


class ResolutionForm(Form):
    cause_class: str = ""
    cause: str = ""
    fix: str = ""
    permanent: str = "no"


class VerificationForm(Form):
    override: str = ""


class ConfirmationForm(Form):
    works: str = ""
    reason: str = ""


@post("/anomalies/{anomaly_id:uuid}/acceptance", status_code=200)
async def accept(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    return await _do(request, db, staff, actions.accept, anomaly_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/assistance", status_code=200)
async def assist(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    return await _do(request, db, staff, actions.assist, anomaly_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/arrival", status_code=200)
async def arrive(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    return await _do(request, db, staff, actions.arrive, anomaly_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/containment", status_code=200)
async def contain(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[NoteForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.contain, anomaly_id, data.note, now=now)


@post("/anomalies/{anomaly_id:uuid}/hold", status_code=200)
async def hold(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[HoldForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    minutes = min(max(data.minutes, 1), actions.LONGEST_HOLD.days * 1440)
    return await _do(request, db, staff, actions.hold, anomaly_id, data.reason, minutes=minutes, now=now)


@post("/anomalies/{anomaly_id:uuid}/hold/end", status_code=200)
async def resume(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    return await _do(request, db, staff, actions.resume, anomaly_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/hand-over", status_code=200)
async def hand_over(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[HandOverForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.offer, anomaly_id, data.person_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/hand-over/acceptance", status_code=200)
async def take_over(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now) -> Response[Any]:
    return await _do(request, db, staff, actions.take_over, anomaly_id, now=now)


@post("/anomalies/{anomaly_id:uuid}/release", status_code=200)
async def release(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[ReasonForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.release, anomaly_id, data.reason, now=now)


@get("/anomalies/{anomaly_id:uuid}/resolution")
async def resolution_form(request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db) -> Response[Any]:
    card = await db.read(anomalies.card, anomaly_id, viewer=staff)
    flow = await db.read(flows.document, card.flow_version_id)
    classes = [{"key": key.value, "word": word} for key, word in CAUSE_WORDS.items()]
    return page(request, "resolve/form.html", card=card, flow=flow, cause_classes=classes, **WORDS)


@get("/anomalies/{anomaly_id:uuid}/resolution/latest")
async def resolution_shown(
    request: AnyRequest, anomaly_id: FromPath[UUID], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    """The part of the anomaly page that says how it was fixed."""
    found, overruled = await db.read(actions.how_it_ended, anomaly_id, now=now)
    return page(request, "resolve/_resolution.html", resolution=found, overruled=overruled, cause_words=CAUSE_WORDS,
                anomaly_id=anomaly_id)  # fmt: skip


@post("/anomalies/{anomaly_id:uuid}/resolution", status_code=303)
async def resolve(
    anomaly_id: FromPath[UUID], data: URLEncodedBody[ResolutionForm], staff: Staff, db: Db, now: Now
) -> Response[Any]:
    await db.write(
        actions.resolve,
        anomaly_id,
        cause_class=CauseClass(data.cause_class) if data.cause_class in list(CauseClass) else None,
        cause=data.cause.strip(),
        fix=data.fix.strip(),
        permanent=data.permanent == "yes",
        by=staff,
        now=now,
    )
    return see(f"/anomalies/{anomaly_id}")


@post("/anomalies/{anomaly_id:uuid}/verification", status_code=200)
async def verify(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[VerificationForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.verify, anomaly_id, override=data.override, now=now)


@post("/anomalies/{anomaly_id:uuid}/send-back", status_code=200)
async def send_back(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[ReasonForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.send_back, anomaly_id, data.reason, now=now)


@post("/anomalies/{anomaly_id:uuid}/cancellation", status_code=200)
async def cancel(
    request: AnyRequest,
    anomaly_id: FromPath[UUID],
    data: URLEncodedBody[ReasonForm],
    staff: Staff,
    db: Db,
    now: Now,
) -> Response[Any]:
    return await _do(request, db, staff, actions.cancel, anomaly_id, data.reason, now=now)


@post("/r/{key:uuid}/recall", status_code=303)
async def recall(key: FromPath[UUID], db: Db, now: Now) -> Response[Any]:
    """The reporter takes a call back, while nobody is on the way and nobody else has said the same."""
    await db.write(actions.recall, key, now=now)
    return see(f"/r/{key}")


@post("/r/{key:uuid}/confirmation", status_code=303)
async def confirm(
    key: FromPath[UUID], data: URLEncodedBody[ConfirmationForm], db: Db, me: Me, now: Now
) -> Response[Any]:
    """The reporter says whether it works again: nobody knows better."""
    anomaly_id = await db.read(actions.of_report, key)
    if data.works == "yes":
        await db.write(actions.verify, anomaly_id, by=me, reporter=True, now=now)
    elif data.works == "no":
        await db.write(actions.send_back, anomaly_id, data.reason, by=me, reporter=True, now=now)
    return see(f"/r/{key}")


async def _do(
    request: AnyRequest,
    db: Any,
    staff: Any,
    action: Callable[..., Anomaly],
    anomaly_id: UUID,
    *args: Any,
    **more: Any,
) -> Response[Any]:
    await db.write(action, anomaly_id, *args, by=staff, **more)
    return show(request, await db.read(anomalies.card, anomaly_id, viewer=staff, now=more["now"]))


handlers = [
    accept, assist, arrive, contain, hold, resume, hand_over, take_over, release, resolution_form, resolution_shown,
    resolve, verify, send_back, cancel, recall, confirm,
]  # fmt: skip
