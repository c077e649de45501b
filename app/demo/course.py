"""How one trouble goes: first drawn as lengths of time, so that it is known how long it takes; then told."""

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from app.anomaly.actions import NOBODY, Actor
from app.anomaly.lifecycle import Action
from app.anomaly.models import Purpose
from app.capture.actions import Stored
from app.capture.observation import Observation
from app.demo import phrases
from app.demo.tale import PERSON, Tale, id_of
from app.flows.document import Choice
from app.people.models import Person, Role

MINUTES = {1: (1.2, 3, 32), 2: (2.4, 4, 24), 3: (6, 7, 38), 4: (35, 15, 90)}
"""By severity: the middle of the times to accept, to be there, to repair."""

LONGEST = timedelta(hours=20)


class End(Enum):
    """How a trouble may end."""

    FIXED = "fixed"
    SENT_BACK = "fixed at the second try"
    HELD = "fixed after waiting for a part"
    HANDED_OVER = "fixed by another one"
    FALSE = "nothing was wrong"
    RECALLED = "taken back by the reporter"


OFTEN = {End.FIXED: 80, End.SENT_BACK: 6, End.HELD: 3, End.HANDED_OVER: 3, End.FALSE: 5, End.RECALLED: 3}


@dataclass(frozen=True, slots=True)
class Course:
    """Lengths of time, one after the other; `again` is a second repair after somebody has sent it back."""

    end: End
    accept: timedelta
    arrive: timedelta
    repair: timedelta
    again: timedelta
    verify: timedelta

    @property
    def length(self) -> timedelta:
        return self.accept + self.arrive + self.repair + self.again + self.verify


def draw(severity: int, chance: random.Random) -> Course:
    """Draw a course. Times are log-normal: most are short, a few take very long."""
    accept, arrive, repair = MINUTES[severity]
    end = chance.choices(list(OFTEN), list(OFTEN.values()))[0]
    second = end in (End.SENT_BACK, End.HELD)
    return Course(
        end=end,
        accept=_about(accept, 0.9, chance),
        arrive=_about(arrive, 0.6, chance),
        repair=_about(repair, 0.8, chance),
        again=_about(repair, 0.8, chance) if second else timedelta(),
        verify=_about(9, 1.0, chance),
    )


def tell(
    tale: Tale,
    course: Course,
    chance: random.Random,
    *,
    normal: Callable[[datetime], Observation] | None,
    photo: Stored | None,
) -> None:
    """Tell what happened after the first signals, to the end. `normal` makes what the machine says when it is well."""
    at = tale.signals[-1]["received_at"]
    if course.end == End.RECALLED and tale.row["origin"] == PERSON and len(tale.signals) == 1:
        _cancel(tale, "recalled", at=at + min(course.accept, timedelta(seconds=80)), by=NOBODY)
        return
    at += course.accept
    tale.ring(until=at)
    owner = _who_comes(tale, chance)
    via = chance.choice(("webpush", "webpush", "app"))
    tale.move(Action.ACCEPT, at=at, by=Actor.of(owner), changes={"owner_id": owner.id}, via=via)
    if course.end == End.HANDED_OVER:
        owner, at = _hand_over(tale, owner, at, chance)
    at += course.arrive
    tale.move(Action.ARRIVE, at=at, by=Actor.of(owner))
    if course.end in (End.FALSE, End.RECALLED):
        if normal:
            _is_normal(tale, normal, at + timedelta(seconds=10))
        _cancel(tale, "false", at=at + course.repair / 4 + timedelta(seconds=20), by=Actor.of(owner))
        return
    if tale.row["severity"] <= 2 and chance.random() < 0.15:
        at += course.repair / 5
        tale.move(Action.CONTAIN, at=at, by=Actor.of(owner), note=phrases.CONTAINED)
    if course.end == End.HELD:
        until = at + course.again
        tale.hold(phrases.WAITING_FOR_PART, at=at + timedelta(seconds=40), until=until, by=Actor.of(owner))
        tale.resume(at=until, by=Actor.of(owner))
        at = until
    at += course.repair
    if normal:
        _is_normal(tale, normal, at - course.repair / 10)
    if photo:
        tale.show(photo, at=at - course.repair / 12, purpose=Purpose.AFTER, by=Actor.of(owner))
    _resolve(tale, owner, at, chance)
    if course.end == End.SENT_BACK:
        at += course.verify / 2
        _judge(tale, owner, "sent_back", at, chance)
        at += course.again
        _resolve(tale, owner, at, chance)
    at += course.verify
    _judge(tale, owner, "verified", at, chance)


def _is_normal(tale: Tale, normal: Callable[[datetime], Observation], at: datetime) -> None:
    tale.hear(normal(at), at=at)


def _about(minutes: float, spread: float, chance: random.Random) -> timedelta:
    drawn = timedelta(minutes=minutes * math.exp(chance.gauss(0, spread)))
    return min(max(drawn, timedelta(seconds=8)), LONGEST)


def _who_comes(tale: Tale, chance: random.Random) -> Person:
    """Somebody who was called: who answers for it rather than the lead; the higher, the later it is."""
    may = [p for p in tale.called if p.team_id == tale.team_id or p.role.rank >= Role.TEAM_LEAD.rank]
    own = [p for p in may if p.team_id == tale.team_id]
    late = tale.row["rung"] > 1 and chance.random() < 0.5
    return chance.choice(may[-2:] if late else own or may or [tale.world.leads[tale.line_id]])


def _hand_over(tale: Tale, owner: Person, at: datetime, chance: random.Random) -> tuple[Person, datetime]:
    others = [p for p in tale.world.on_duty(at) if p.team_id == tale.team_id and p.id != owner.id]
    if not others:
        return owner, at
    to = chance.choice(others)
    tale.offer(to, at=at + timedelta(seconds=30), by=Actor.of(owner))
    at += timedelta(seconds=95)
    tale.move(Action.HAND_OVER, at=at, by=Actor.of(to), changes={"owner_id": to.id, "offered_to_id": None}, taken=True)
    return to, at


def _resolve(tale: Tale, owner: Person, at: datetime, chance: random.Random) -> None:
    behind = phrases.WHY.get((tale.flow.category, tale.row["symptom"]), ())
    cause = _likely([c for c in tale.flow.causes if c.key in behind] or tale.flow.causes, chance)
    told = {
        "cause": phrases.both(cause.names),
        "fix": phrases.DONE[tale.flow.category, cause.key],
        "permanent": chance.random() < 0.7,
    }
    changes = {"resolver_id": owner.id, "resolved_at": at}
    tale.move(Action.RESOLVE, at=at, by=Actor.of(owner), changes=changes, **told)
    tale.resolutions.append(
        {"id": id_of(at), "anomaly_id": tale.id, "by_id": owner.id, "cause_class": cause.cause_class, "at": at, **told}
    )


def _judge(tale: Tale, resolver: Person, verdict: str, at: datetime, chance: random.Random) -> None:
    """The reporter or the lead of the line says whether it works; never who has fixed it."""
    lead = tale.world.leads[tale.line_id]
    if lead.id == resolver.id:
        lead = next(other for other in tale.world.leads.values() if other.id != resolver.id)
    reporter = tale.row["origin"] == PERSON and chance.random() < 0.45
    by = NOBODY if reporter else Actor.of(lead)
    reason = phrases.NOT_FIXED if verdict == "sent_back" else ""
    if verdict == "verified":
        tale.move(Action.VERIFY, at=at, by=by, reporter=reporter)
    else:
        tale.move(Action.SEND_BACK, at=at, by=by, changes={"resolved_at": None}, reason=reason, reporter=reporter)
    tale.resolutions[-1] |= {
        "verdict": verdict,
        "verdict_by_id": by.person_id,
        "verdict_at": at,
        "verdict_reason": reason,
    }


def _cancel(tale: Tale, reason: str, *, at: datetime, by: Actor) -> None:
    tale.move(Action.CANCEL, at=at, by=by, changes={"end_reason": reason}, reason=reason)


def _likely(choices: Sequence[Choice], chance: random.Random) -> Choice:
    """The first ones are the frequent ones."""
    return chance.choices(choices, [1 / (place + 1) for place in range(len(choices))])[0]
