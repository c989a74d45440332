"""From the sets and names that someone asks for to columns of the table in ``fields``."""

from collections.abc import Iterable
from difflib import get_close_matches

from livestream_nb.errors import InvalidOption, UnknownColumn
from livestream_nb.hits.fields import ALWAYS, COLUMNS, DEFAULT, DOCUMENTED, FAMILIES, Column

__all__ = ["SETS", "Column", "nearest", "resolve"]

SETS: dict[str, tuple[str, ...]] = {
    "default": DEFAULT,
    "documented": tuple(column.name for column in DOCUMENTED),
    "all": (*(column.name for column in DOCUMENTED), "evars", "props", "events"),
}
"""The names of the columns of each set, besides those that are always there."""

_INSTEAD = {
    "exclude": "whether a hit is excluded is in 'excluded'",
    "mvvars": "list variables are named singly: 'mvvar1', 'mvvar2', 'mvvar3'",
}
_APPENDED = ("arrived", "connection")


def resolve(columns: str | Iterable[str] | None) -> tuple[Column, ...]:
    """Columns for the sets and names that someone asked for.

    Parameters
    ----------
    columns : str, iterable of str or None
        ``"default"`` (also None), ``"documented"``, ``"all"``, a column's name, or several of
        these.

    Returns
    -------
    tuple of Column
        The columns that are always there, then what was asked for, in that order, each once.

    Raises
    ------
    UnknownColumn
        When no hit has such a column; names the nearest one that there is.
    InvalidOption
        When ``columns`` is not made of names.
    """
    names = [column.name for column in ALWAYS]
    for name in _names(columns):
        names += SETS.get(name, (name,))
    return tuple(_find(name) for name in dict.fromkeys(names) if name not in _APPENDED)


def _names(columns: object) -> list[str]:
    if columns is None:
        return ["default"]
    given = [columns]
    if isinstance(columns, Iterable) and not isinstance(columns, str):
        given = list(columns)
    names = [name for name in given if isinstance(name, str)]
    if len(names) < len(given):
        raise InvalidOption.value("columns", columns, "give names of columns, each a string")
    return names


def _find(name: str) -> Column:
    column = COLUMNS.get(name)
    if column is None:
        raise UnknownColumn(f"columns={name!r} is not possible: {_advice(name)}.")
    return column


def _advice(name: str) -> str:
    instead = _INSTEAD.get(name)
    if instead:
        return instead
    family = name.casefold().rstrip("0123456789")
    if family in FAMILIES and name.casefold() not in COLUMNS:
        return f"there are {family}1 to {family}{FAMILIES[family].last}"
    sets = ", ".join(map(repr, SETS))
    return f"no hit has it; {nearest(name, [*SETS, *COLUMNS])}, and the sets are {sets}"


def nearest(name: str, right: Iterable[str]) -> str:
    """Say which of the right names is the nearest to a wrong one.

    Parameters
    ----------
    name : str
        The wrong name.
    right : iterable of str
        The right names.
    """
    by_case = {candidate.casefold(): candidate for candidate in right}
    found = get_close_matches(name.casefold(), by_case, n=1, cutoff=0.0)
    return f"the nearest is {by_case[found[0]]!r}" if found else "there are none"
