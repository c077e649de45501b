"""Structured logs on standard error: for people by default, as JSON for a collector. No body, no token, no address."""

import logging
import sys
from typing import Any

import structlog


def configure(kind: str) -> None:
    """Send structlog and the standard library's logging the same way."""
    last: Any = structlog.processors.JSONRenderer() if kind == "json" else _readable()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, last] if kind == "json" else [*shared, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    foreign = structlog.stdlib.ProcessorFormatter(processor=last, foreign_pre_chain=shared)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(foreign)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)


def _readable() -> Any:
    # The plain traceback: a rich one prints the values of variables, secrets among them, and takes seconds.
    return structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
