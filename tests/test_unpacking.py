"""connection/unpacking.py"""

import gzip
from collections.abc import Callable
from concurrent.futures import Future
from threading import Event, Thread

import pytest

from livestream_nb.connection.unpacking import AHEAD, Delivery, Unpacking
from livestream_nb.errors import CorruptStream
from livestream_nb.protocol.framing import STEP
from livestream_nb.worker import Worker
from tests.virtual import AtOnce

Job = Callable[[], None]


class Digest:
    """Takes deliveries."""

    def __init__(self) -> None:
        self.given: list[Delivery] = []

    def __call__(self, delivery: Delivery) -> None:
        self.given.append(delivery)

    @property
    def blocks(self) -> list[bytes]:
        return [delivery.block for delivery in self.given]


class Told:
    """A worker that does its next job when it is told."""

    def __init__(self) -> None:
        self.jobs: list[tuple[Job, Future[None]]] = []
        self.done = self.most = 0
        self._some = Event()

    def submit(self, job: Job) -> Future[None]:
        self.jobs.append((job, Future()))
        self.most = max(self.most, len(self.jobs) - self.done)
        self._some.set()
        return self.jobs[-1][1]

    def wait_for(self, many: int) -> None:
        """Wait until it was given so many jobs."""
        while len(self.jobs) < many:
            assert self._some.wait(10)
            self._some.clear()

    def go_on(self) -> None:
        """Do the next job."""
        job, future = self.jobs[self.done]
        self.done += 1
        job()
        future.set_result(None)


def unpacking(digest: Digest, connection: int = 1, opened: float = 0.0) -> Unpacking:
    """Of a stream that is digested at once."""
    return Unpacking(connection, opened, digest, AtOnce())


def test_a_block_is_what_ended() -> None:
    """What ends in some bytes is handed on, with whence and when; the end hands on the rest."""
    digest = Digest()
    subject = unpacking(digest, 2, 10.0)
    subject.feed(gzip.compress(b"one\ntwo\nthr"), 11.0)
    subject.feed(gzip.compress(b"e"), 12.0)
    subject.feed(gzip.compress(b"e\nfour"), 13.0)
    subject.close(14.0)
    assert digest.given == [
        Delivery(b"one\ntwo\n", (), 2, 10.0, 11.0),
        Delivery(b"three\n", (), 2, 10.0, 13.0),
        Delivery(b"four\n", (), 2, 10.0, 14.0),
    ]


def test_nothing_is_not_handed_on() -> None:
    """Bytes in which no record ends, and an end at which nothing is left, hand on nothing."""
    digest = Digest()
    subject = unpacking(digest)
    subject.feed(gzip.compress(b""), 0.0)
    subject.close(0.0)
    assert digest.given == []


def test_an_overlong_record_is_handed_on_once() -> None:
    """A record that is too long comes with the next block, and with no other."""
    digest = Digest()
    subject = unpacking(digest)
    subject.feed(gzip.compress(b"x" * (5 << 20) + b"\none\n"), 0.0)
    subject.feed(gzip.compress(b"two\n"), 0.0)
    assert [[record.size for record in delivery.overlong] for delivery in digest.given] == [
        [5 << 20],
        [],
    ]


def test_damage_lasts() -> None:
    """After damage nothing more is read; what was whole, and what was begun, is handed on."""
    digest = Digest()
    subject = unpacking(digest)
    subject.feed(gzip.compress(b"one\ntw"), 0.0)
    for packed in (b"no gzip at all", gzip.compress(b"three\n")):
        with pytest.raises(CorruptStream, match="the rest of this connection cannot be read"):
            subject.feed(packed, 0.0)
    subject.close(0.0)
    assert digest.blocks == [b"one\n", b"tw\n"]


def test_digesting_is_waited_for() -> None:
    """No more than two pieces wait while one is being digested; the end waits for all of them."""
    digest, worker = Digest(), Told()
    subject = Unpacking(1, 0.0, digest, worker)
    packed = gzip.compress((b"x" * 1023 + b"\n") * (STEP // 1024 * 9), compresslevel=1)

    def all_of_it() -> None:
        subject.feed(packed, 0.0)
        subject.close(0.0)

    working = Thread(target=all_of_it)
    working.start()
    for number in range(10):
        worker.wait_for(min(number + 1 + AHEAD, 10))
        assert working.is_alive()
        worker.go_on()
    working.join(10)
    assert not working.is_alive()
    assert worker.most == 1 + AHEAD
    assert list(map(len, digest.blocks)) == [STEP] * 9


def test_a_fault_of_digesting_is_told() -> None:
    """What digesting raises is raised at the latest at the end."""

    def broken(delivery: Delivery) -> None:
        raise KeyError(delivery.block)

    worker = Worker("test")
    subject = Unpacking(1, 0.0, broken, worker)
    subject.feed(gzip.compress(b"one\n"), 0.0)
    with pytest.raises(KeyError):
        subject.close(0.0)
    worker.close()
    worker.join()
