"""The only place that reads the clock. Everything else is told what time it is."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return this moment, aware, in UTC."""
    return datetime.now(UTC)
