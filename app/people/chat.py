"""Which chat account is which person: said once, with a code that the chat shows and the person types here."""

import secrets
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, delete, select

from app.kit.errors import N_, DomainError
from app.kit.secret import digest
from app.people.addresses import keep_address
from app.people.models import Address, Person

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 6
LASTS: Final = timedelta(minutes=15)
LABELS: Final = {
    "dingtalk_stream": "DingTalk · 钉钉",
    "feishu_long": "Feishu · 飞书",
    "wecom_smart": "WeCom · 企业微信",
}


class BadCode(DomainError):
    code = "people.bad_chat_code"
    message = N_(
        "This code is not valid, or older than 15 minutes. Nothing was changed. "
        "Press Accept on a card in the chat once more and type the code it shows."
    )
    status = 400


class ChatCode(SQLModel, table=True):
    """What somebody in a chat was told to type, so that we know who they are."""

    __table_args__ = (UniqueConstraint("channel", "app", "chat_user"),)

    code: str = Field(primary_key=True, max_length=12)
    channel: str = Field(max_length=20)
    app: str = Field(max_length=100)
    chat_user: str = Field(max_length=200)
    made_at: datetime


def who(session: Session, channel: str, app: str, chat_user: str) -> Person | None:
    """Return whose chat account it is; None when nobody has said so."""
    which = (
        select(Person)
        .join(Address, col(Address.person_id) == col(Person.id))
        .where(
            Address.channel == channel,
            Address.fingerprint == digest(_unique(app, chat_user)),
            col(Address.gone_at).is_(None),
            col(Person.left_at).is_(None),
        )
    )
    return session.exec(which).first()


def code_for(session: Session, channel: str, app: str, chat_user: str, *, now: datetime) -> str:
    """Return a fresh code for a chat account; older ones are worth nothing any more."""
    mine = col(ChatCode.channel) == channel, col(ChatCode.app) == app, col(ChatCode.chat_user) == chat_user
    session.execute(delete(ChatCode).where(*mine))
    session.execute(delete(ChatCode).where(col(ChatCode.made_at) < now - LASTS))
    code = "".join(secrets.choice(LETTERS) for _ in range(LENGTH))
    session.add(ChatCode(code=code, channel=channel, app=app, chat_user=chat_user, made_at=now))
    return code


def bind(session: Session, person: Person, code: str, *, now: datetime) -> Address:
    """Let the chat account behind a code be this person's: it may accept for them, and is called.

    Raises:
        BadCode
    """
    found = session.get(ChatCode, "".join(code.upper().split()).replace("-", ""))
    if found is None or found.made_at < now - LASTS:
        raise BadCode()
    target = {"app": found.app, "user": found.chat_user}
    unique, label = _unique(found.app, found.chat_user), LABELS[found.channel]
    session.delete(found)
    return keep_address(session, person, found.channel, target, unique=unique, label=label, now=now)


def _unique(app: str, chat_user: str) -> str:
    return f"{app}:{chat_user}"
