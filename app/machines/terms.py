"""One comparison with one tag, such as "Line running is on": what combinations and conditions of alarms are made of."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from app.machines.samples import GOOD, SILENT, Sample, is_number, is_whole, number_of, word, word_of, words_of


class Compare(StrEnum):
    ABOVE = "above"
    BELOW = "below"
    IS = "is"
    IS_NOT = "is_not"
    ONE_OF = "one_of"
    BIT = "bit"


ABOVE, BELOW, IS, IS_NOT, ONE_OF, BIT = Compare
HIGHEST_BIT = 63


@dataclass(frozen=True, slots=True)
class Term:
    """`value` as a person writes it: a number, on or off, a state, several states with commas, a bit from 0."""

    tag: UUID
    test: Compare
    value: str

    @property
    def can_work(self) -> bool:
        if self.test in (ABOVE, BELOW):
            return number_of(self.value) is not None
        if self.test is BIT:
            return self.value.isascii() and self.value.isdecimal() and int(self.value) <= HIGHEST_BIT
        return bool(self.value.strip())


def holds(term: Term, seen: Mapping[UUID, Sample]) -> bool | None:
    """Is it so? None: its tag does not tell."""
    sample = seen.get(term.tag)
    if sample is None or sample.quality is not GOOD:
        return None
    value, test = sample.value, term.test
    if test is ABOVE or test is BELOW:
        if not is_number(value):
            return None
        limit = number_of(term.value)
        return value > limit if test is ABOVE else value < limit  # type: ignore[operator]
    if test is BIT:
        return bool(value >> int(term.value) & 1) if is_whole(value) else None  # type: ignore[operator]
    said = word(value)
    if said is None:
        return None
    if test is ONE_OF:
        return said in words_of(term.value)
    return (said == word_of(term.value)) is (test is IS)


def all_hold(terms: tuple[Term, ...], seen: Mapping[UUID, Sample]) -> bool | None:
    """One that is not so decides; else one that does not tell leaves it open."""
    answers = [holds(term, seen) for term in terms]
    return False if False in answers else None if None in answers else True


def any_holds(terms: tuple[Term, ...], seen: Mapping[UUID, Sample]) -> bool | None:
    """One that is so decides; else one that does not tell leaves it open."""
    answers = [holds(term, seen) for term in terms]
    return True if True in answers else None if None in answers else False


def unheard(terms: tuple[Term, ...], seen: Mapping[UUID, Sample]) -> bool:
    """Is one of their tags still to be read, after a start or a lost link?"""
    return any((sample := seen.get(term.tag)) is None or sample.quality is SILENT for term in terms)
