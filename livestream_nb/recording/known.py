"""Which hits a recording has: the latest, to tell duplicates across restarts."""

from collections.abc import Sequence

import polars as pl

from livestream_nb.connection.timeline import Phase, Transition
from livestream_nb.hits.fields import UTC_TIME
from livestream_nb.hits.known import SCHEMA, Known
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.journal import Journal
from livestream_nb.recording.parquet import collect, is_whole, read

OPENED = (Cause.OPENED, Cause.SKIPPED)
AT_ONCE = 16
_IDS: dict[str, pl.DataType] = {
    "hitIdHigh": pl.UInt64(),
    "hitIdLow": pl.UInt64(),
    "arrived": UTC_TIME,
    "connection": pl.UInt8(),
}


def known_hits(folder: Folder, window: int) -> Known:
    """The latest hits that are sealed, by segments: so many at least, if there are.

    Raises
    ------
    RecordingError
        When a file of the recording cannot be read.
    """
    hits = _latest(folder, window)
    spells = _spells(Journal(folder).entries())
    numbered = pl.DataFrame(
        [(spell.connection, spell.opened, number) for number, spell in enumerate(spells)],
        schema={"connection": pl.UInt8(), "opened": pl.Float64(), "spell": pl.UInt32()},
        orient="row",
    )
    arrived = pl.col("arrived").dt.timestamp("us") / 1e6
    owned = (
        hits.with_columns(arrived=arrived)
        .sort("arrived")
        .join_asof(
            numbered.sort("opened"),
            left_on="arrived",
            right_on="opened",
            by="connection",
            check_sortedness=False,
        )
        .with_columns(pl.col("spell").fill_null(0))
    )
    return Known(owned.select(SCHEMA.keys()), spells)


def _latest(folder: Folder, window: int) -> pl.DataFrame:
    spooled = set(folder.segments())
    found = [pl.DataFrame(schema=_IDS)]
    sealed = folder.sealed()
    numbers = sorted((number for number in sealed if number not in spooled), reverse=True)
    for first in range(0, len(numbers), AT_ONCE):
        paths = [path for number in numbers[first : first + AT_ONCE] for path in sealed[number]]
        whole = [path for path in paths if is_whole(path)]
        found.append(collect(read(whole, _IDS), whole, _IDS, folder.path))
        if sum(frame.height for frame in found) >= window:
            break
    return pl.concat(found)


def _spells(entries: Sequence[Transition]) -> list[Spell]:
    """When connections opened; before them one for hits of which that is not known."""
    opened = (
        Spell(entry.connection, entry.at)
        for entry in entries
        if entry.state is Phase.STREAMING and entry.reason in OPENED
    )
    return [Spell(0, 0.0), *opened]
