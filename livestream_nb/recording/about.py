"""What a recording says of itself."""

from typing import Any

from msgspec import Struct

from livestream_nb.clock import Clock
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.fields import Column

FORMAT = 1


class About(Struct, frozen=True, forbid_unknown_fields=False):
    """What a recording says of itself. Nothing in it is secret.

    Attributes
    ----------
    stream : str
        The stream's key: host, port if there is one, and name.
    name : str
        The stream's name.
    columns : list of str
        The columns of the sealed hits, without ``arrived`` and ``connection``.
    raw : bool
        Whether the raw records are kept.
    mask : dict or None
        How values were masked, and a fingerprint of the key; None: not at all.
    rate, origin : float
        The clock of the last writer: see `Clock`.
    connections : int
        How many slots of the stream the last writer read.
    version : str
        The version of livestream_nb that made it.
    format : int
        The version of this layout.
    """

    stream: str
    name: str
    columns: list[str]
    raw: bool
    mask: dict[str, Any] | None
    rate: float
    origin: float
    connections: int
    version: str
    format: int = FORMAT

    @property
    def resolved(self) -> tuple[Column, ...]:
        """The columns themselves."""
        return resolve(self.columns)

    @property
    def clock(self) -> Clock:
        """The last writer's clock."""
        return Clock(self.rate, self.origin)


class Made(Struct, frozen=True):
    """What every layout has of `About`."""

    version: str
    format: int


def differing(there: About, about: About) -> str:
    """What is not the same of a recording that is there and one that is to be, in words."""
    told = [
        f"{name} is {_said(there, name)} there, not {_said(about, name)}"
        for name in ("stream", "raw", "mask")
        if getattr(there, name) != getattr(about, name)
    ]
    for names, others, what in (
        (there.columns, about.columns, "it has columns that are not asked for"),
        (about.columns, there.columns, "columns are asked for that it has not"),
    ):
        if more := [name for name in names if name not in others]:
            told.append(f"{what}: {', '.join(more)}")
    return "; ".join(told)


def _said(about: About, name: str) -> str:
    value = getattr(about, name)
    return f"of the key {value['key']}" if isinstance(value, dict) else repr(value)
