"""hits/newest.py"""

import gc
import json
import weakref

from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.hits.newest import KEPT_BYTES, KEPT_RECORDS, Newest


def hit(number: int, size: int = 0) -> bytes:
    return b'{"hitIdLow":%d,"pageName":"%s"}' % (number, b"x" * size)


def slices(*records: bytes) -> list[memoryview]:
    block = b"\r\n".join(records) + b"\r\n"
    views, start = [], 0
    for record in records:
        views.append(memoryview(block)[start : start + len(record)])
        start += len(record) + 2
    return views


def ids(newest: Newest, n: int) -> list[object]:
    return [record["hitIdLow"] for record in newest.records(n)]


class Block(bytearray):
    """A block of which a test can see when it is let go."""


@given(st.lists(st.integers(0, 400), max_size=8), st.integers(0, 1_200), st.booleans())
def test_the_newest_records_are_given(sizes: list[int], n: int, views: bool) -> None:
    """The newest n records come back, the newest last, however they came in blocks."""
    newest, number = Newest(), 0
    for size in sizes:
        lines = [hit(number + i) for i in range(size)]
        newest.add(slices(*lines) if views else lines)
        number += size
    first = max(0, number - min(n, KEPT_RECORDS))
    assert ids(newest, n) == list(range(first, number))


def test_integers_are_exact() -> None:
    """Ids up to 2^64 - 1, and integers beyond, come back as they came."""
    newest = Newest()
    numbers = [2**53 + 1, 2**63, 2**64 - 1, 2**64, 10**40 + 1]
    newest.add([hit(number) for number in numbers])
    assert ids(newest, 9) == numbers


def test_a_record_is_whole() -> None:
    """A record comes back with every field, nested as it came."""
    record = {"hitIdLow": 1, "products": [{"name": "Schuh ☂"}], "new": {"a": [None, 1.5, True]}}
    newest = Newest()
    newest.add(slices(json.dumps(record).encode() + b"\r"))
    assert newest.records(1) == [record]


def test_what_is_no_hit_is_left_out() -> None:
    """Lines that are no hits are passed over; the hits before them count."""
    newest = Newest()
    dirt = [b"[1]", b"{", b"\xff", b"7", b"[" * 100_000, b'{"error":"no"}', b""]
    newest.add([hit(1), hit(2), *dirt, hit(3), *dirt])
    assert ids(newest, 2) == [2, 3]


def test_none_are_asked_for() -> None:
    """Asked for none or fewer, it gives none."""
    newest = Newest()
    newest.add([hit(1)])
    assert newest.records(0) == newest.records(-1) == []


def held(newest: Newest) -> int:
    """Bytes that the held lines keep alive."""
    views = [line for lines, _ in newest._blocks for line in lines]
    objects = {id(v.obj): v.obj for v in views if isinstance(v, memoryview)}
    objects |= {id(v): v for v in views if isinstance(v, bytes)}
    return sum(map(len, objects.values()))


def test_memory_is_bounded_when_records_are_large() -> None:
    """Of records of 1 MiB it holds the newest that 8 MiB have room for."""
    newest = Newest()
    for number in range(0, 40, 2):
        newest.add(slices(hit(number, 1_000_000), hit(number + 1, 1_000_000)))
        assert held(newest) <= KEPT_BYTES
    assert ids(newest, 100) == list(range(32, 40))


def test_memory_is_bounded_when_a_block_is_large() -> None:
    """Of one block of 20 MB it holds only the newest records, and not the block."""
    newest = Newest()
    newest.add([hit(100)])
    newest.add(slices(*(hit(number, 1_000_000) for number in range(20))))
    assert held(newest) <= KEPT_BYTES
    assert ids(newest, 100) == list(range(12, 20))


def test_memory_is_bounded_when_lines_are_a_small_part_of_their_block() -> None:
    """A line counts with all of the block that it keeps alive."""
    newest = Newest()
    for number in range(40):
        block = hit(number) + b"\n" + b" " * 1_000_000
        newest.add([memoryview(block)[: len(hit(number))]])
        assert held(newest) <= KEPT_BYTES
    assert ids(newest, 3) == [37, 38, 39]


def test_a_record_larger_than_all_room_is_not_held() -> None:
    """A record of 9 MB is not held, and leaves nothing behind."""
    newest = Newest()
    for number in range(3):
        newest.add(slices(hit(number, 9_000_000)))
    assert newest.records(5) == []
    assert len(newest._blocks) == 0


def test_a_changing_block_is_copied() -> None:
    """Lines of a block that can change are copied, and let the block go."""
    newest = Newest()
    block = Block(hit(1))
    seen = weakref.ref(block)
    newest.add([memoryview(block)])
    block[:] = hit(2)[:0] + hit(2)
    del block
    gc.collect()
    assert seen() is None
    assert ids(newest, 1) == [1]


def test_old_blocks_are_let_go() -> None:
    """When newer blocks hold 1,000 records, the older blocks are let go."""
    newest = Newest()
    for start in range(0, 5_000, 250):
        newest.add(slices(*(hit(start + i) for i in range(250))))
    assert sum(len(lines) for lines, _ in newest._blocks) == KEPT_RECORDS
    newest.add([])
    assert ids(newest, 1) == [4_999]
