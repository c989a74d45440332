"""The newest records that are no hits, with where they came from and why they were refused."""

from collections import deque

import polars as pl

from livestream_nb.hits.fields import UTC_TIME
from livestream_nb.hits.records import Rejected

KEPT_RECORDS = 1_000
KEPT_BYTES = 64 * 1024

_SCHEMA: dict[str, pl.DataType] = {
    "arrived": UTC_TIME,
    "connection": pl.UInt8(),
    "reason": pl.String(),
    "text": pl.String(),
    "raw": pl.Binary(),
}
_PHYSICAL = _SCHEMA | {"arrived": pl.Int64()}


class Quarantine:
    """Keeps the newest 1,000 rejected records. Not safe to share between threads."""

    def __init__(self) -> None:
        self._records: deque[tuple[int, int, Rejected]] = deque(maxlen=KEPT_RECORDS)

    def add(self, connection: int, arrived: float, rejected: Rejected) -> None:
        """Keep a record, of a long one the first 64 KiB."""
        short = Rejected(bytes(rejected.raw[:KEPT_BYTES]), rejected.reason)
        self._records.append((round(arrived * 1e6), connection, short))

    def frame(self) -> pl.DataFrame:
        r"""The kept records.

        Returns
        -------
        polars.DataFrame
            One row per record, the oldest first: ``arrived`` (Datetime, microseconds, UTC),
            ``connection`` (UInt8), ``reason`` (String), ``text`` (String; bytes that are no UTF-8
            shown as ``\xNN``), ``raw`` (Binary, at most 64 KiB).
        """
        rows = [
            (arrived, number, kept.reason, kept.raw.decode(errors="backslashreplace"), kept.raw)
            for arrived, number, kept in self._records
        ]
        return pl.DataFrame(rows, schema=_PHYSICAL, orient="row").cast({"arrived": UTC_TIME})
