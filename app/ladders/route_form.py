"""Routes as a form, like ladders: nothing is stored between clicks. Pure.

Fields of route 2 are called `name.2`, `place.2` (`line=<id>`), `category.2`, `severity.2`, `shift.2`, `who.2`, `add.2`,
`person.2`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias
from uuid import UUID

from pydantic import ValidationError

from app.flows.document import Audience
from app.flows.routing import Route
from app.kit.errors import N_, BadInput, DomainError
from app.ladders.form import Fields, NobodyByThatName, audience, grouped

MOST_ROUTES = 500
PLACES = ("area", "line", "station")


class EmptyRoute(DomainError):
    code = "ladder.empty_route"
    message = N_("Route %(step)s calls nobody. Nothing was published. Add somebody to it, or remove the route.")
    status = 400


class TooManyRoutes(DomainError):
    code = "ladder.too_many_routes"
    message = N_("There are at most %(most)s routes. Nothing was changed. Remove one before you add another.")
    status = 400


Draft: TypeAlias = dict[str, Any]
"""A route as it stands in the form; it may not call anybody yet."""

EMPTY: Draft = {"name": "", "categories": (), "severities": (), "shifts": (), "call": ()}


def drafts(routes: Sequence[Route]) -> list[Draft]:
    return [EMPTY | route.model_dump(exclude_none=True) | {"call": route.call} for route in routes]


def read(fields: Fields, people: Mapping[str, UUID]) -> list[Draft]:
    """Return the routes of a form that came in.

    Raises:
        BadInput, NobodyByThatName, TooManyRoutes
    """
    sent = grouped(fields)
    if len(sent) > MOST_ROUTES:
        raise TooManyRoutes(most=MOST_ROUTES)
    return [_route(n, given, people) for n, (_, given) in enumerate(sorted(sent.items()), 1)]


def change(routes: Sequence[Draft], do: str) -> list[Draft]:
    """Return the routes after `add`, `remove:<n>`, `up:<n>` or `down:<n>`, counted from 1."""
    what, _, which = do.partition(":")
    found = list(routes)
    if what == "add":
        if len(found) >= MOST_ROUTES:
            raise TooManyRoutes(most=MOST_ROUTES)
        return [*found, EMPTY]
    place = int(which) - 1 if which.isdecimal() and len(which) < 4 else -1
    other = place + {"up": -1, "down": 1}.get(what, 0)
    if 0 <= place < len(found):
        if what == "remove":
            del found[place]
        elif 0 <= other < len(found):
            found[place], found[other] = found[other], found[place]
    return found


def routes(found: Sequence[Draft]) -> list[Route]:
    """Return what would be published.

    Raises:
        BadInput, EmptyRoute
    """
    for n, draft in enumerate(found, 1):
        if not draft["call"]:
            raise EmptyRoute(step=n)
    try:
        return [Route.model_validate(draft) for draft in found]
    except ValidationError as wrong:
        raise BadInput() from wrong


def _route(number: int, given: Mapping[str, list[str]], people: Mapping[str, UUID]) -> Draft:
    words = [word for word in [*given.get("who", ()), *given.get("add", ())] if word]
    called = [audience(word) for word in words]
    for name in filter(None, map(str.strip, given.get("person", ()))):
        if name not in people:
            raise NobodyByThatName(step=number, name=name)
        called.append(Audience(person=people[name]))
    kind, _, place = given.get("place", [""])[0].partition("=")
    try:
        draft: Draft = {
            "name": given.get("name", [""])[0].strip()[:80],
            "categories": tuple(given.get("category", ())),
            "severities": tuple(int(one) for one in given.get("severity", ())),
            "shifts": tuple(UUID(one) for one in given.get("shift", ())),
            "call": tuple(dict.fromkeys(called)),
        }
        return draft | ({kind: UUID(place)} if kind in PLACES else {})
    except ValueError as wrong:
        raise BadInput() from wrong
