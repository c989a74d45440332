"""connection/unpacking.py"""

import gzip

import pytest

from livestream_nb.connection.unpacking import Delivery, Unpacking
from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import STEP, Gunzip


class Digest:
    """Takes deliveries."""

    def __init__(self) -> None:
        self.given: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        self.given.append(delivery)

    @property
    def blocks(self) -> list[bytes]:
        return [delivery.block for delivery in self.given]


def test_a_block_is_what_ended() -> None:
    """What ends in some bytes is handed on, with whence and when; the end hands on the rest."""
    digest = Digest()
    unpacking = Unpacking(2, 10.0, digest)
    unpacking.feed(gzip.compress(b"one\ntwo\nthr"), 11.0)
    unpacking.feed(gzip.compress(b"e"), 12.0)
    unpacking.feed(gzip.compress(b"e\nfour"), 13.0)
    unpacking.close(14.0)
    assert digest.given == [
        Delivery(b"one\ntwo\n", (), 2, 10.0, 11.0),
        Delivery(b"three\n", (), 2, 10.0, 13.0),
        Delivery(b"four\n", (), 2, 10.0, 14.0),
    ]


def test_nothing_is_not_handed_on() -> None:
    """Bytes in which no record ends, and an end at which nothing is left, hand on nothing."""
    digest = Digest()
    unpacking = Unpacking(1, 0.0, digest)
    unpacking.feed(gzip.compress(b""), 0.0)
    unpacking.close(0.0)
    assert digest.given == []


def test_an_overlong_record_is_handed_on_once() -> None:
    """A record that is too long comes with the next block, and with no other."""
    digest = Digest()
    unpacking = Unpacking(1, 0.0, digest)
    unpacking.feed(gzip.compress(b"x" * (5 << 20) + b"\none\n"), 0.0)
    unpacking.feed(gzip.compress(b"two\n"), 0.0)
    assert [[record.size for record in delivery.overlong] for delivery in digest.given] == [
        [5 << 20],
        [],
    ]


def test_damage_lasts() -> None:
    """After damage nothing more is read; what was whole, and what was begun, is handed on."""
    digest = Digest()
    unpacking = Unpacking(1, 0.0, digest)
    unpacking.feed(gzip.compress(b"one\ntw"), 0.0)
    for packed in (b"no gzip at all", gzip.compress(b"three\n")):
        with pytest.raises(CorruptStream, match="the rest of this connection cannot be read"):
            unpacking.feed(packed, 0.0)
    unpacking.close(0.0)
    assert digest.blocks == [b"one\n", b"tw\n"]


def test_a_step_is_digested_before_the_next_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of much that a few bytes unpack to there is never more than a step and a rest in memory."""
    happened: list[str] = []
    unpack = Gunzip._unpack

    def unpacks(gunzip: Gunzip, data: bytes) -> bytes:
        happened.append("unpack")
        return unpack(gunzip, data)

    monkeypatch.setattr(Gunzip, "_unpack", unpacks)
    unpacking = Unpacking(1, 0.0, lambda delivery: happened.append(f"{len(delivery.block):,}"))
    unpacking.feed(gzip.compress((b"x" * 1023 + b"\n") * (STEP // 1024 * 3), compresslevel=1), 0.0)
    assert happened == ["unpack", f"{STEP:,}"] * 3 + ["unpack"]


def test_a_fault_of_digesting_is_told() -> None:
    """What digesting raises is raised."""

    def broken(delivery: Delivery) -> None:
        raise KeyError(delivery.block)

    with pytest.raises(KeyError):
        Unpacking(1, 0.0, broken).feed(gzip.compress(b"one\n"), 0.0)
