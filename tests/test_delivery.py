"""simulator/delivery.py and simulator/wire.py

Both ends of a real connection live in one event loop, with the real model and log between them.
Service time stands still unless the test moves it.
"""

import asyncio
import functools
import hashlib
import http.client
import io
import json
import socket
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import h11
import pytest

from livestream_nb.errors import InvalidOption
from livestream_nb.hit_files import raw_records
from livestream_nb.protocol.framing import STEP, Gunzip, Records
from livestream_nb.simulator.delivery import Delivery, Pattern
from livestream_nb.simulator.dirt import KINDS, malformed
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.service import Asked, Opened, Stream

REQUEST = b"GET /api/1/stream/demo HTTP/1.1\r\nHost: localhost\r\n\r\n"
BEGAN = 1_500_000_000.0
PER_SECOND = 10  # hits that enter the log
CENTURY = 3e9  # seconds: longer than any test moves the time
PATIENCE = 10.0  # real seconds, after which a test has waited in vain

Story = Callable[..., Coroutine[Any, Any, None]]


def story(test: Story) -> Callable[..., None]:
    """Run an asynchronous test in a loop of its own."""

    @functools.wraps(test)
    def run(*args: object, **options: object) -> None:
        asyncio.run(test(*args, **options))

    return run


class Answer:
    """What a client can make of the bytes it has so far."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.head, _, self._body = raw.partition(b"\r\n\r\n")

    @property
    def chunks(self) -> Iterator[bytes]:
        """Complete chunks; the last one is empty."""
        rest = io.BytesIO(self._body)
        while (size := rest.readline()).endswith(b"\r\n"):
            chunk = rest.read(int(size, 16) + 2)
            if len(chunk) == int(size, 16) + 2:
                yield chunk[:-2]

    @property
    def parts(self) -> list[bytes]:
        """What each complete chunk unpacks to."""
        member, parts = zlib.decompressobj(31), []
        for chunk in self.chunks:
            part = member.decompress(chunk)
            while member.eof and member.unused_data:
                rest, member = member.unused_data, zlib.decompressobj(31)
                part += member.decompress(rest)
            member = zlib.decompressobj(31) if member.eof else member
            parts.append(part)
        return parts

    @property
    def members(self) -> list[list[bytes]]:
        """The records of each gzip member."""
        packed, members = b"".join(self.chunks), []
        while packed:
            member = zlib.decompressobj(31)
            members.append(lines(member.decompress(packed)))
            packed = member.unused_data
        return members

    @property
    def lines(self) -> list[bytes]:
        return lines(b"".join(self.parts))

    @property
    def records(self) -> list[bytes]:
        return [line for line in self.lines if line]

    def read(self) -> bytes:
        """Read it as http.client does, and unpack it as a strict gzip reader."""
        response = http.client.HTTPResponse(self)  # type: ignore[arg-type]
        response.begin()
        packed, whole = response.read(), b""
        while packed:
            member = zlib.decompressobj(31)
            whole += member.decompress(packed) + member.flush()
            assert member.eof
            packed = member.unused_data
        return whole

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self.raw)


def lines(whole: bytes) -> list[bytes]:
    return whole.split(b"\r\n")[:-1]


class Link:
    """A delivery and its client, which has ``received`` these blocks so far."""

    def __init__(
        self, hits: HitLog, pattern: Pattern, ends: tuple[socket.socket, ...], resumed: int
    ) -> None:
        self.now, self.looked = BEGAN, 0
        self.stream = Stream(hits.logged)
        self.hits = hits
        self.client, self.server = ends
        self.received: list[bytes] = []
        for end in ends:
            end.setblocking(False)
        opened = self.connect()
        if resumed:
            self.stream.wrote(opened.connection, resumed, self.now)
            self.now += 20
            self.stream.close(opened.connection, self.now, "left", 0.0)
            opened = self.connect()
        http = h11.Connection(h11.SERVER)
        http.receive_data(REQUEST)
        http.next_event()
        self.delivery = Delivery(
            self.server,
            http,
            opened,
            stream=self.stream,
            hits=hits,
            now=self.look,
            pattern=pattern,
        )
        self.ended = asyncio.create_task(self.serve())

    def connect(self) -> Opened:
        opened = self.stream.connect(Asked(), self.now)
        assert isinstance(opened, Opened)
        self.hits.begin(self.now)
        return opened

    def look(self) -> float:
        self.looked += 1
        return self.now

    async def serve(self) -> None:
        try:
            await self.delivery.run()
        finally:
            self.server.close()

    async def read(self) -> None:
        """Read to the end, and leave."""
        loop = asyncio.get_running_loop()
        try:
            while block := await loop.sock_recv(self.client, 65_536):
                self.received.append(block)
        finally:
            self.client.close()

    @property
    def answer(self) -> Answer:
        return Answer(b"".join(self.received))

    @property
    def records(self) -> list[bytes]:
        return self.answer.records

    @property
    def given(self) -> int:
        return self.stream.ranges[self.delivery.connection - 1].end

    @property
    def repeats(self) -> list[tuple[int, int]]:
        repeats = self.stream.ranges[self.delivery.connection :]
        return [(each.first, each.end) for each in repeats]

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.001)

    async def arrive(self, count: int) -> None:
        """Wait until so many records have come, and look at exactly those."""
        await self.until(lambda: len(self.records) >= count)
        assert len(self.records) == count

    async def nothing_happens(self) -> None:
        """Let the delivery look at the time a few times without sending anything."""
        looked, received = self.looked, list(self.received)
        await self.until(lambda: self.looked > looked + 3)
        assert self.received == received

    async def looks_every(self, seconds: float) -> bool:
        """Whether that is how often, in real time and at most, the delivery looks at the time."""
        loop, looked = asyncio.get_running_loop(), self.looked
        began = loop.time()
        await self.nothing_happens()
        return loop.time() - began > 0.9 * seconds * (self.looked - looked - 1)

    async def blocked(self) -> None:
        """Wait until nothing more goes into the socket."""
        steady = 0
        async with asyncio.timeout(PATIENCE):
            while steady < 20:
                steady = steady + 1 if self.delivery._wire._busy else 0
                await asyncio.sleep(0.001)

    async def end(self) -> Answer:
        """Drop, and return the whole answer."""
        self.delivery.drop()
        async with asyncio.timeout(PATIENCE):
            await self.ended
        return self.answer


def tcp() -> tuple[socket.socket, socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        client.connect(listener.getsockname())
        server = listener.accept()[0]
        server.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8_192)
        return client, server


def packets() -> tuple[socket.socket, socket.socket]:
    """Two ends that keep writes apart: each read is one write."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def made(number: int, size: int) -> bytes:
    noise = hashlib.shake_128(b"%d" % number).hexdigest(size // 2)
    hit = {"hitIdHigh": 7, "hitIdLow": number, "timeGMT": 1_400_000_000 + number // PER_SECOND}
    return json.dumps(hit | {"pageName": f"靴 {number}", "evar": noise}).encode()


@asynccontextmanager
async def linked(
    folder: Path,
    count: int = 100,
    *,
    size: int = 100,
    pattern: Pattern | None = None,
    ends: Callable[[], tuple[socket.socket, socket.socket]] = tcp,
    reading: bool = True,
    resumed: int = 0,
) -> AsyncIterator[tuple[Link, list[bytes]]]:
    """A link, and the records of its log: ten at once, and ten more each second.

    An earlier connection has been given as many hits as ``resumed`` says, 20 seconds ago.
    """
    records = [made(number, size) for number in range(count)]
    recording = folder / "hits.ndjson"
    recording.write_bytes(b"\n".join(records))
    link = Link(
        HitLog(Replay(raw_records(recording), str(recording))),
        pattern or Pattern(),
        ends(),
        resumed,
    )
    reader = asyncio.create_task(link.read() if reading else asyncio.sleep(0))
    try:
        yield link, records
    finally:
        reader.cancel()
        link.ended.cancel()
        await asyncio.wait({reader, link.ended})
        for end in (link.client, link.server):
            end.close()
        if not reader.cancelled():
            reader.exception()


@story
async def test_hits_go_out_when_they_are_due(tmp_path: Path) -> None:
    """A hit arrives when the model says that it is due, in order, and the model is told."""
    async with linked(tmp_path) as (link, records):
        for count in (10, 20, 30):
            await link.arrive(count)
            assert link.records == records[:count]
            await link.nothing_happens()
            assert link.given == count
            link.now += 1
        assert b"200" in link.answer.head


@story
async def test_delivery_sleeps_when_there_is_nothing_to_do(tmp_path: Path) -> None:
    """A quiet connection looks for hits every 20 ms, and not more often."""
    async with linked(tmp_path) as (link, _):
        await link.arrive(10)
        assert await link.looks_every(0.02)


@story
async def test_drop_is_a_clean_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After drop() body and gzip stream are complete, and the socket waits for the client to go."""
    monkeypatch.setattr("livestream_nb.simulator.delivery.LINGER", CENTURY)
    async with linked(tmp_path, reading=False) as (link, records):
        await link.until(lambda: link.given == 10)
        link.delivery.drop()
        await link.until(lambda: link.delivery._wire._http.our_state is h11.MUST_CLOSE)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not link.ended.done()
        await link.read()
        await link.until(link.ended.done)
        assert lines(link.answer.read()) == records[:10]
        assert link.stream.open == ()


PATTERNS = [
    Pattern(),
    Pattern(records_per_chunk=1),
    Pattern(records_per_chunk=7, records_per_blank=None),
    Pattern(records_per_blank=1),
    Pattern(records_per_chunk=4, records_per_blank=3),
    Pattern(records_per_member=10),
    Pattern(records_per_member=1, records_per_blank=5),
    Pattern(records_per_chunk=6, records_per_member=8, records_per_blank=4),
]


@pytest.mark.parametrize("pattern", PATTERNS)
@story
async def test_patterns(tmp_path: Path, pattern: Pattern) -> None:
    """Chunks are as long as they may be; blank records and members come after so many records."""
    async with linked(tmp_path, 600, pattern=pattern) as (link, records):
        await link.arrive(10)
        link.now += 60
        await link.arrive(600)
        answer = await link.end()
        assert lines(answer.read()) == answer.lines
        assert answer.records == records
        sizes = [len([line for line in lines(part) if line]) for part in answer.parts]
        assert max(sizes) == min(size_of(pattern), 590)
        blank = pattern.records_per_blank
        expected = [records[n : n + (blank or 600)] for n in range(0, 600, blank or 600)]
        joined = [line for block in expected for line in [*block, b""]]
        assert answer.lines == (joined if blank and 600 % blank == 0 else joined[:-1])
        counts = [len([line for line in member if line]) for member in answer.members]
        each = pattern.records_per_member
        assert counts == ([each] * (600 // each) + [0] if each else [600])


def size_of(pattern: Pattern) -> int:
    limits = (pattern.records_per_chunk, pattern.records_per_member, pattern.records_per_blank)
    return min(limit for limit in limits if limit)


@pytest.mark.parametrize("name", ["records_per_chunk", "records_per_member", "records_per_blank"])
@pytest.mark.parametrize("value", [0, -1, 1.5, True, "many"])
def test_impossible_patterns(name: str, value: Any) -> None:
    """A pattern counts in whole numbers from 1 on; only chunks must have a size."""
    with pytest.raises(InvalidOption, match=f"^{name}="):
        Pattern(**{name: value})
    if name == "records_per_chunk":
        with pytest.raises(InvalidOption, match="^records_per_chunk=None"):
            Pattern(**{name: None})


@story
async def test_client_that_does_not_read(tmp_path: Path) -> None:
    """Nothing is made ahead of a slow client; once it reads, it gets everything."""
    pattern = Pattern(records_per_chunk=1)
    async with linked(tmp_path, 400, size=8_000, pattern=pattern, reading=False) as (link, records):
        link.now += 60
        await link.blocked()
        assert 0 < link.given < 400
        reader = asyncio.create_task(link.read())
        await link.until(lambda: link.given == 400)
        assert lines((await link.end()).read()) == records
        await reader


@story
async def test_client_that_leaves(tmp_path: Path) -> None:
    """A client that goes ends the delivery, and leaves a ghost."""
    async with linked(tmp_path, reading=False) as (link, _):
        link.client.close()
        await link.until(link.ended.done)
        assert link.stream.journal.entries()[-1].event == "left"


@story
async def test_client_that_goes_on_talking(tmp_path: Path) -> None:
    """A client that says more than it needs to has not left."""
    async with linked(tmp_path) as (link, records):
        for _ in range(3):
            await asyncio.get_running_loop().sock_sendall(link.client, REQUEST)
            await link.arrive(10)
            await link.nothing_happens()
        link.now += 1
        await link.arrive(20)
        assert link.records == records[:20]


@story
async def test_connection_that_the_model_has_closed(tmp_path: Path) -> None:
    """No more hits are given out, and nobody is kept busy."""
    async with linked(tmp_path) as (link, _):
        await link.arrive(10)
        link.stream.close(1, link.now, "dropped")
        link.now += 1
        await link.nothing_happens()
        link.delivery.corrupt()
        sent = len(link.received)
        await link.until(lambda: len(link.received) > sent)
        assert await link.looks_every(0.02)
        assert link.delivery._offset == 10


@story
async def test_delivery_that_is_stopped(tmp_path: Path) -> None:
    """A delivery that is cancelled says so to the model."""
    async with linked(tmp_path) as (link, _):
        await link.arrive(10)
        link.ended.cancel()
        await link.until(link.ended.done)
        assert link.stream.journal.entries()[-1].event == "stopped"


async def quiet(link: Link) -> None:
    await link.nothing_happens()


async def stalled(link: Link) -> None:
    link.delivery.stall(CENTURY)
    await link.nothing_happens()


async def slicing(link: Link) -> None:
    link.delivery.slice(CENTURY)
    await link.nothing_happens()
    received = len(link.received)
    link.now += 60
    await link.until(lambda: len(link.received) > received + 50)


async def bombing(link: Link) -> None:
    received = len(link.received)
    link.delivery.bomb(1 << 50)
    await link.until(lambda: len(link.received) > received + 3)


async def gathering(link: Link) -> None:
    link.delivery.reorder(50)
    await link.nothing_happens()
    link.now += 1
    await link.nothing_happens()


async def duplicating(link: Link) -> None:
    link.delivery.duplicate(10)
    await link.arrive(20)


STATES = [quiet, stalled, slicing, bombing, gathering, duplicating]


@pytest.mark.parametrize("state", STATES)
@story
async def test_drop_at_any_time(tmp_path: Path, state: Callable[[Link], Any]) -> None:
    """drop() waits for nothing that can be left: the end comes at once, and it is clean."""
    async with linked(tmp_path, size=20_000) as (link, records):
        await link.arrive(10)
        await state(link)
        answer = await link.end()
        assert answer.read().startswith(b"\r\n".join(records[:10]))
        assert answer.records[:10] == records[:10]
        assert link.given in (10, 100)


@pytest.mark.parametrize("state", STATES)
@story
async def test_cut_at_any_time(tmp_path: Path, state: Callable[[Link], Any]) -> None:
    """cut() ends at once and in good TCP order in the middle of a chunk."""
    async with linked(tmp_path, size=20_000) as (link, records):
        await link.arrive(10)
        await state(link)
        link.delivery.cut()
        await link.until(link.ended.done)
        with pytest.raises(http.client.IncompleteRead):
            link.answer.read()
        assert link.records[:10] == records[:10]
        assert link.given == 10
        whole = b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in link.answer.chunks)
        size, _, begun = link.answer.raw.partition(b"\r\n\r\n")[2][len(whole) :].partition(b"\r\n")
        assert 0 < len(begun) < int(size, 16)


@pytest.mark.parametrize("state", STATES)
@story
async def test_reset_at_any_time(tmp_path: Path, state: Callable[[Link], Any]) -> None:
    """reset() ends at once by a TCP reset."""
    async with linked(tmp_path, size=20_000, reading=False) as (link, _):
        reader = asyncio.create_task(link.read())
        await link.arrive(10)
        await state(link)
        link.delivery.reset()
        await link.until(link.ended.done)
        with pytest.raises(ConnectionResetError):
            await reader


@pytest.mark.parametrize("cut", [True, False])
@story
async def test_ends_while_a_client_does_not_read(tmp_path: Path, cut: bool) -> None:
    """A chunk that waits for its client is finished by drop(), and given up by a later cut()."""
    async with linked(tmp_path, size=20_000, reading=False) as (link, records):
        await link.blocked()
        link.delivery.drop()
        await link.blocked()
        if cut:
            link.delivery.cut()
        await link.read()
        if cut:
            with pytest.raises(http.client.IncompleteRead):
                link.answer.read()
        else:
            assert lines(link.answer.read()) == records[:10]
        await link.until(link.ended.done)


async def blocked(link: Link) -> None:
    await link.blocked()


@pytest.mark.parametrize("end", [Delivery.cut, Delivery.reset])
@pytest.mark.parametrize("state", [blocked, stalled])
@story
async def test_no_client_holds_up_an_end(
    tmp_path: Path,
    state: Callable[[Link], Any],
    end: Callable[[Delivery], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """cut() and reset() need no client that takes what was begun, or that goes."""
    monkeypatch.setattr("livestream_nb.simulator.delivery.LINGER", 0.0)
    count = 10 if state is blocked else 1
    async with linked(tmp_path, count, size=20_000, reading=False) as (link, _):
        await link.until(lambda: link.given or link.delivery._wire._busy)
        await state(link)
        end(link.delivery)
        await link.until(link.ended.done)


@story
async def test_cut_of_a_chunk_on_its_way(tmp_path: Path) -> None:
    """The chunk that is being sent is the one that is cut, and nothing comes after it."""
    async with linked(tmp_path, size=20_000) as (link, _):
        await link.arrive(10)
        await slicing(link)
        link.delivery.cut()
        await link.until(link.ended.done)
        raw, sound = link.answer.raw, framed(list(link.answer.chunks))
        begun = raw[raw.index(sound) + len(sound) :].partition(b"\r\n")[2]
        assert 40 < len(begun) < 1_000


@story
async def test_cut_of_a_client_that_has_gone(tmp_path: Path) -> None:
    """A client that vanished a moment ago cannot be cut off, and nobody minds."""
    async with linked(tmp_path, reading=False) as (link, _):
        await link.until(lambda: link.given == 10)
        link.client.close()
        link.delivery.cut()
        await link.until(link.ended.done)


@story
async def test_cut_of_an_idle_connection(tmp_path: Path) -> None:
    """What is cut is a copy of the last hit, and the beginning of it is readable."""
    async with linked(tmp_path, size=20_000) as (link, records):
        await link.arrive(10)
        link.delivery.cut()
        await link.until(link.ended.done)
        raw, begun = link.answer.raw, framed(list(link.answer.chunks))
        rest = raw[raw.index(begun) + len(begun) :].partition(b"\r\n")[2]
        whole = zlib.decompressobj(31).decompress(b"".join([*link.answer.chunks, rest]))
        half = whole.removeprefix(b"\r\n".join([*records[:10], b""]))
        assert 1_000 < len(half) < 19_000
        assert records[9].startswith(half)


@story
async def test_cut_after_the_end(tmp_path: Path) -> None:
    """What has ended in good order can no longer be cut."""
    async with linked(tmp_path, reading=False) as (link, records):
        await link.until(lambda: link.given == 10)
        link.delivery.drop()
        await link.until(lambda: link.delivery._wire._http.our_state is h11.MUST_CLOSE)
        link.delivery.cut()
        await link.read()
        assert lines(link.answer.read()) == records[:10]


@pytest.mark.parametrize("due", [0, 1, 9])
@pytest.mark.parametrize("member", [True, False])
@story
async def test_corrupt(tmp_path: Path, due: int, member: bool) -> None:
    """One chunk is damaged so that no decoder gets past its middle; the next ones are sound."""
    async with linked(tmp_path, pattern=Pattern(records_per_chunk=5)) as (link, records):
        await link.arrive(10)
        before = len(list(link.answer.chunks))
        if member:
            link.delivery.new_member()
        link.delivery.corrupt()
        link.now += due
        await link.until(lambda: link.given == 10 + 10 * due)
        await link.until(lambda: len(list(link.answer.chunks)) > before + member)
        answer = await link.end()
        with pytest.raises(zlib.error, match="invalid block type"):
            answer.read()
        chunks = list(answer.chunks)
        damaged = next(n for n in range(len(chunks)) if not is_sound(chunks[: n + 1]))
        assert damaged == before + member
        expected = [*records[: link.given], *([b""] if due == 0 else [])]
        whole = lines(b"".join(Answer(REQUEST + framed(repaired(chunks, damaged))).parts))
        assert whole == expected


def is_sound(chunks: list[bytes]) -> bool:
    try:
        return bool(Answer(REQUEST + framed(chunks)).parts)
    except zlib.error:
        return False


def framed(chunks: list[bytes]) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)


def repaired(chunks: list[bytes], damaged: int) -> list[bytes]:
    """Find the two bits that make everything sound again, from the first chunk to the checksum."""
    chunk = chunks[damaged]
    for place in range(len(chunk) - 1, -1, -1):
        for bits in (2, 4):
            if chunk[place] & 6 == 6:
                other = chunk[:place] + bytes([chunk[place] & ~6 | bits]) + chunk[place + 1 :]
                if is_sound([*chunks[:damaged], other, *chunks[damaged + 1 :]]):
                    return [*chunks[:damaged], other, *chunks[damaged + 1 :]]
    raise AssertionError("damaged in more than one place")


@story
async def test_first_half_of_a_corrupt_chunk(tmp_path: Path) -> None:
    """What came before the damage in the same chunk can be read."""
    async with linked(tmp_path, pattern=Pattern(records_per_blank=None)) as (link, records):
        await link.arrive(10)
        link.delivery.corrupt()
        link.now += 1
        await link.until(lambda: link.given == 20)
        member, whole = zlib.decompressobj(31), []
        packed = io.BytesIO(b"".join((await link.end()).chunks))
        with pytest.raises(zlib.error):
            whole.extend(member.decompress(byte) for byte in iter(lambda: packed.read(1), b""))
        readable = lines(b"".join(whole))
        assert 12 <= len(readable) <= 18
        assert readable == records[: len(readable)]


@story
async def test_stall(tmp_path: Path) -> None:
    """Nothing is sent until so much time has passed; then everything that is due is."""
    async with linked(tmp_path) as (link, records):
        await link.arrive(10)
        link.delivery.stall(5)
        await link.nothing_happens()
        link.now += 4.9
        await link.nothing_happens()
        assert link.stream.open == (1,)
        link.now += 0.2
        await link.arrive(60)
        assert link.records == records[:60]


@story
async def test_slice(tmp_path: Path) -> None:
    """Byte by byte until the time is over, and then what is left at once."""
    async with linked(tmp_path, ends=packets, size=1_000) as (link, records):
        await link.arrive(10)
        link.delivery.slice(2.5)
        await link.nothing_happens()
        before = len(link.received)
        link.now += 1
        await link.arrive(20)
        sliced = link.received[before:]
        assert {len(each) for each in sliced} == {1}
        assert len(sliced) > 1_000
        link.now += 1
        await link.until(lambda: len(link.received) > before + len(sliced) + 100)
        assert link.records == records[:20]
        link.now += 1
        await link.until(lambda: len(link.received[-1]) > 1)
        await link.arrive(40)
        assert lines((await link.end()).read()) == records[:40]


@story
async def test_slices_reach_the_client_one_by_one(tmp_path: Path) -> None:
    """Others have their turn between two bytes, so that a client on TCP reads single bytes, too."""
    async with linked(tmp_path, size=20_000) as (link, _):
        await link.arrive(10)
        before = len(link.received)
        await slicing(link)
        assert max(map(len, link.received[before : before + 50])) < 8


@story
async def test_drop_ends_slicing(tmp_path: Path) -> None:
    """Once the end is near, nothing is sent byte by byte any more."""
    async with linked(tmp_path, ends=packets, size=1_000) as (link, records):
        await link.arrive(10)
        link.delivery.slice(CENTURY)
        link.now += 1
        await link.until(lambda: len(link.received) > 100)
        answer = await link.end()
        assert lines(answer.read()) == records[:20]
        assert min(map(len, link.received[-2:])) > 1


@story
async def test_bomb(tmp_path: Path) -> None:
    """Hundreds of megabytes from few bytes: no memory here, and none in a client with bounds."""
    size = 200_000_000
    async with linked(tmp_path) as (link, records):
        await link.arrive(10)
        tracemalloc.start()
        link.delivery.bomb(size)
        link.delivery.duplicate(1)
        await link.until(lambda: link.repeats)
        answer = await link.end()
        assert size / len(answer.raw) > 500
        gunzip, found, block = Gunzip(), Records(), b""
        for chunk in answer.chunks:
            for piece in gunzip.feed(chunk):
                block += found.cut(piece)
        assert tracemalloc.get_traced_memory()[1] < 12 * STEP
        tracemalloc.stop()
        assert [each.size for each in found.overlong] == [size + len(b"\r")]
        assert block.split() == b"\r\n".join([*records[:10], records[9]]).split()


@story
async def test_others_are_served_during_a_bomb(tmp_path: Path) -> None:
    """A bomb lets the event loop do other things all the time."""
    async with linked(tmp_path) as (link, _):
        await link.arrive(10)
        link.delivery.bomb(1 << 50)
        turns = 0
        while turns < 200:
            await asyncio.sleep(0)
            turns += 1
        assert link.answer.raw.count(b"\r\n") < 1_000


@pytest.mark.parametrize("kind", KINDS)
@story
async def test_malform(tmp_path: Path, kind: str) -> None:
    """One line that is no hit comes between hits that are; on a quiet connection, at once."""
    async with linked(tmp_path) as (link, records):
        await link.arrive(10)
        link.delivery.malform(kind)
        await link.arrive(11)
        link.now += 1
        await link.arrive(21)
        assert link.records == [*records[:10], malformed(kind, records[9]), *records[10:20]]


@pytest.mark.parametrize("kind", KINDS)
@story
async def test_malform_before_any_hit(tmp_path: Path, kind: str) -> None:
    """A line that is no hit can be the first one, though there is no hit yet to make it from."""
    async with linked(tmp_path) as (link, records):
        link.delivery.malform(kind)
        await link.arrive(11)
        assert link.records == [malformed(kind, b'{"reportSuite":"examplecomprod"}'), *records[:10]]


@story
async def test_impossible_kind(tmp_path: Path) -> None:
    """A kind of line that there is not is refused when it is asked for."""
    async with linked(tmp_path) as (link, _):
        with pytest.raises(InvalidOption, match="kind='xml'"):
            link.delivery.malform("xml")


@story
async def test_duplicate(tmp_path: Path) -> None:
    """The last hits are sent once more, byte for byte, and the model is told which."""
    async with linked(tmp_path, pattern=Pattern(records_per_chunk=4)) as (link, records):
        await link.arrive(10)
        link.delivery.duplicate(6)
        await link.arrive(16)
        assert link.records == [*records[:10], *records[4:10]]
        assert link.repeats == [(4, 8), (8, 10)]
        link.delivery.duplicate(1_000)
        link.now += 1
        await link.arrive(36)
        assert link.records[16:] == [*records[:10], *records[10:20]]
        assert link.repeats[2:] == [(0, 4), (4, 8), (8, 10)]
        assert link.given == 20


@story
async def test_drop_ends_duplicating(tmp_path: Path) -> None:
    """Not all of many hits are sent once more when the end comes."""
    async with linked(tmp_path, 2_000, pattern=Pattern(records_per_chunk=1)) as (link, records):
        link.now += 200
        await link.until(lambda: link.given == 2_000)
        link.delivery.duplicate(2_000)
        await link.until(lambda: link.repeats)
        answer = await link.end()
        assert link.repeats == [(n, n + 1) for n in range(len(link.repeats))]
        assert len(link.repeats) < 2_000
        assert lines(answer.read()) == answer.lines
        assert answer.records == records + records[: len(link.repeats)]


@story
async def test_nothing_to_duplicate(tmp_path: Path) -> None:
    """Before the first hit there is nothing to send once more."""
    async with linked(tmp_path) as (link, records):
        link.delivery.duplicate(5)
        await link.arrive(10)
        assert link.records == records[:10]
        assert link.repeats == []


@story
async def test_resumed_connection(tmp_path: Path) -> None:
    """What an earlier connection was given counts for nothing here, and is not sent once more."""
    pattern = Pattern(records_per_blank=5)
    async with linked(tmp_path, 10, pattern=pattern, resumed=3) as (link, records):
        link.delivery.malform("truncated")
        await link.arrive(8)
        link.delivery.duplicate(9)
        await link.arrive(15)
        made_up = malformed("truncated", b'{"reportSuite":"examplecomprod"}')
        again = [*records[3:8], *records[8:10]]
        assert link.answer.lines == [made_up, *records[3:8], b"", *records[8:10], *again]
        assert link.repeats == [(3, 10)]


@story
async def test_reorder(tmp_path: Path) -> None:
    """Exactly the next so many hits come in another order, once all of them are due."""
    async with linked(tmp_path, pattern=Pattern(records_per_chunk=8)) as (link, records):
        await link.arrive(10)
        link.delivery.reorder(25)
        link.now += 2
        await link.nothing_happens()
        assert link.given == 10
        link.now += 1
        await link.arrive(40)
        mixed = link.records[10:35]
        assert mixed != records[10:35]
        assert sorted(mixed) == sorted(records[10:35])
        assert link.records[:10] + link.records[35:] == records[:10] + records[35:40]
        assert link.given == 40
        assert max(len(lines(part)) for part in link.answer.parts) == 8


@story
async def test_reorder_counts_when_all_is_sent(tmp_path: Path) -> None:
    """While a client has not taken all of the reordered hits, the model knows of none."""
    pattern = Pattern(records_per_chunk=8)
    async with linked(tmp_path, size=20_000, pattern=pattern, reading=False) as (link, records):
        link.delivery.reorder(100)
        link.now += 60
        await link.blocked()
        assert link.given == 0
        reader = asyncio.create_task(link.read())
        await link.until(lambda: link.given)
        assert link.given == 100
        assert sorted(lines((await link.end()).read())) == sorted(records)
        await reader


@story
async def test_reorder_does_not_wait_for_ever(tmp_path: Path) -> None:
    """When no hit has come for half a minute, those that have come will do."""
    async with linked(tmp_path, 30) as (link, records):
        await link.arrive(10)
        link.delivery.reorder(50)
        await link.nothing_happens()
        link.now += 29
        await link.nothing_happens()
        link.now += 29
        await link.nothing_happens()
        link.now += 2
        await link.arrive(30)
        assert sorted(link.records[10:]) == sorted(records[10:])
        assert link.records != records
        assert link.given == 30


@story
async def test_new_member(tmp_path: Path) -> None:
    """A gzip member ends and another one begins, with or without hits, and nothing is lost."""
    async with linked(tmp_path) as (link, records):
        await link.arrive(10)
        sent = len(link.received)
        link.delivery.new_member()
        await link.until(lambda: len(link.received) > sent)
        link.now += 1
        await link.arrive(20)
        link.delivery.new_member()
        await link.until(lambda: len(link.received) > sent + 2)
        answer = await link.end()
        assert answer.members == [records[:10], records[10:20], []]
        assert lines(answer.read()) == records[:20]


@story
async def test_faults_in_their_order(tmp_path: Path) -> None:
    """Faults that were asked for together are carried out one by one, in that order."""
    async with linked(tmp_path) as (link, records):
        await link.arrive(10)
        link.delivery.malform("error")
        link.delivery.stall(5)
        link.delivery.duplicate(2)
        link.delivery.new_member()
        link.delivery.reorder(10)
        link.delivery.malform("json")
        await link.arrive(11)
        await link.nothing_happens()
        link.now += 6
        await link.arrive(74)
        error, broken = (malformed(kind, records[19]) for kind in ("error", "json"))
        first, second = (await link.end()).members
        assert first == [*records[:10], error, *records[8:10]]
        assert sorted(second[:10]) == sorted(records[10:20])
        assert second[10] == broken
        assert second[11:] == records[20:70]
