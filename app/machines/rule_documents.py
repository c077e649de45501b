"""An alarm rule as a document: what is edited, imported, kept as a version, and made into what is judged by."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.kit.columns import Names
from app.machines.models import AlarmRule
from app.machines.rules import Hours, Kind, Rule, Shelving
from app.machines.samples import word_of
from app.machines.terms import Term

DAY, MOST = 86_400, 20
Spans = Mapping[str, tuple[time, time]]
"""When each shift begins and ends, by its id in hex."""


class Extras(BaseModel):
    """What only some kinds need. Seconds, as in rules.Rule."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    window_s: float = Field(default=0, ge=0, le=DAY)
    target: float = Field(default=0, allow_inf_nan=False)
    target_tag: UUID | None = None
    mask: int = Field(default=0, ge=0, lt=1 << 63)
    pattern: int = Field(default=0, ge=0, lt=1 << 63)
    states: tuple[str, ...] = Field(default=(), max_length=50)
    terms: tuple[Term, ...] = Field(default=(), max_length=MOST)
    any_of: bool = False
    only_when: tuple[Term, ...] = Field(default=(), max_length=MOST)
    shifts: tuple[UUID, ...] = Field(default=(), max_length=MOST)
    suppress_when: tuple[Term, ...] = Field(default=(), max_length=MOST)
    release_delay_s: float = Field(default=0, ge=0, le=DAY)
    realarm_time_s: float = Field(default=0, ge=0, le=7 * DAY)
    latched: bool = False
    group: str = Field(default="", max_length=40)
    consequence: str = Field(default="", max_length=300)
    corrective_action: str = Field(default="", max_length=300)


class RuleDocument(Extras):
    """The whole rule. The first fields are columns of AlarmRule, by the same names."""

    kind: Kind
    setpoint: float | None = Field(default=None, allow_inf_nan=False)
    deadband: float = Field(default=0, ge=0, allow_inf_nan=False)
    on_delay_s: float = Field(default=0, ge=0, le=DAY)
    off_delay_s: float = Field(default=0, ge=0, le=DAY)
    active_when: bool = True
    severity: int = Field(default=3, ge=1, le=4)
    category: str = Field(default="machine", min_length=1, max_length=40)
    message: Names = Field(default_factory=dict)
    component: str = Field(default="", max_length=80)
    enabled: bool = True

    @classmethod
    def of(cls, row: AlarmRule) -> Self:
        """Return what a row says."""
        return cls.model_validate({**{name: getattr(row, name) for name in COLUMNS}, **(row.extras or {})})

    def write(self, row: AlarmRule) -> None:
        """Let the row say this."""
        for name in COLUMNS:
            setattr(row, name, getattr(self, name))
        row.extras = self.model_dump(mode="json", exclude=set(COLUMNS), exclude_defaults=True)

    def kept(self) -> dict[str, object]:
        """As a version keeps it."""
        return self.model_dump(mode="json", exclude_defaults=True) | {"kind": self.kind.value}

    def rule(self, rule_id: UUID, *, zone: str = "UTC", spans: Spans | None = None) -> Rule:
        """Return what would be judged by.

        Raises:
            BadRule
        """
        own = (self.kind, self.setpoint, self.deadband, self.on_delay_s, self.off_delay_s, self.active_when)
        return build(rule_id, *own, extras=self, zone=zone, spans=spans or {})


COLUMNS = tuple(name for name in RuleDocument.model_fields if name not in Extras.model_fields)


def build(
    rule_id: UUID,
    kind: Kind,
    setpoint: float | None,
    deadband: float,
    on_delay_s: float,
    off_delay_s: float,
    active_when: bool,
    *,
    extras: Extras | None,
    zone: str,
    spans: Spans,
    shelf: Shelving | None = None,
    reset_at: datetime | None = None,
) -> Rule:
    """Return what is judged by.

    Raises:
        BadRule
    """
    more: dict[str, Any] = {"shelf": shelf, "reset_at": reset_at}
    if extras is not None:
        meant = tuple(spans[shift.hex] for shift in extras.shifts if shift.hex in spans)
        more |= {
            "window": extras.window_s,
            "target": extras.target,
            "target_tag": extras.target_tag,
            "mask": extras.mask,
            "pattern": extras.pattern,
            "states": frozenset(word_of(state) for state in extras.states),
            "terms": extras.terms,
            "any_of": extras.any_of,
            "only_when": extras.only_when,
            "hours": Hours(zone, meant) if meant else None,
            "suppress_when": extras.suppress_when,
            "release_delay": extras.release_delay_s,
            "realarm_time": extras.realarm_time_s,
            "latched": extras.latched,
        }
    return Rule(rule_id, kind, setpoint, deadband, on_delay_s, off_delay_s, active_when, **more)
