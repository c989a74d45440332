"""The raw records of sealed hits: one per line in the order of the rows, packed by zstd.

Records of one site repeat each other over long stretches, so the packer looks back 16 MiB: that
makes a third of what a column of Parquet does, in a fifth of the time.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import zstandard

from livestream_nb.recording.files import ASIDE, settle

LEVEL = 3
WINDOW = 24
"""The stretch to look back, as a power of 2."""


def raw_path(hits: Path) -> Path:
    """Where the records lie of a file of hits."""
    hour, day = hits.parent, hits.parents[1]
    return hits.parents[3] / "raw" / day.name / hour.name / f"{hits.stem}.ndjson.zst"


def write_raw(records: Sequence[bytes], path: Path) -> None:
    """Write records aside, sync them, and put them in their place.

    Raises
    ------
    OSError
        When that is not possible.
    """
    parameters = zstandard.ZstdCompressionParameters.from_level(
        LEVEL, window_log=WINDOW, enable_ldm=True, write_checksum=True
    )
    packed = zstandard.ZstdCompressor(compression_params=parameters).compress(
        b"".join([line for record in records for line in (record, b"\n")])
    )
    aside = path.with_name(path.name + ASIDE)
    with aside.open("wb") as file:
        file.write(packed)
        file.flush()
        os.fsync(file.fileno())
    settle(aside, path)


def read_raw(path: Path) -> bytes:
    """Records as they were written, each with a newline after it.

    Raises
    ------
    OSError
        When the file cannot be read.
    zstandard.ZstdError
        When it is damaged.
    """
    return zstandard.ZstdDecompressor().decompress(path.read_bytes())
