"""Errors are sentences: a stable code, what happened, what is safe, what to do.

The domain raises them and knows no status codes; `kit/http.py` shows every one of them with one partial.
"""

from typing import ClassVar


def N_(message: str) -> str:  # noqa: N802  (gettext's own name for "translate later")
    """Mark a message for the catalogues; it is translated when it is shown."""
    return message


class DomainError(Exception):
    """Something a person must be told in words. Subclasses set `code` and `message`.

    `message` is an English msgid with %(name)s holes, filled from the keyword arguments.
    `status` is what HTTP calls this kind of refusal; the domain itself never looks at it.
    """

    code: ClassVar[str] = "pullcord.refused"
    message: ClassVar[str] = N_("This was refused. Nothing was changed. Go back and try again.")
    status: ClassVar[int] = 409

    def __init__(self, **details: object) -> None:
        super().__init__(self.code)
        self.details = details

    def __str__(self) -> str:
        return f"{self.code}: {self.message % self.details if self.details else self.message}"


class NotFound(DomainError):
    code = "pullcord.not_found"
    message = N_("This page does not exist here. Nothing was changed. Scan a station label or go to the queue.")
    status = 404


class NotAllowed(DomainError):
    code = "pullcord.not_allowed"
    message = N_("Your role cannot do this. Nothing was changed. Ask your team lead.")
    status = 403


class BadInput(DomainError):
    code = "pullcord.bad_input"
    message = N_("We could not read what was sent. Nothing was stored. Go back, check the form and send it again.")
    status = 400
