"""Keeps out of other libraries' logs what quotes an answer: a service may repeat the token there.

httpx logs addresses, httpcore the heads of answers and what h11 objects to. Of this package's own
requests only that something has begun is let through; those of others are left alone.
"""

import logging
from contextvars import ContextVar

_ours: ContextVar[bool] = ContextVar("_ours", default=False)


def be_discreet() -> None:
    """From now on, in this task, keep answers out of the logs of httpx and httpcore."""
    _ours.set(True)


def _may_be_told(record: logging.LogRecord) -> bool:
    return not _ours.get() or record.getMessage().split(" ")[0].endswith(".started")


for _name in ("httpx", "httpcore.http11", "httpcore.proxy", "httpcore.socks"):
    logging.getLogger(_name).addFilter(_may_be_told)
