"""The shifts of a site: what they are called, when they begin and end."""

from datetime import datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlmodel import Session, col, select

from app.kit.errors import N_, BadInput, DomainError, NotFound
from app.kit.ids import new_id
from app.people.models import Person
from app.plant.models import Site
from app.rosters import queries
from app.rosters.actions import lock, overlap
from app.rosters.cells import AHEAD, clashes
from app.rosters.models import Duty, Shift

LONGEST_NAME, LONGEST_SIGN = 30, 4
DAY = timedelta(days=1)


class ShiftName(DomainError):
    code = "rosters.shift_name"
    message = N_(
        "A shift needs a name of at most %(most)s characters and a sign of one to %(sign)s that no other shift has. "
        "Nothing was stored. Write others."
    )
    status = 400


def set_shift(
    session: Session,
    shift_id: UUID | None,
    *,
    name: str,
    sign: str,
    starts: str,
    ends: str,
    by: Person,
    now: datetime,
) -> Shift:
    """Make a shift, or change one. In the site's wall clock; one that ends before or when it starts runs over midnight.

    Raises:
        ShiftName
        Overlap: with these hours somebody in the roster would work twice at once.
    """
    site = session.get_one(Site, by.site_id)
    shifts = {one.id: one for one in queries.shifts(session, site.id)}
    name, sign = name.strip(), sign.strip()
    taken = {one.mark.casefold() for one in shifts.values() if one.id != shift_id}
    if not (0 < len(name) <= LONGEST_NAME and 0 < len(sign) <= LONGEST_SIGN) or sign.casefold() in taken:
        raise ShiftName(most=LONGEST_NAME, sign=LONGEST_SIGN)
    if shift_id is not None and shift_id not in shifts:
        raise NotFound()
    shift = shifts.get(shift_id or new_id()) or Shift(site_id=site.id, names={}, starts=time(0), ends=time(0))
    if name not in shift.names.values():  # else it keeps what it is called in the other language
        shift.names = {"en": name, "zh": name}
    shift.sign, shift.starts, shift.ends = sign, _clock(starts), _clock(ends)
    if shift_id is not None:
        _check(session, shifts | {shift.id: shift}, ZoneInfo(site.timezone), now=now)
    session.add(shift)
    return shift


def _check(session: Session, shifts: dict[UUID, Shift], zone: ZoneInfo, *, now: datetime) -> None:
    """Make sure that nobody works twice at once from today on."""
    today = now.astimezone(zone).date()
    working = session.exec(select(Duty.person_id).where(col(Duty.day) >= today - DAY).distinct()).all()
    lock(session, sorted(working))
    coming = queries.cells(session, working, today - DAY, today + AHEAD)
    names = {person.id: person.name for person in queries.staff(session, next(iter(shifts.values())).site_id)}
    own = {at: ids for at, ids in coming.items() if at[0] in names}
    for clash in clashes(own, shifts, zone):
        raise overlap(names[clash.person_id], clash, shifts)


def _clock(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise BadInput() from None
