"""Names before rows: every id is a UUIDv7 made by whoever speaks first, so it is the idempotency key too."""

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """Return a fresh, time-ordered id."""
    return uuid7()
