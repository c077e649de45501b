"""Publishing ladders and routes: always a new version, and never over what somebody else has published meanwhile."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session

from app.flows import actions as flows
from app.flows import queries
from app.flows.document import FlowDocument, Ladder
from app.flows.routing import ROUTES, Route
from app.flows.staffed import require_staffed
from app.kit.errors import N_, DomainError, NotAllowed, NotFound
from app.people.models import Person, Role


class ChangedMeanwhile(DomainError):
    code = "ladder.changed_meanwhile"
    message = N_(
        "%(by)s has published another version since you opened this page. Yours was not published. "
        "Open the page again and make your change there."
    )


def may_publish(person: Person) -> bool:
    """Tell whether somebody may change who is called; team leads and engineers may look."""
    return person.role.rank >= Role.MANAGER.rank


def publish_ladder(
    session: Session,
    categories: Collection[str],
    severity: int,
    ladder: Ladder,
    *,
    base: int,
    by: Person,
    now: datetime,
) -> None:
    """Make `ladder` what new anomalies of these categories and this severity get. Running ones keep theirs.

    `base` is the version of the first category the change was made on.

    Raises:
        NotAllowed, NotFound, ChangedMeanwhile
        NoLastStep, NotAlwaysStaffed: the ladder has no last step that always reaches somebody.
    """
    _refuse(by)
    current = {document.category: document for _, document in queries.current(session)}
    for place, category in enumerate(categories):
        if category not in current:
            raise NotFound()
        if place == 0:
            latest = queries.versions(session, category)[0]
            _unchanged(latest.number, base, latest.published_by)
        changed = with_ladder(current[category], severity, ladder)
        require_staffed(session, changed, [severity], now=now)
        flows.publish(session, changed, by=by.name, now=now)


def take_again(session: Session, category: str, number: int, *, by: Person, now: datetime) -> None:
    """Publish the ladders of an older version once more, as a new version. All else of the flow stays as it is.

    Raises:
        NotAllowed, NotFound
    """
    _refuse(by)
    current = {document.category: document for _, document in queries.current(session)}
    old = next((one for one in queries.versions(session, category) if one.number == number), None)
    if old is None or category not in current:
        raise NotFound()
    ladders = FlowDocument.model_validate(old.document).ladders
    flows.publish(session, current[category].model_copy(update={"ladders": ladders}), by=by.name, now=now)


def publish_routes(session: Session, routes: Sequence[Route], *, base: int, by: Person, now: datetime) -> None:
    """Make these the routes, for running anomalies too: they are asked when a rung rings.

    Raises:
        NotAllowed, ChangedMeanwhile
    """
    _refuse(by)
    versions = queries.routing_versions(session)
    if versions:
        _unchanged(versions[0].number, base, versions[0].published_by)
    flows.publish_routing(session, routes, by=by.name, now=now)


def take_routes_again(session: Session, number: int, *, by: Person, now: datetime) -> None:
    """Publish an older version of the routes once more.

    Raises:
        NotAllowed, NotFound
    """
    _refuse(by)
    old = next((one for one in queries.routing_versions(session) if one.number == number), None)
    if old is None:
        raise NotFound()
    flows.publish_routing(session, ROUTES.validate_python(old.document), by=by.name, now=now)


def with_ladder(document: FlowDocument, severity: int, ladder: Ladder) -> FlowDocument:
    """Return the flow with another ladder for one severity, checked as when it is read."""
    ladders = {**document.ladders, severity: ladder}
    return FlowDocument.model_validate(document.model_dump() | {"ladders": {n: ladders[n] for n in sorted(ladders)}})


def _refuse(person: Person) -> None:
    if not may_publish(person):
        raise NotAllowed()


def _unchanged(number: int, base: int, by: str) -> None:
    if number != base:
        raise ChangedMeanwhile(by=by or "Pullcord")
