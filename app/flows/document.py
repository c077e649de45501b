"""A flow as a document: what is asked, who is called when, what closes it. No scripting, no unknown words."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.kit.columns import Names
from app.people.models import Role

Severity = Annotated[int, Field(ge=1, le=4)]
MINUTE, HOUR, DAY = 60, 3600, 86400


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Choice(Strict):
    """Something one taps: a symptom, a cause."""

    key: str
    names: Names
    cause_class: str = ""


class Audience(Strict):
    """People on duty: of a team ("owner": the duty responders), a role, the station's line, a squad, or one person.

    Or those whom the anomaly itself names, on duty or not: its owner; whoever was called in this round and has not seen
    it (`unseen`). With `deputies`, whoever stands in for them too, if on duty.
    """

    team: str = ""
    role: Role | None = None
    line: bool = False
    squad: str = ""
    person: UUID | None = None
    owner: bool = False
    unseen: bool = False
    deputies: bool = False


class Rung(Strict):
    """`after` seconds on `clock`, call these people too, over the channels they have and these as well."""

    clock: str
    after: int = Field(ge=0)
    call: tuple[Audience, ...]
    channels: tuple[str, ...] = ()


class Ladder(Strict):
    rungs: tuple[Rung, ...]

    @model_validator(mode="after")
    def _upwards(self) -> "Ladder":
        for clock in {rung.clock for rung in self.rungs}:
            times = [rung.after for rung in self.rungs if rung.clock == clock]
            if times != sorted(times):
                raise ValueError(f"the rungs of clock {clock} must come in the order of their times")
        return self

    def of(self, clock: str) -> list[Rung]:
        """The rungs of one clock, earliest first."""
        return [rung for rung in self.rungs if rung.clock == clock]


class FlowDocument(Strict):
    """Everything that makes one category of anomalies different from another."""

    category: str
    names: Names
    icon: str
    team: str = Field(description="The team that answers for it.")
    severity: Severity = Field(default=3, description="Before the two questions are answered.")
    questions: bool = Field(default=True, description="Ask: is the line stopped, could somebody be hurt?")
    symptoms: tuple[Choice, ...] = ()
    causes: tuple[Choice, ...] = ()
    checklist: tuple[Names, ...] = ()
    photo_after: bool = False
    merge_minutes: int = Field(default=10, ge=0, description="A report and an alarm so close together are one event.")
    merge_with: tuple[str, ...] = Field(default=(), description="Categories it may be one event with, beside its own.")
    watch_days: int = Field(default=14, ge=0)
    reopen_days: int = Field(default=30, ge=0)
    ladders: dict[Severity, Ladder]

    def ladder(self, severity: int) -> Ladder:
        """The ladder of a severity, or of the next less severe one that has its own."""
        return self.ladders[min((s for s in self.ladders if s >= severity), default=max(self.ladders))]
