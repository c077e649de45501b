"""What a person does about an anomaly is told to the machines that called, where their own alarms want an answer."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from sqlmodel import Session, col, select

from app.anomaly.lifecycle import Action
from app.anomaly.models import Anomaly, Occurrence
from app.machines import condition_actions
from app.machines.condition_models import Act

ACTS = {Action.ACCEPT: Act.ACKNOWLEDGE, Action.RESOLVE: Act.CONFIRM}


def reply(
    session: Session,
    anomaly: Anomaly,
    action: Action,
    *,
    by_id: UUID | None,
    by: str,
    now: datetime,
    told: Mapping[str, object],
) -> None:
    """Leave an answer for each condition of this anomaly; a worker takes them to the machines.

    In the caller's transaction: who has accepted has answered, whatever becomes of us. What the machine says to it is
    an event of the anomaly.
    """
    act = ACTS.get(action)
    if act is None or not anomaly.alarms:
        return
    signals = select(Occurrence.rule_id).where(
        Occurrence.anomaly_id == anomaly.id, col(Occurrence.rule_id).is_not(None)
    )
    conditions = [rule_id for rule_id in session.exec(signals.distinct()) if rule_id is not None]
    said = [f"{by} #{anomaly.number}", *(str(told[name]) for name in ("cause", "fix") if told.get(name))]
    comment = " · ".join(said)
    condition_actions.answer(
        session, conditions, act, anomaly_id=anomaly.id, comment=comment, by_id=by_id, by=by, now=now
    )
