"""connection/unpacking.py"""

import gzip
from concurrent.futures import Future
from threading import Event, Thread

import pytest

from livestream_nb.connection.unpacking import AHEAD, Delivery, Unpacking
from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import STEP


class Digest:
    """Takes deliveries, and has digested them at once, or when it is told."""

    def __init__(self, *, at_once: bool = True) -> None:
        self.given: list[tuple[Delivery, Future[None]]] = []
        self.most = 0  # blocks that were not yet digested
        self._at_once = at_once
        self._some = Event()

    def __call__(self, delivery: Delivery) -> Future[None]:
        done: Future[None] = Future()
        if self._at_once:
            done.set_result(None)
        self.given.append((delivery, done))
        self.most = max(self.most, sum(not done.done() for _, done in self.given))
        self._some.set()
        return done

    def wait_for(self, many: int) -> None:
        """Wait until so many were given."""
        while len(self.given) < many:
            assert self._some.wait(10)
            self._some.clear()

    @property
    def blocks(self) -> list[bytes]:
        return [delivery.block for delivery, _ in self.given]


def steps(many: int) -> bytes:
    """Packed lines that are unpacked in so many steps."""
    return gzip.compress((b"x" * 1023 + b"\n") * (STEP // 1024 * many), compresslevel=1)


def test_a_block_is_what_ended() -> None:
    """What ends in some bytes is handed on, with whence and when; the end hands on the rest."""
    digest = Digest()
    unpacking = Unpacking(2, 10.0, digest)
    unpacking.feed(gzip.compress(b"one\ntwo\nthr"), 11.0)
    unpacking.feed(gzip.compress(b"e"), 12.0)
    unpacking.feed(gzip.compress(b"e\nfour"), 13.0)
    unpacking.close(14.0)
    assert [delivery for delivery, _ in digest.given] == [
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
    assert [[record.size for record in delivery.overlong] for delivery, _ in digest.given] == [
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


def test_digesting_is_waited_for() -> None:
    """No more than a block waits while one is being digested; the end waits for all of them."""
    digest = Digest(at_once=False)
    unpacking = Unpacking(1, 0.0, digest)

    def all_of_it() -> None:
        unpacking.feed(steps(9), 0.0)
        unpacking.close(0.0)

    working = Thread(target=all_of_it)
    working.start()
    for number in range(9):
        digest.wait_for(min(number + 1 + AHEAD, 9))
        assert working.is_alive()
        digest.given[number][1].set_result(None)
    working.join()
    assert digest.most == 1 + AHEAD


def test_a_fault_of_digesting_is_told() -> None:
    """What digesting raises is raised at the latest at the end."""
    digest = Digest(at_once=False)
    unpacking = Unpacking(1, 0.0, digest)
    unpacking.feed(gzip.compress(b"one\n"), 0.0)
    digest.given[0][1].set_exception(KeyError("a fault"))
    with pytest.raises(KeyError):
        unpacking.close(0.0)
