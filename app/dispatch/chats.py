"""Accept from a chat card: whose thumb it was, the same acceptance as everybody's, and what the card says then."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.actions import Actor, advance
from app.anomaly.lifecycle import OWNED, Action, Status
from app.anomaly.models import Anomaly
from app.anomaly.permissions import require
from app.anomaly.queries import get
from app.channels.apps import APPS
from app.dispatch.messages import Facts
from app.dispatch.models import CALL, Delivery, Outlet
from app.flows import queries as flows
from app.kit.errors import N_, DomainError
from app.people.chat import code_for, who
from app.people.models import Person
from app.plant.models import Line, Station

KINDS: Final = ("dingtalk_stream", "feishu_long", "wecom_smart")

WON: Final = N_("You have it. Go to the station.")
YOURS: Final = N_("It is yours already. Go to the station.")
VOID: Final = N_("This card is of no call any more. Open Pullcord and look there.")
UNKNOWN: Final = N_("I do not know you yet. Sign in at %(url)s and type this code: %(code)s")


@dataclass(frozen=True, slots=True)
class Press:
    """What became of it: a sentence for who pressed, in their language if we know it, and what the card says now.

    `everybody`: that is news, not what it said before.
    """

    sentence: str
    holes: Mapping[str, object] = field(default_factory=dict)
    lang: str = ""
    facts: Facts | None = None
    everybody: bool = False


@dataclass(frozen=True, slots=True)
class App:
    """A chat app of the plant, with a connection of its own. `target` is sealed."""

    outlet_id: UUID
    kind: str
    target: str


def apps(session: Session) -> list[App]:
    """Return every chat app that wants to be listened to."""
    which = select(Outlet).where(
        col(Outlet.channel).in_(APPS), col(Outlet.gone_at).is_(None), col(Outlet.paused_at).is_(None)
    )
    return [App(one.id, one.channel, one.target) for one in session.exec(which.order_by(col(Outlet.id)))]


def press(session: Session, delivery_id: UUID, kind: str, app: str, chat_user: str, *, now: datetime) -> Press:
    """Accept for whoever pressed the button on the card of a delivery.

    The connection it came in on is ours, so who pressed is who the chat says. Refusals are sentences too.
    """
    delivery = session.get(Delivery, delivery_id)
    if delivery is None or delivery.channel != kind or delivery.purpose != CALL or delivery.anomaly_id is None:
        return Press(VOID)
    person = who(session, kind, app, chat_user)
    anomaly = get(session, delivery.anomaly_id)
    if person is None:
        code = code_for(session, kind, app, chat_user, now=now)
        return _pressed(session, anomaly, delivery, UNKNOWN, {"code": code})
    for column in ("displayed_at", "opened_at"):
        if getattr(delivery, column) is None:
            setattr(delivery, column, now)
    session.add(delivery)
    if anomaly.owner_id == person.id and anomaly.status in OWNED:
        return _pressed(session, anomaly, delivery, YOURS, lang=person.language)
    try:
        _accept(session, anomaly, delivery, person, now=now)
    except DomainError as refusal:
        return _pressed(session, anomaly, delivery, refusal.message, refusal.details, lang=person.language)
    return _pressed(session, anomaly, delivery, WON, lang=person.language)


def _accept(session: Session, anomaly: Anomaly, delivery: Delivery, person: Person, *, now: datetime) -> None:
    if anomaly.status == Status.REPORTED and delivery.person_id != person.id:
        require(anomaly, person, "accept")  # a card in a group is seen by more people than may take it
    changes = {"owner_id": person.id, "offered_to_id": None}
    advance(session, anomaly, Action.ACCEPT, by=Actor.of(person), now=now, changes=changes, via=delivery.channel)


def _pressed(
    session: Session,
    anomaly: Anomaly,
    delivery: Delivery,
    said: str,
    holes: Mapping[str, object] | None = None,
    *,
    lang: str = "",
) -> Press:
    """Say it, and who has it by now, or that it is over, or that somebody still has to come."""
    flow = flows.document(session, anomaly.flow_version_id)
    owner = session.get(Person, anomaly.owner_id) if anomaly.owner_id and anomaly.status in OWNED else None
    waits = anomaly.status == Status.REPORTED
    facts = Facts(
        delivery_id=delivery.id,
        anomaly_id=anomaly.id,
        number=anomaly.number,
        severity=anomaly.severity,
        category=flow.names,
        symptom=next((s.names for s in flow.symptoms if s.key == anomaly.symptom), None),
        line=session.get_one(Line, anomaly.line_id).names,
        station=session.get_one(Station, anomaly.station_id).names,
        message=anomaly.said or anomaly.message,
        line_stopped=anomaly.line_stopped,
        received_at=anomaly.received_at,
        topic="accepted" if waits else "taken" if owner else "over",
        rung=0,
        can_accept=waits,
        by=owner.name if owner else "",
    )
    return Press(said, holes or {}, lang, facts, everybody=not waits)
