"""Hits that were recorded before: their ids, sorted, and who brought each."""

from collections.abc import Sequence

import polars as pl

from livestream_nb.hits.repeats import Spell

SCHEMA: dict[str, pl.DataType] = {
    "hitIdHigh": pl.UInt64(),
    "hitIdLow": pl.UInt64(),
    "spell": pl.UInt32(),
}


class Known:
    """The ids of recorded hits: some 20 bytes each, found without a loop. Never changes.

    Parameters
    ----------
    hits : polars.DataFrame
        ``hitIdHigh``, ``hitIdLow`` (UInt64) and ``spell`` (UInt32): by whom, as a place in
        ``spells``. Rows with a null in an id count for nothing.
    spells : sequence of Spell
        The open connections that had brought them.
    """

    def __init__(self, hits: pl.DataFrame, spells: Sequence[Spell]) -> None:
        ordered = hits.select(SCHEMA.keys()).drop_nulls(["hitIdHigh", "hitIdLow"]).sort("hitIdLow")
        self._high, self._low, self._spell = ordered.get_columns()
        self._spells = tuple(spells)

    def __len__(self) -> int:
        return len(self._low)

    def owners(self, high: pl.Series, low: pl.Series) -> dict[int, Spell]:
        """Of these hits those that are known, each (``high << 64 | low``) with who brought it."""
        first = self._low.search_sorted(low, side="left")
        end = self._low.search_sorted(low, side="right")
        found = (end > first).arg_true()
        owners: dict[int, Spell] = {}
        for row in found.to_list():
            one, other = high[row], low[row]
            if one is None or other is None:
                continue
            for place in range(first[row], end[row]):
                if self._high[place] == one:
                    owners[one << 64 | other] = self._spells[self._spell[place]]
        return owners
