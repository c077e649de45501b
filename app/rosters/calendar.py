"""Somebody's shifts as an iCalendar feed, for the calendar of their own phone. Pure.

Times are in UTC: every calendar shows them in its own zone, and the nights on which the clock jumps stay as long as
they are. A duty keeps its name when it is moved, so a calendar moves it too.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.kit.i18n import named
from app.people.models import Person
from app.rosters.own import Turn

LOOK_AGAIN = timedelta(hours=1)


def feed(person: Person, turns: Sequence[Turn], *, now: datetime) -> bytes:
    """Return the calendar, in the language of whoever is being answered."""
    from icalendar import Calendar, Event

    calendar = Calendar()
    calendar.add("prodid", "-//Pullcord//Roster//EN")
    calendar.add("version", "2.0")
    calendar.add("x-wr-calname", f"Pullcord · {person.name}")
    calendar.add("refresh-interval", LOOK_AGAIN, parameters={"VALUE": "DURATION"})
    for turn in turns:
        event = Event()
        event.add("uid", f"{turn.duty.id}@pullcord")
        event.add("dtstamp", now)
        event.add("dtstart", turn.when.begins)
        event.add("dtend", turn.when.ends)
        event.add("summary", named(turn.shift.names))
        calendar.add_component(event)
    return bytes(calendar.to_ical())
