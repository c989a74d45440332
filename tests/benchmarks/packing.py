"""Hits packed into feeds: the simulator's records, as its wire packs them.

Records of 3.7 kB, gzip level 1, flushed after each chunk, and an empty record now and then.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import Any

from isal import isal_zlib

from livestream_nb.hits.columns import resolve
from livestream_nb.simulator.share import WHOLE
from livestream_nb.simulator.traffic import Traffic
from tests.benchmarks.feed import Index, chunk

SIZE, RATE, BEGAN = 3_700, 50_000.0, 1_800_000_000.0
GZIP = 31
MADE = 256  # records made at a time
CYCLE = 8_192  # lean records that differ in more than their ids
BLANK = 512  # an empty record comes after so many

Records = Iterator[bytes]


def full() -> Records:
    """Yield the simulator's records, without end."""
    traffic = Traffic(seed=1, rate=RATE, record_size=SIZE)
    for first in count(0, MADE):
        moments = [BEGAN + time for time in traffic.times(first, first + MADE, WHOLE)]
        yield from traffic.records(first, first + MADE, WHOLE, moments)


def lean() -> Records:
    """Yield records that have the default columns only: the same frame, made and read sooner.

    Their ids are all distinct; the rest of them begins again after a while.
    """
    tails = [_tail(json.loads(record)) for record in islice(full(), CYCLE)]
    traffic = Traffic(seed=2, rate=RATE, record_size=SIZE)
    for first in count(0, CYCLE):
        ids = traffic.identities(first, first + CYCLE, WHOLE, [BEGAN] * CYCLE)
        for high, low, tail in zip(ids.high, ids.low, tails, strict=True):
            yield b'{"hitIdHigh":%d,"hitIdLow":%d,%b' % (high, low, tail)


def _tail(record: dict[str, Any]) -> bytes:
    """A record's default columns after the hit's id."""
    wanted = {column.path[0] for column in resolve(None)} - {"hitIdHigh", "hitIdLow"}
    kept = {key: value for key, value in record.items() if key in wanted}
    kept["evars"] = {"evars": {"campaign": record["evars"]["evars"].get("campaign")}}
    return json.dumps(kept, separators=(",", ":"), ensure_ascii=False).encode()[1:]


FEEDS: dict[str, tuple[Callable[[], Records], int]] = {
    "bulk": (full, 256),
    "single": (full, 1),
    "steady": (full, 20),  # every 20 ms of 1,000 hits a second
    "brisk": (full, 200),  # every 20 ms of 10,000 hits a second
    "lean": (lean, 256),
}
"""What each feed's records are, and how many are in a chunk."""


def prepare(directory: Path, name: str, hits: int) -> None:
    """Pack at least so many hits of a feed into a file, as they will be on the wire."""
    make, most = FEEDS[name]
    packer = isal_zlib.compressobj(1, isal_zlib.DEFLATED, GZIP)
    index, end, total, size, checksum = Index(), 0, 0, 0, 0
    records = make()
    with (directory / f"{name}.wire").open("wb") as file:
        while total < hits:
            lines = islice(records, most)
            total += most
            blank = total % BLANK == 0
            data = b"\r\n".join([*lines, *[b""] * (1 + blank)])
            end += file.write(chunk(packer.compress(data) + packer.flush(isal_zlib.Z_SYNC_FLUSH)))
            size, checksum = size + len(data), isal_zlib.crc32(data, checksum)
            index.ends.append(end)
            index.hits.append(total)
            index.sizes.append(size)
            index.sums.append(checksum)
    (directory / f"{name}.json").write_text(json.dumps(asdict(index)))
