"""What is forgotten by itself."""

from datetime import datetime

from sqlmodel import Session, col, delete

from app.people.models import Login


def forget_old_logins(session: Session, *, now: datetime) -> int:
    """Delete the sessions that have ended; return how many."""
    gone = session.execute(delete(Login).where(col(Login.expires_at) <= now))
    return int(gone.rowcount)  # type: ignore[attr-defined]
