"""What the person who answers for an anomaly does with it, and the one who verifies.

Each function is one thumb on one button: it checks who may, and leaves deciding and writing to the lifecycle.

Longer than most files because each button is a function of its own, however short.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import update
from sqlmodel import Session, col, func, select

from app.anomaly.actions import CLOCKS, NOBODY, NOT_HELD, Actor, advance, record
from app.anomaly.lifecycle import OWNED, Action, NotAllowedNow, Status
from app.anomaly.models import PEOPLE, Anomaly, Clock, Occurrence
from app.anomaly.permissions import may, require
from app.anomaly.queries import alarm_rules, get
from app.kit.errors import N_, BadInput, DomainError, NotAllowed, NotFound
from app.machines.gate import Abnormal, abnormal
from app.people.models import Person
from app.resolve.models import CauseClass, Override, Resolution

END_REASONS = ("false", "duplicate", "practice", "recalled")
LONGEST_HOLD = MONTH = timedelta(days=30)
FREE: dict[str, Any] = {"owner_id": None, "offered_to_id": None, "helpers": None}


class OthersMustVerify(DomainError):
    code = "resolve.others_must_verify"
    message = N_(
        "You fixed it, so somebody else has to check it. Nothing was changed. Ask the reporter or a team lead."
    )


class StillAbnormal(DomainError):
    code = "resolve.still_abnormal"
    message = N_(
        "%(tag)s is still abnormal: %(value)s (limit %(limit)s). Nothing was changed. Wait until it is back to normal, "
        "or say why it is right all the same."
    )


class SignalLost(DomainError):
    code = "resolve.signal_lost"
    message = N_(
        "Nothing fresh is known of %(tag)s; its last value was %(value)s. Nothing was changed. Wait until the signal "
        "is back, or say why it is right all the same."
    )


class StillReported(DomainError):
    code = "resolve.still_reported"
    message = N_(
        "The machine still reports this alarm. Nothing was changed. Wait until it is back to normal, or say why."
    )


def accept(session: Session, anomaly_id: UUID, *, by: Person, now: datetime, via: str = "app") -> Anomaly:
    """Make `by` the one owner. The ladder stops: whatever was planned before is void.

    Raises:
        NotAllowedNow: somebody was faster; it says who.
    """
    anomaly = get(session, anomaly_id)
    if anomaly.status == Status.REPORTED:
        require(anomaly, by, "accept")
    advance(
        session,
        anomaly,
        Action.ACCEPT,
        by=Actor.of(by),
        now=now,
        changes={**FREE, "owner_id": by.id},
        via=via,
    )
    return anomaly


def assist(session: Session, anomaly_id: UUID, *, by: Person, now: datetime) -> Anomaly:
    """Come too, without taking it from its owner. Who says so twice has said it once.

    Raises:
        NotAllowedNow: nobody has it (any more), or it is one's own.
    """
    anomaly = get(session, anomaly_id)
    helpers = anomaly.helpers or {}
    if str(by.id) in helpers and anomaly.status in OWNED:
        return anomaly
    if "assist" not in may(anomaly, by):
        raise NotAllowedNow.of(anomaly.status, "")
    _set(session, anomaly, helpers=helpers | {str(by.id): by.name})
    record(session, anomaly.id, "assist", by=Actor.of(by), now=now)
    return anomaly


def arrive(session: Session, anomaly_id: UUID, *, by: Person, now: datetime) -> Anomaly:
    anomaly = _mine(session, anomaly_id, by, "arrive")
    advance(session, anomaly, Action.ARRIVE, by=Actor.of(by), now=now)
    return anomaly


def contain(session: Session, anomaly_id: UUID, note: str, *, by: Person, now: datetime) -> Anomaly:
    """Output is protected, the cause is still open."""
    anomaly = _mine(session, anomaly_id, by, "contain")
    advance(session, anomaly, Action.CONTAIN, by=Actor.of(by), now=now, note=note)
    return anomaly


def hold(session: Session, anomaly_id: UUID, reason: str, *, minutes: int, by: Person, now: datetime) -> Anomaly:
    """Stop the clock for a reason, until somebody looks again in `minutes`."""
    anomaly = _mine(session, anomaly_id, by, "hold")
    until = now + min(timedelta(minutes=max(minutes, 1)), LONGEST_HOLD)
    if not reason.strip():
        raise BadInput()
    held = {
        "held_since": now,
        "held_until": until,
        "hold_reason": reason,
        "clock": Clock.HOLD,
        "next_clock_at": until,
    }
    _set(session, anomaly, **held, round=Anomaly.round + 1)
    record(session, anomaly.id, "hold", by=Actor.of(by), now=now, reason=reason, until=until)
    return anomaly


def resume(session: Session, anomaly_id: UUID, *, by: Person, now: datetime) -> Anomaly:
    """End the hold. The clock goes on where it was stopped: a hold neither costs nor wins time."""
    anomaly = _mine(session, anomaly_id, by, "resume")
    held_for = now - (anomaly.held_since or now)
    going_on = {
        "clock": CLOCKS[anomaly.status],
        "clock_from": (anomaly.clock_from or now) + held_for,
        "next_clock_at": now,
    }
    _set(session, anomaly, **NOT_HELD, **going_on, round=Anomaly.round + 1)
    record(session, anomaly.id, "resume", by=Actor.of(by), now=now)
    return anomaly


def offer(session: Session, anomaly_id: UUID, to_id: UUID, *, by: Person, now: datetime) -> Anomaly:
    """Ask somebody to take over. The giver stays the owner until the receiver accepts."""
    anomaly = _mine(session, anomaly_id, by, "hand_over")
    to = session.get(Person, to_id)
    if to is None or to.left_at is not None or to.id == by.id:
        raise BadInput()
    _set(session, anomaly, offered_to_id=to.id)
    record(session, anomaly.id, "hand_over", by=Actor.of(by), now=now, to=to.name, to_id=to.id)
    return anomaly


def take_over(session: Session, anomaly_id: UUID, *, by: Person, now: datetime) -> Anomaly:
    """Accept a hand-over: ownership passes now, not before."""
    anomaly = _mine(session, anomaly_id, by, "take_over")
    others = {id_: name for id_, name in (anomaly.helpers or {}).items() if id_ != str(by.id)}
    changes = {"owner_id": by.id, "offered_to_id": None, "helpers": others}
    advance(session, anomaly, Action.HAND_OVER, by=Actor.of(by), now=now, changes=changes, taken=True)
    return anomaly


def release(session: Session, anomaly_id: UUID, reason: str, *, by: Person, now: datetime) -> Anomaly:
    """Give it back to the queue; the ladder starts again."""
    anomaly = _mine(session, anomaly_id, by, "release")
    advance(session, anomaly, Action.RELEASE, by=Actor.of(by), now=now, changes=FREE, reason=reason)
    return anomaly


def resolve(
    session: Session,
    anomaly_id: UUID,
    *,
    cause_class: CauseClass | None,
    cause: str,
    fix: str,
    permanent: bool,
    by: Person,
    now: datetime,
) -> Anomaly:
    """Say that it is fixed, and how. Somebody else has to verify."""
    anomaly = _mine(session, anomaly_id, by, "resolve")
    changes = {"offered_to_id": None, "resolver_id": by.id, "resolved_at": now}
    told: dict[str, Any] = {"cause": cause, "fix": fix, "permanent": permanent}
    advance(session, anomaly, Action.RESOLVE, by=Actor.of(by), now=now, changes=changes, **told)
    session.add(Resolution(anomaly_id=anomaly.id, by_id=by.id, cause_class=cause_class, at=now, **told))
    return anomaly


def verify(
    session: Session,
    anomaly_id: UUID,
    *,
    by: Person | None,
    now: datetime,
    override: str = "",
    reporter: bool = False,
) -> Anomaly:
    """Confirm that it works again. Not by the resolver, and not while the machine says otherwise, unless with a reason.

    `by` None with `reporter`: the reporter, who may be anonymous, confirms on the receipt.
    """
    anomaly = get(session, anomaly_id)
    _may_judge(anomaly, by, reporter)
    held_back = _gate(session, anomaly, override=override.strip(), now=now)
    told: dict[str, Any] = {"override": override.strip()} if held_back else {}
    judge = _judge(by, reporter)
    if held_back:
        session.add(Override(anomaly_id=anomaly.id, station_id=anomaly.station_id, by_id=judge.person_id, at=now))
        record(session, anomaly.id, "override", by=judge, now=now, abnormal=[_fact(one) for one in held_back])
    advance(session, anomaly, Action.VERIFY, by=judge, now=now, reporter=reporter, **told)
    _judge_resolution(session, anomaly, "verified", judge, "", now)
    return anomaly


def send_back(
    session: Session,
    anomaly_id: UUID,
    reason: str,
    *,
    by: Person | None,
    now: datetime,
    reporter: bool = False,
) -> Anomaly:
    """It does not work: back to the one who said it was fixed."""
    anomaly = get(session, anomaly_id)
    _may_judge(anomaly, by, reporter)
    judge = _judge(by, reporter)
    advance(
        session, anomaly, Action.SEND_BACK, by=judge, now=now,
        changes={"resolved_at": None}, reason=reason, reporter=reporter,
    )  # fmt: skip
    _judge_resolution(session, anomaly, "sent_back", judge, reason, now)
    return anomaly


def cancel(session: Session, anomaly_id: UUID, reason: str, *, by: Person, now: datetime) -> Anomaly:
    """End it without a fix: false alarm, duplicate, practice, or recalled."""
    if reason not in END_REASONS:
        raise BadInput()
    anomaly = _mine(session, anomaly_id, by, "cancel")
    advance(
        session,
        anomaly,
        Action.CANCEL,
        by=Actor.of(by),
        now=now,
        changes={"offered_to_id": None, "end_reason": reason},
        reason=reason,
    )
    return anomaly


def recall(session: Session, key: UUID, *, now: datetime) -> Anomaly:
    """Take one's own call back, while nobody is on the way and nobody else has said the same.

    Raises:
        NotAllowedNow: it is more than one person's word already, or somebody has accepted.
    """
    anomaly = get(session, of_report(session, key))
    if anomaly.status != Status.REPORTED or anomaly.occurrences > 1:
        raise NotAllowedNow.of(anomaly.status, "")
    advance(
        session,
        anomaly,
        Action.CANCEL,
        by=NOBODY,
        now=now,
        changes={"end_reason": "recalled"},
        reason="recalled",
    )
    return anomaly


def of_report(session: Session, key: UUID) -> UUID:
    """Return the anomaly somebody's report belongs to. What a machine sent has no reporter.

    Raises:
        NotFound
    """
    report = session.get(Occurrence, key)
    if report is None or report.kind not in PEOPLE:
        raise NotFound()
    return report.anomaly_id


def latest_resolution(session: Session, anomaly_id: UUID) -> Resolution | None:
    """Return what the last resolver said."""
    which = select(Resolution).where(col(Resolution.anomaly_id) == anomaly_id).order_by(col(Resolution.at).desc())
    return session.exec(which.limit(1)).first()


def how_it_ended(session: Session, anomaly_id: UUID, *, now: datetime) -> tuple[Resolution | None, int]:
    """Return the same, and, where the machine was overruled, how often that was so at this station in a month."""
    here = session.exec(select(Override.station_id).where(Override.anomaly_id == anomaly_id).limit(1)).first()
    counted = overrides(session, here, since=now - MONTH) if here else 0
    return latest_resolution(session, anomaly_id), counted


def overrides(session: Session, station_id: UUID, *, since: datetime) -> int:
    """Count how often somebody has said at this station that it works, against what the machine said."""
    here = select(func.count()).select_from(Override).where(col(Override.station_id) == station_id)
    return session.exec(here.where(col(Override.at) >= since)).one()


def _mine(session: Session, anomaly_id: UUID, by: Person, what: str) -> Anomaly:
    anomaly = get(session, anomaly_id)
    if what in may(anomaly, by):
        return anomaly
    if anomaly.owner_id == by.id or anomaly.status not in OWNED:
        owner = session.get(Person, anomaly.owner_id) if anomaly.owner_id else None
        raise NotAllowedNow.of(anomaly.status, owner.name if owner else "")
    raise NotAllowed()


def _may_judge(anomaly: Anomaly, by: Person | None, reporter: bool) -> None:
    if by is not None and anomaly.resolver_id == by.id:
        raise OthersMustVerify()
    if not reporter and (by is None or (anomaly.resolver_id and "verify" not in may(anomaly, by))):
        raise NotAllowed()


def _gate(session: Session, anomaly: Anomaly, *, override: str, now: datetime) -> list[Abnormal]:
    """Return what is not in order and is overridden with a reason. Of a machine's own alarm no tag may be known.

    Raises:
        StillAbnormal, SignalLost, StillReported: there is something, and no reason was given.
    """
    found = abnormal(session, alarm_rules(session, anomaly.id), now=now) if anomaly.alarms else []
    if anomaly.alarms_active > 0 and not found:
        if not override:
            raise StillReported()
        return [Abnormal(anomaly.id, anomaly.said or {"en": anomaly.message}, "", "")]
    if found and not override:
        refusal = SignalLost if found[0].stale else StillAbnormal
        raise refusal(tag=found[0].tag, value=found[0].value, limit=found[0].limit)
    return found


def _fact(one: Abnormal) -> dict[str, object]:
    return {"tag": one.tag, "value": one.value, "limit": one.limit, "stale": one.stale}


def _judge(by: Person | None, reporter: bool) -> Actor:
    """Whoever speaks as the reporter stays unnamed: their name beside it would tell who reported."""
    return Actor.of(by) if by and not reporter else NOBODY


def _judge_resolution(session: Session, anomaly: Anomaly, verdict: str, by: Actor, reason: str, now: datetime) -> None:
    if resolution := latest_resolution(session, anomaly.id):
        resolution.verdict, resolution.verdict_reason, resolution.verdict_at = verdict, reason, now
        resolution.verdict_by_id = by.person_id
        session.add(resolution)


def _set(session: Session, anomaly: Anomaly, **values: Any) -> None:
    session.execute(update(Anomaly).where(col(Anomaly.id) == anomaly.id).values(**values))
    session.refresh(anomaly)
