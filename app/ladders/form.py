"""A ladder as a form: every field a word or a number, every button one change. Pure; nothing is stored between clicks.

The whole ladder travels with the form, so it can be changed, tried and thrown away without anybody noticing; only
publishing writes. Fields of step 3 are called `clock.3`, `after.3`, `unit.3`, `who.3`, `add.3`, `name.3`, `channels.3`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from pydantic import ValidationError

from app.flows.document import DAY, HOUR, MINUTE, Audience, Ladder, Rung
from app.kit.errors import N_, BadInput, DomainError

CLOCKS = ("accepted", "displayed", "on_site", "resolved", "verified")
UNITS = {"s": 1, "min": MINUTE, "h": HOUR, "d": DAY}
LONGEST = 30 * DAY
MOST_STEPS = 60

Fields = Sequence[tuple[str, str]]


class BadTime(DomainError):
    code = "ladder.bad_time"
    message = N_(
        "Step %(step)s has no time we can use. Nothing was changed. Give a number from 0 up to 30 days as its time."
    )
    status = 400


class NobodyByThatName(DomainError):
    code = "ladder.nobody_by_that_name"
    message = N_(
        "Step %(step)s names “%(name)s”, and nobody here is called so. Nothing was changed. Pick a name from the list."
    )
    status = 400


class EmptyStep(DomainError):
    code = "ladder.empty_step"
    message = N_("Step %(step)s calls nobody. Nothing was published. Add somebody to it, or remove the step.")
    status = 400


class TooManySteps(DomainError):
    code = "ladder.too_many_steps"
    message = N_("A ladder has at most %(most)s steps. Nothing was changed. Remove one before you add another.")
    status = 400


@dataclass(frozen=True, slots=True)
class Draft:
    """One step as it stands in the form; `number` is its name there."""

    number: int
    rung: Rung

    @property
    def amount(self) -> int:
        return self.rung.after // UNITS[self.unit]

    @property
    def unit(self) -> str:
        """The largest unit that says it without a fraction."""
        fits = [unit for unit, seconds in UNITS.items() if self.rung.after and self.rung.after % seconds == 0]
        return fits[-1] if fits else "min"


def drafts(ladder: Ladder) -> list[Draft]:
    """Return a published ladder as it stands in the form."""
    return _in_order([Draft(0, rung) for rung in ladder.rungs])


def read(fields: Fields, people: Mapping[str, UUID]) -> list[Draft]:
    """Return the steps of a form that came in. `people` are those who may be called by name.

    Raises:
        BadInput, BadTime, NobodyByThatName
    """
    sent = grouped(fields)
    if len(sent) > MOST_STEPS:
        raise TooManySteps(most=MOST_STEPS)
    return _in_order([_step(number, given, people) for number, given in sorted(sent.items())])


def grouped(fields: Fields) -> dict[int, dict[str, list[str]]]:
    """Return what was sent by number and name: `who.3` twice is two values of `who` in 3."""
    sent: dict[int, dict[str, list[str]]] = {}
    for name, value in fields:
        field, dot, number = name.partition(".")
        if dot and number.isdecimal() and number.isascii() and len(number) < 4:
            sent.setdefault(int(number), {}).setdefault(field, []).append(value)
    return sent


def change(steps: Sequence[Draft], do: str) -> list[Draft]:
    """Return the steps after one of the buttons `add:<clock>`, `remove:<step>`, `up:<step>`, `down:<step>`.

    A step that is moved takes the time of the one it changes places with: times always go upwards.
    """
    what, _, which = do.partition(":")
    if what == "add" and which in CLOCKS:
        if len(steps) >= MOST_STEPS:
            raise TooManySteps(most=MOST_STEPS)
        last = max((step.rung.after for step in steps if step.rung.clock == which), default=0)
        later = max(last * 2, 5 * MINUTE)
        return _in_order([*steps, Draft(0, Rung(clock=which, after=min(later, LONGEST), call=()))])
    place = next((n for n, step in enumerate(steps) if str(step.number) == which), None)
    if place is None:
        return list(steps)
    if what == "remove":
        return _in_order([step for n, step in enumerate(steps) if n != place])
    other = place + {"up": -1, "down": 1}.get(what, 0)
    if what in ("up", "down") and 0 <= other < len(steps) and steps[other].rung.clock == steps[place].rung.clock:
        moved = list(steps)
        mine, its = steps[place].rung, steps[other].rung
        moved[other] = Draft(0, mine.model_copy(update={"after": its.after}))
        moved[place] = Draft(0, its.model_copy(update={"after": mine.after}))
        return _in_order(moved)
    return list(steps)


def ladder(steps: Sequence[Draft]) -> Ladder:
    """Return what would be published.

    Raises:
        EmptyStep
    """
    for step in steps:
        if not step.rung.call:
            raise EmptyStep(step=step.number)
    return Ladder(rungs=tuple(step.rung for step in steps))


def code(audience: Audience) -> str:
    """Return an audience as one word for a form: `team=owner+line`."""
    given = audience.model_dump(mode="json", exclude_defaults=True)
    return "+".join(key if value is True else f"{key}={value}" for key, value in given.items())


def audience(word: str) -> Audience:
    """Return the audience behind `code`.

    Raises:
        BadInput
    """
    parts = dict(_flag(part) for part in word.split("+"))
    try:
        return Audience.model_validate(parts)
    except ValidationError as wrong:
        raise BadInput() from wrong


def _flag(part: str) -> tuple[str, object]:
    key, equals, value = part.partition("=")
    return key, value if equals else True


def _step(number: int, given: Mapping[str, list[str]], people: Mapping[str, UUID]) -> Draft:
    clock = given.get("clock", [""])[0]
    if clock not in CLOCKS:
        raise BadInput()
    after = _seconds(given.get("after", [""])[0], given.get("unit", ["min"])[0])
    if after is None:
        raise BadTime(step=number)
    words = [word for word in [*given.get("who", ()), *given.get("add", ())] if word]
    called = [audience(word) for word in words]
    for name in given.get("name", ()):
        if name.strip():
            if name.strip() not in people:
                raise NobodyByThatName(step=number, name=name.strip())
            called.append(Audience(person=people[name.strip()]))
    channels = tuple(dict.fromkeys(channel[:20] for channel in given.get("channels", ()) if channel))
    return Draft(number, Rung(clock=clock, after=after, call=tuple(dict.fromkeys(called)), channels=channels))


def _seconds(amount: str, unit: str) -> int | None:
    amount = amount.strip()
    if unit not in UNITS or not (amount.isascii() and amount.isdecimal()) or len(amount) > 7:
        return None
    seconds = int(amount) * UNITS[unit]
    return seconds if seconds <= LONGEST else None


def _in_order(steps: Iterable[Draft]) -> list[Draft]:
    """By clock and time, numbered anew from 1."""
    ordered = sorted(steps, key=lambda step: (CLOCKS.index(step.rung.clock), step.rung.after))
    return [replace(step, number=n) for n, step in enumerate(ordered, 1)]
