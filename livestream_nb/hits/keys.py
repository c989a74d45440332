"""One key of the records and what was seen there: a branch or a leaf of the catalogue's tree."""

import json
from typing import TYPE_CHECKING

from livestream_nb.hits.sketch import Distinct
from livestream_nb.hits.values import text

if TYPE_CHECKING:
    from livestream_nb.hits.fields import Column

LONGEST_KEY = 100
LONGEST_EXAMPLE = 80

_TYPES: dict[type, str] = {
    str: "string",
    int: "integer",
    float: "number",
    bool: "boolean",
    type(None): "null",
    list: "list",
    dict: "object",
}


class Key:
    """A key, with the keys below it.

    Parameters
    ----------
    parent : Key, optional
        The key that it is below; the root has none.
    name : str, optional
        Its name there; None stands for all items of a list.

    Attributes
    ----------
    name : str
        How it is shown, with the keys above it, such as ``products[].name``.
    path : tuple of str or None
        The keys that lead to it; None where a list is.
    children : dict of str or None to Key
        The keys below it.
    types : set of type
        The Python types of its JSON values.
    filled : int
        How many records have a value here that is neither null nor blank.
    column : Column or None
        The column that holds it.
    held : bool
        The frame of hits has it.
    """

    __slots__ = (
        "_distinct", "_example", "_latest", "children", "column", "filled", "held", "name", "path",
        "types",
    )  # fmt: skip

    def __init__(self, parent: "Key | None" = None, name: str | None = None) -> None:
        self.name = parent.naming(name) if parent else name or ""
        self.path: tuple[str | None, ...] = (*parent.path, name) if parent else ()
        self.children: dict[str | None, Key] = {}
        self.types: set[type] = set()
        self.filled = 0
        self.column: Column | None = None
        self.held = False
        self._latest = -1
        self._distinct = Distinct()
        self._example: str | None = None

    def naming(self, name: str | None) -> str:
        """How a key below this one is shown."""
        if name is None:
            return f"{self.name}[]"
        short = name if len(name) <= LONGEST_KEY else f"{name[:LONGEST_KEY]}…"
        shown = json.dumps(short) if _is_blank(short) else short
        return f"{self.name}.{shown}" if self.name else shown

    def note(self, value: object, record: int) -> None:
        """See a value here, in the record of that number."""
        self.types.add(type(value))
        if _is_blank(value):
            return
        if self._latest != record:
            self._latest = record
            self.filled += 1
        shown = value if isinstance(value, str) else _shown(value)
        self._distinct.add(shown)
        if self._example is None:
            self._example = shown[:LONGEST_EXAMPLE]

    @property
    def is_listed(self) -> bool:
        """Values were seen here: not nothing but what has keys of its own below."""
        return bool(self.filled or (self.types and not self.children))

    def row(self, sampled: int) -> tuple[object, ...]:
        """A row of the catalogue, when so many records were looked into."""
        return (
            text(self.name),
            " | ".join(sorted(_TYPES[kind] for kind in self.types)),
            self.filled / sampled,
            self._distinct.estimate(),
            None if self._example is None else text(self._example),
            self.column and self.column.name,
            self.held,
            self.column and self.column.meaning,
            sampled,
        )


def _is_blank(value: object) -> bool:
    if isinstance(value, str):
        return not value or value.isspace()
    return value is None or value == [] or value == {}


def _shown(value: object) -> str:
    if type(value) is int:
        return str(value)
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply to show"
