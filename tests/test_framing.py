"""protocol/framing.py"""

import gzip
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import HEAD, LONGEST_RECORD, STEP, Gunzip, Records

LINES = [json.dumps({"pageName": name, "n": n}).encode() for n, name in enumerate("abcde")]


def unpack(packed: bytes, size: int = 7) -> bytes:
    gunzip = Gunzip()
    parts = [packed[i : i + size] for i in range(0, len(packed), size)]
    return b"".join(piece for part in parts for piece in gunzip.feed(part))


def split(data: bytes, size: int) -> list[bytes]:
    block = cut(Records(), data, size)
    return [line for line in block.splitlines(keepends=False) if line]


def cut(records: Records, data: bytes, size: int) -> bytes:
    """All records of data that comes in pieces of a size, and then ends."""
    pieces = (data[i : i + size] for i in range(0, len(data), size))
    return b"".join([*map(records.cut, pieces), records.close()])


def test_several_members() -> None:
    """A gzip member that begins mid-stream is read like the first, wherever chunks are cut."""
    packed = gzip.compress(b"one\r\n") + gzip.compress(b"two\r\n") + gzip.compress(b"")
    for size in (1, 7, 1000):
        assert unpack(packed, size) == b"one\r\ntwo\r\n"


def test_flushed_part_is_readable() -> None:
    """What was flushed comes out before the member ends."""
    packer = zlib.compressobj(wbits=31)
    sent = packer.compress(b"a record\r\n") + packer.flush(zlib.Z_SYNC_FLUSH)
    assert unpack(sent) == b"a record\r\n"


def test_bomb_comes_in_steps() -> None:
    """A hundred megabytes from few bytes come in pieces of at most 4 MiB, all of them."""
    packed = gzip.compress(bytes(100 << 20))
    sizes = [len(piece) for piece in Gunzip().feed(packed)]
    assert max(sizes) == STEP
    assert sum(sizes) == 100 << 20


def test_nothing_waits_inside() -> None:
    """What was flushed comes out at once, also when it is a little longer than a step."""
    for size in range(STEP - 20, STEP + 600, 20):
        packer = zlib.compressobj(wbits=31)
        packed = packer.compress(bytes(size)) + packer.flush(zlib.Z_SYNC_FLUSH)
        assert sum(len(piece) for piece in Gunzip().feed(packed)) == size


@pytest.mark.parametrize(
    "data", [b"HTTP/1.1 200 OK", gzip.compress(b"x" * 999, mtime=0)[:-30] + b"?" * 40]
)
def test_damage_is_named(data: bytes) -> None:
    """Bytes that are not gzip, or are damaged, are a CorruptStream that says what comes next."""
    with pytest.raises(CorruptStream, match="reconnects after the cooldown"):
        unpack(data)


@given(st.integers(1, 40), st.sampled_from([b"\n", b"\r\n"]))
def test_records_are_whole(size: int, ending: bytes) -> None:
    """Wherever bytes are cut, the records come out whole and in order; blank ones vanish."""
    data = ending.join([*LINES[:3], b"", *LINES[3:]]) + ending
    assert split(data, size) == LINES


def test_only_newlines_cut() -> None:
    """Characters that text calls line ends stay inside their record."""
    line = '{"pageName":"a\u2028b\u0085c\x0bd"}'.encode()
    assert Records().cut(line + b"\n") == line + b"\n"


def test_end_without_newline() -> None:
    """What is left at the end of the stream is handed on as a record."""
    assert split(b'{"a":1}\n{"b":2}', 4) == [b'{"a":1}', b'{"b":2}']


def test_records_come_as_they_end() -> None:
    """What ends in a piece is given at once, with its line endings; what is cut waits."""
    records = Records()
    assert records.cut(b"one\r\n\r\ntw") == b"one\r\n\r\n"
    assert records.cut(b"o and") == b""
    assert records.cut(b" more\nthree\n") == b"two and more\nthree\n"
    assert records.close() == b""


def test_nothing_is_copied() -> None:
    """A piece of whole records is handed on as it is."""
    piece = b"one\ntwo\n"
    assert Records().cut(piece) is piece


@pytest.mark.parametrize("piece", [1000, 1 << 20])
def test_overlong_record(piece: int) -> None:
    """A record over 4 MiB is kept as head and size; its neighbours are untouched."""
    size = LONGEST_RECORD + 5
    data = b"first\n" + b"x" * size + b"\nlast\n"
    records = Records()
    assert cut(records, data, piece) == b"first\nlast\n"
    assert [(len(record.head), record.size) for record in records.overlong] == [(HEAD, size)]


def test_overlong_at_the_end() -> None:
    """An overlong record that the stream's end cuts is counted, too."""
    records = Records()
    assert cut(records, b"x" * (5 << 20), 1 << 20) == b""
    assert [record.size for record in records.overlong] == [5 << 20]


def test_longest_legal_record() -> None:
    """A record of exactly 4 MiB is kept."""
    records = Records()
    assert len(records.cut(b"x" * LONGEST_RECORD + b"\n")) == LONGEST_RECORD + 1
    assert not records.overlong
