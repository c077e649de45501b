"""One anomaly of the past, told step by step.

The same tables decide as for a live one: lifecycle, clocks, ladders, recipients; only the rows go into lists, because a
month of them is written at once. Longer than most files because it is one thing with one verb for each step.
"""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from app.anomaly.actions import CLOCKS, NOBODY, NOT_HELD, REACHED, Actor, clock_start, event_row
from app.anomaly.lifecycle import OPEN, TRANSITIONS, Action, Status
from app.anomaly.models import Anomaly, Clock, Purpose
from app.capture.actions import Stored
from app.capture.observation import Kind, Observation
from app.demo.world import World
from app.dispatch.ladder import look
from app.dispatch.recipients import recipients
from app.flows.answers import severity
from app.flows.routing import Routing
from app.people.models import Person

NO_ROUTES = Routing()
MACHINE, PERSON = "machine", "person"


class Tale:
    """Begins with the first signal; each verb is one step at its time. Steps come in the order of time."""

    def __init__(self, world: World, seen: Observation, *, at: datetime, chance: random.Random) -> None:
        station = next(s for s in world.stations.values() if s.id == seen.station_id)
        version_id, self.flow = world.flows[seen.category]
        self.world, self.chance = world, chance
        self.events: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self.resolutions: list[dict[str, Any]] = []
        self.files: list[dict[str, Any]] = []
        self.called: list[Person] = []
        local = world.local(seen.occurred_at)
        shift = world.shift(seen.occurred_at)
        machine = seen.kind == Kind.ALARM
        first = Anomaly(
            id=id_of(at),
            number=0,  # given when all are told
            site_id=world.site.id,
            line_id=station.line_id,
            station_id=station.id,
            flow_version_id=version_id,
            category=seen.category,
            symptom="" if machine else seen.what,
            message=seen.message,
            said=seen.said,
            origin=MACHINE if machine else PERSON,
            severity=seen.severity or severity(self.flow, line_stopped=seen.line_stopped, danger=seen.danger),
            practice=seen.practice,
            team_id=world.teams[self.flow.team],
            occurred_at=seen.occurred_at,
            received_at=at,
            local_day=local.date(),
            local_hour=local.hour,
            shift_id=shift[0] if shift else None,
            round=1,
            occurrences=0,
            **clock_start(Status.REPORTED, now=at),
        )
        self.row: dict[str, Any] = first.model_dump()
        self.hear(seen, at=at)

    @property
    def id(self) -> UUID:
        found: UUID = self.row["id"]
        return found

    @property
    def status(self) -> Status:
        found: Status = self.row["status"]
        return found

    @property
    def line_id(self) -> UUID:
        found: UUID = self.row["line_id"]
        return found

    @property
    def site_id(self) -> UUID:
        return self.world.site.id

    @property
    def station_id(self) -> UUID:
        found: UUID = self.row["station_id"]
        return found

    @property
    def category(self) -> str:
        found: str = self.row["category"]
        return found

    @property
    def severity(self) -> int:
        found: int = self.row["severity"]
        return found

    @property
    def team_id(self) -> UUID | None:
        return self.row["team_id"]  # type: ignore[no-any-return]

    @property
    def owner_id(self) -> UUID | None:
        return self.row["owner_id"]  # type: ignore[no-any-return]

    @property
    def closes_at(self) -> datetime | None:
        """When the watch is over; None while there is something to do, or it has ended."""
        if self.row["clock"] != Clock.WATCH:
            return None
        return self.row["clock_from"] + timedelta(days=self.flow.watch_days)  # type: ignore[no-any-return]

    def hear(self, seen: Observation, *, at: datetime) -> None:
        """Take in one signal: the first, one more, or that a machine is back to normal."""
        row = self.row
        first = not self.signals
        if seen.kind == Kind.RETURN_TO_NORMAL:
            row["alarms_active"] -= 1
        else:
            row["occurrences"] += 1
            row["me_too"] += seen.kind == Kind.ME_TOO
            row["alarms"] += seen.kind == Kind.ALARM
            row["alarms_active"] += seen.kind == Kind.ALARM
            row["line_stopped"] = row["line_stopped"] or seen.line_stopped
            row["danger"] = row["danger"] or seen.danger
        self.signals.append(
            {
                "id": seen.key,
                "anomaly_id": self.id,
                "station_id": seen.station_id,
                "kind": str(seen.kind),
                "source": seen.source,
                "fingerprint": seen.fingerprint,
                "digest": seen.key.hex,
                "message": seen.message,
                "details": seen.details,
                "reporter_id": seen.reporter_id,
                "rule_id": seen.rule_id,
                "occurred_at": seen.occurred_at,
                "captured_at": seen.captured_at,
                "received_at": at,
            }
        )
        said: dict[str, object] = {"source": seen.source, "occurrence": seen.key.hex}
        said |= {"severity": row["severity"]} if first else {}
        said |= {"message": seen.said or seen.message} if seen.message else {}
        self._note("reported" if first else str(seen.kind), said, at=at)

    def move(
        self,
        action: Action,
        *,
        at: datetime,
        by: Actor = NOBODY,
        changes: Mapping[str, Any] | None = None,
        **details: object,
    ) -> None:
        """Go one step along the lifecycle, after whoever had to be called until then was called.

        Raises:
            KeyError: the lifecycle has no such step.
        """
        self.ring(until=at)
        after = TRANSITIONS[self.status, action]
        started = clock_start(after, now=at)
        self.row |= {"status": after, "in_queue": after in OPEN, **NOT_HELD, **started, **(changes or {})}
        self.row["round"] += 1
        if (column := REACHED.get(after)) and self.row[column] is None:
            self.row[column] = at
        self.row["next_clock_at"] = self.closes_at
        self.called = []
        self._note(action, {"status": after, **details}, at=at, by=by)

    def hold(self, reason: str, *, at: datetime, until: datetime, by: Actor) -> None:
        """Stop the clock for a reason."""
        self.ring(until=at)
        self.row |= {"held_since": at, "held_until": until, "hold_reason": reason, "clock": Clock.HOLD, "rung": 0}
        self.row["round"] += 1
        self._note("hold", {"reason": reason, "until": until}, at=at, by=by)

    def resume(self, *, at: datetime, by: Actor) -> None:
        """Go on; the clock of the status starts again."""
        self.row |= {**NOT_HELD, **clock_start(self.status, now=at)}
        self.row["round"] += 1
        self._note("resume", {}, at=at, by=by)

    def offer(self, to: Person, *, at: datetime, by: Actor) -> None:
        """Ask somebody to take over."""
        self.ring(until=at)
        self._note("hand_over", {"to": to.name, "to_id": to.id}, at=at, by=by)

    def show(self, photo: Stored, *, at: datetime, purpose: Purpose = Purpose.REPORT, by: Actor = NOBODY) -> None:
        """Put a photo to it: to the last signal, or of the repaired thing."""
        made = id_of(at)
        self.files.append(
            {
                "id": made,
                "anomaly_id": self.id,
                "occurrence_id": self.signals[-1]["id"] if purpose == Purpose.REPORT else None,
                "kind": photo.kind,
                "purpose": purpose,
                "key": photo.key,
                "thumb": photo.thumb,
                "media_type": photo.media_type,
                "size": photo.size,
                "width": photo.width,
                "height": photo.height,
                "digest": photo.digest,
                "created_at": at,
            }
        )
        self.row["photo_id"] = self.row["photo_id"] or made
        self._note(photo.kind, {"attachment": made.hex}, at=at, by=by)

    def ring(self, *, until: datetime) -> None:
        """Call the rungs that came due before `until`."""
        clock = CLOCKS[self.status]
        if clock is None or self.row["clock"] != clock or clock == Clock.WATCH:
            return
        rungs = self.flow.ladder(self.row["severity"]).of(clock)
        for rung in look(rungs, self.row["rung"], clock_from=self.row["clock_from"], now=until).due:
            due = self.row["clock_from"] + timedelta(seconds=rung.after + self.chance.uniform(0.02, 0.4))
            at = min(due, until)
            world = self.world
            found = recipients(rung, self, at=at, roster=world.roster, routing=NO_ROUTES, teams=world.teams)
            place, names = self.row["rung"], [r.person.name for r in found]
            once = f"{self.id.hex}:{self.row['round']}:{rung.clock}:{place}"
            kind = "called" if found else "nobody"
            self._note(kind, {"clock": rung.clock, "rung": place, "called": names}, at=at, once=once)
            self.called += [r.person for r in found]
            self.row["rung"] += 1

    def _note(
        self, kind: str, details: dict[str, object], *, at: datetime, by: Actor = NOBODY, once: str | None = None
    ) -> None:
        row = event_row(self.id, kind, by=by, now=at, once=once, details=details)
        self.events.append(row | {"told_at": at})


def id_of(moment: datetime) -> UUID:
    """Return a fresh id made at that moment."""
    return uuid7(nanoseconds=int(moment.timestamp() * 1_000_000) * 1000)
