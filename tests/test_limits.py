"""Limits: whatever a service sends, a reader takes so much of it, keeps little, and reads on."""

import gzip
import socket
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livestream_nb import Clock, Reader, Simulator
from livestream_nb.errors import StreamFailed
from tests.plain import until
from tests.scripted import (
    HEAD,
    Answer,
    Scripted,
    hits,
    hold,
    lines,
    record,
    redirect,
    refuse,
    stream,
)
from tests.test_killed import Kernel

SOON = 20.0
MEGABYTE = 1_000_000
MOST = 64 * MEGABYTE
CAP = 4 << 20

MEASURED = """
import sys
from pathlib import Path
from livestream_nb import Clock, Reader

def used(name):
    text = Path("/proc/self/status").read_text()
    return int(text.split(name + ":")[1].split()[0]) * 1024

def forget_peak():
    Path("/proc/self/clear_refs").write_text("5")
    return used("VmRSS")

url, token = sys.argv[1:]
reader = Reader(url, token=token, clock=Clock(600))
print("ready", flush=True)
for line in sys.stdin:
    print(repr(eval(line)), flush=True)
"""


class Measured(Kernel):
    """A reader in a process of its own, so that its memory is nobody else's."""

    def start(self, hits: int = 1) -> None:
        """Read a hit and look at all there is, so that everything that is needed once is there."""
        super().start(hits)
        self("(reader.hits(), reader.gaps(), reader.quarantine(), reader.status) and None")
        self.before = self("forget_peak()")

    def until(self, condition: str) -> None:
        until(lambda: self(condition), SOON)

    @property
    def grown(self) -> int:
        """By how many bytes memory was larger at its peak than before."""
        return self("used('VmHWM')") - self.before


@pytest.fixture
def measured() -> Iterator[Callable[[str, str], Measured]]:
    made: list[Measured] = []

    def make(url: str, token: str) -> Measured:
        made.append(Measured(MEASURED, url, token))
        return made[-1]

    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("a peak can be measured on Linux only")
    yield make
    for each in made:
        each.end()


def test_memory_under_bombs(measured) -> None:
    """Records of 200 MB each, a few hundred kB on the wire, take less than 64 MB of memory."""
    with Simulator(speed=60, rate=5) as sim:
        subject = measured(sim.stream_url, sim.token)
        subject.start()
        for count in (1, 2):
            assert sim.bomb(200) == 1
            subject.until(f"reader.status.quarantined == {count}")
        assert subject("[len(raw) for raw in reader.quarantine()['raw']]") == [64 << 10] * 2
        seen = subject("reader.status.hits")
        subject.until(f"reader.status.hits > {seen}")
        assert 0 < subject.grown < MOST
        assert subject("reader.timeline()['state'].to_list()") == ["connecting", "streaming"]


def much(piece: bytes, megabytes: int) -> Answer:
    """A hit, then so much of a piece over and over, in few bytes, then another hit."""
    packer = zlib.compressobj(wbits=31)
    block = piece * (MEGABYTE // len(piece))
    parts = [packer.compress(lines(record(1))) + packer.flush(zlib.Z_SYNC_FLUSH)]
    parts += [packer.compress(block) for _ in range(megabytes)]
    parts += [packer.compress(lines(b"", record(2))) + packer.flush()]
    return stream(*filter(None, parts), end="hold")


@pytest.mark.parametrize(
    ("piece", "megabytes", "quarantined"),
    [
        (b"\r\n", 30, 0),
        (b" ", 100, 1),
        (b"x" * 9_999 + b"\n", 100, 10_000),
        (b'{"a":' * 99_999 + b"\n", 100, 200),
    ],
    ids=["empty records", "one record", "bad records", "deep records"],
)
def test_memory_under_a_flood(
    piece: bytes, megabytes: int, quarantined: int, measured: Callable[[str, str], Any]
) -> None:
    """100 MB, or 15 million lines, of what is no hit take less than 64 MB, and hide none."""
    with Scripted(much(piece, megabytes)) as service:
        subject = measured(service.url, "t")
        subject.start()
        subject.until("reader.status.hits == 2")
        assert subject("reader.status.quarantined") == quarantined
        assert subject.grown < MOST


def test_memory_under_a_bomb_of_a_refusal(measured) -> None:
    """A refusal whose body unpacks to 300 MB is a refusal, however often it comes."""
    bomb = refuse(503, gzip.compress(bytes(300 * MEGABYTE)), Content_Encoding="gzip")
    with Scripted(hits(1), *[bomb] * 3, hits(2, end="hold")) as service:
        subject = measured(service.url, "t")
        subject.start()
        subject.until("reader.status.hits == 2")
        assert subject.grown < MOST // 4
        assert subject("reader.timeline()['reason'].to_list()[4]") == "unavailable"
        assert subject("max(len(each) for each in reader.timeline()['sentence'])") < 1_000


def reader(service: Scripted, **options: Any) -> Reader:
    return Reader(service.url, token="t", clock=Clock(600), **options)


def test_record_that_is_too_long() -> None:
    """A record of more than 4 MiB, line ending included, is quarantined; its neighbours stay."""
    longest, longer = (record(n, pageName="x" * CAP) for n in (2, 3))
    longest["pageName"] = longest["pageName"][: CAP - len(lines(longest)[:-1])]
    packed = gzip.compress(lines(record(1), longest, longer, record(4)))
    with Scripted(stream(packed, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=3, timeout=SOON)
        assert subject.hits()["hitIdLow"].to_list() == [1, 2, 4]
        reason, text, raw = subject.quarantine().select("reason", "text", "raw").row(0)
        assert reason == f"longer than 4 MiB: {len(lines(longer)) - 1:,} bytes"
        assert text.startswith('{"hitIdHigh"')
        assert len(raw) == 64 << 10


def flood(data: bytes) -> Answer:
    def answer(connection: socket.socket, here: str) -> None:
        connection.sendall(data)
        hold(connection, here)

    return answer


@pytest.mark.parametrize(
    "data",
    [
        b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: x\r\n" * 50_000,
        b"HTTP/1.1 302 Found\r\nLocation: /" + b"x" * 300_000,
        HEAD + b"1" * 300_000,
        HEAD + b"1;" + b"x" * 300_000,
        HEAD + b"0\r\n" + b"X: x\r\n" * 50_000,
    ],
    ids=["status line", "header", "headers", "location", "chunk size", "extension", "trailers"],
)
def test_head_without_end(data: bytes) -> None:
    """A head, a chunk's head or trailers without end: the connection is given up, and replaced."""
    with Scripted(flood(data), hits(1, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=1, timeout=SOON)
        lost = subject.timeline().filter(pl.col("state") == "cooldown")
        assert lost["reason"].to_list() == ["dropped"]
        assert lost["seconds"][0] >= 60
        assert len(lost["sentence"][0]) < 300


def chain(hops: int) -> list[Answer]:
    return [redirect(f"{{here}}/hop/{n}") for n in range(hops)]


def test_five_redirects() -> None:
    """Five redirects in a row are followed."""
    with Scripted(*chain(5), hits(1, end="hold")) as service, reader(service) as subject:
        subject.wait(hits=1, timeout=SOON)
        assert len(service.requests) == 6


def test_six_redirects() -> None:
    """A sixth redirect in a row stops the reader, and nothing is sent there."""
    with Scripted(*chain(6), hits(1, end="hold")) as service, reader(service) as subject:
        with pytest.raises(StreamFailed, match="More than 5 redirects in a row") as failed:
            subject.wait(hits=1, timeout=SOON)
        assert (failed.value.cause, subject.status.state) == ("misdirected", "failed")
        assert len(service.requests) == 6
