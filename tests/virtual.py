"""A reader's slots against the model of the service, in virtual time.

Slots, queue, claim, requests, tokens, policy, timeline, intake, gaps and the service are the
real ones. Replaced is what moves bytes and what waits: a wire that loses connections and requests
as it is told to, an event loop whose time passes at once, and state that is kept in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any, Never
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

import polars as pl

from livestream_nb.connection import claim as claims
from livestream_nb.connection import slot as slotting
from livestream_nb.connection.access import Access
from livestream_nb.connection.asking import Asking
from livestream_nb.connection.claim import Claim
from livestream_nb.connection.credentials import BearerToken
from livestream_nb.connection.queue import Queue
from livestream_nb.connection.state import Record
from livestream_nb.connection.timeline import Timeline
from livestream_nb.connection.transport import Broken
from livestream_nb.connection.unpacking import Unpacking
from livestream_nb.gaps import gaps
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.repeats import Spell
from livestream_nb.policy import Policy, Turns
from livestream_nb.protocol.request import StreamRequest
from livestream_nb.protocol.status import Cause
from livestream_nb.simulator.http.refusals import Refused
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.service import Asked, Stream
from livestream_nb.simulator.share import Share
from livestream_nb.simulator.tempo import Tempo

BEGAN = 1_000.0
RATE = 2.0  # hits per second of the whole stream
PUMP = 5.0  # seconds between two writes of the service
IN_NETWORK = 0.4  # seconds for which bytes are under way, and may be lost
KEEPALIVE = 120.0  # seconds after which a dead peer is found
SPINNING = 10_000


class Loop(asyncio.BaseEventLoop):
    """An event loop whose time passes at once whenever there is nothing to do."""

    def __init__(self) -> None:
        super().__init__()
        self._selector = self
        self._now = BEGAN
        self._rounds = 0

    def time(self) -> float:
        return self._now

    def select(self, timeout: float | None) -> list[Any]:
        assert timeout is not None, "everything waits, and for nothing"
        self._rounds = 0 if timeout else self._rounds + 1
        assert self._rounds < SPINNING, "something never waits"
        self._now += timeout
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are none."""

    def _write_to_self(self) -> None:
        """Nothing has to be woken."""


@dataclass(frozen=True)
class LoopClock:
    """What `Clock` is, for a loop: service time is the loop's."""

    loop: Loop
    rate: float = 1.0

    def monotonic(self) -> float:
        return self.loop.time()

    utc = wall = monotonic

    def real(self, seconds: float) -> float:
        return seconds

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(max(0.0, seconds))


class AtOnce:
    """A worker that needs no thread."""

    async def run(self, job: Callable[[], Any]) -> Any:
        return job()

    def submit(self, job: Callable[[], Any]) -> Future[Any]:
        done: Future[Any] = Future()
        done.set_result(job())
        return done


class Disk:
    """What processes leave for each other; a killed one writes no more."""

    def __init__(self) -> None:
        self.record: Record | None = None

    def store(self) -> "Store":
        return Store(self)


class Store:
    """The store of one claim, in memory."""

    def __init__(self, disk: Disk) -> None:
        self._disk: Disk | None = disk

    def acquire(self) -> None:
        """Nobody else is there."""

    def release(self) -> None:
        """Nobody waits."""

    def read(self) -> Record | None:
        return self._disk.record

    def write(self, record: Record) -> bool:
        if self._disk is not None:
            self._disk.record = record
        return True

    def kill(self) -> None:
        self._disk = None


class Log:
    """When hits enter the stream's log, dealt to the shares one after another."""

    def __init__(self) -> None:
        self._tempo = Tempo(BEGAN)

    def rest(self, seconds: float, now: float) -> None:
        self._tempo.change(0.0, seconds, now)

    def logged(self, share: Share, now: float) -> int:
        whole = max(0, int(self._tempo.elapsed(now) * RATE))
        return (whole - share.slot + share.slots - 1) // share.slots

    def moments(self, numbers: list[int]) -> list[float]:
        return self._tempo.moments([(number + 1) / RATE for number in numbers])


def numbered(share: Share, first: int, end: int) -> range:
    """The places in the whole log of a share's hits from ``first`` up to, not with, ``end``."""
    return range(share.slot + first * share.slots, share.slot + end * share.slots, share.slots)


@dataclass
class Request:
    """What the service knows of one request that reached it; ``ended``: of all that it held."""

    reader: int
    run: int
    slot: int
    sent: float
    status: int | None = None
    answered: float | None = None
    ended: float | None = None
    connection: int | None = None

    @property
    def holds(self) -> bool:
        """Whether it may hold a slot for a while after its end."""
        return self.status in (None, 200, 409, 429) or self.status >= 500


@dataclass
class Line:
    """An open connection: what was written at one end, and received at the other."""

    connection: int
    share: Share
    first: int
    received: int
    lost: asyncio.Future[Broken]
    spell: Spell | None = None
    heard: float = 0.0
    deaf_since: float | None = None
    how: str = ""


@dataclass
class Answer:
    """What a slot is given to read."""

    status: int
    headers: dict[str, str]
    text: bytes = b""
    line: Line | None = None

    async def body(self) -> bytes:
        return self.text


class Reading:
    """Stands for `connection.reading.Reading`: reads without bytes."""

    def __init__(self, clock: LoopClock, unpacking: Unpacking, worker: object) -> None:
        self._spell = Spell(unpacking.connection, unpacking.opened)

    @property
    def arrived(self) -> float:
        return self._line.heard

    async def watched(self, answer: Answer, limits: object, saw: object) -> Broken:
        self._line = answer.line
        self._line.spell, self._line.heard = self._spell, self._spell.opened
        return await self._line.lost


@dataclass
class Faults:
    """What goes wrong at present."""

    unreachable: bool = False
    unanswered: float | None = None  # so many seconds until the client gives up
    status: int | None = None
    retry_after: int | None = None
    tokenless: bool = False
    good_token: int = 0
    issued_token: int = 0


class World:
    """One stream, its service, and the processes that read it one after the other.

    Attributes
    ----------
    requests : list of Request
        All that reached the service, in their order.
    lines : dict of int to Line
        All connections that a reader's request was given, by the service's number.
    receive : callable
        Told up to which offset a client's line has brought hits, before ``line`` says so.
    """

    def __init__(self, rules: Rules, seed: int, *, origin: str, slots: int) -> None:
        self.loop = Loop()
        self.clock = LoopClock(self.loop)
        self.chance = Random(seed)  # noqa: S311  # spreads waits; guards nothing
        self.log = Log()
        self.stream = Stream(self.log.logged, rules=rules)
        self.faults = Faults()
        self.requests: list[Request] = []
        self.lines: dict[int, Line] = {}
        self.other: int | None = None
        self.receive: Callable[[Line, int], None] = lambda line, due: None
        self.disk = Disk()
        self.request = StreamRequest(f"{origin}/api/1/stream/demo", slots)
        self._patches = ExitStack()
        self._patches.enter_context(patch.object(slotting, "Reading", Reading))
        self._patches.enter_context(patch.object(claims, "Store", lambda *_: self.disk.store()))
        claims._floors.pop(self.request.key, None)
        self._pumping()

    @property
    def now(self) -> float:
        return self.loop.time()

    def close(self) -> None:
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()
        self._patches.close()

    def pass_time(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def settle(self) -> None:
        """Let happen whatever needs no time."""
        self.pass_time(1e-3)

    # ------------------------------------------------------------------ the wire

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[Answer]:
        """Stands for `Transport.get`."""
        if self.faults.unreachable:
            await asyncio.sleep(self.chance.uniform(0.0, 1.0))
            raise Broken(Cause.UNREACHABLE, "refused")
        reader, run, slot = map(int, asyncio.current_task().get_name().split())
        request = Request(reader, run, slot, self.now)
        self.requests.append(request)
        try:
            await asyncio.sleep(self.chance.uniform(0.01, 1.0))
            answer = self._answer(request, url, headers)
            if self.faults.unanswered is not None:
                await asyncio.sleep(self.faults.unanswered)
                raise Broken(Cause.DROPPED, "no answer came")
            await asyncio.sleep(self.chance.uniform(0.01, 1.0))
            request.status, request.answered = answer.status, self.now
            yield answer
        finally:
            request.ended = self.now
            request.answered = request.answered or self.now
            self._left(request)

    def _answer(self, request: Request, url: str, headers: Mapping[str, str]) -> Answer:
        if headers["Authorization"] != f"Bearer token-{self.faults.good_token}":
            return Answer(401, {}, b"not authorized")
        if self.faults.status is not None:
            after = self.faults.retry_after
            return Answer(self.faults.status, {} if after is None else {"retry-after": str(after)})
        query = parse_qs(urlsplit(url).query)
        asked = Asked(int(query["maxConnections"][0]), *query.get("reset", ()))
        opened = self.stream.connect(asked, self.now)
        if isinstance(opened, Refused):
            after = opened.retry_after
            said = {} if after is None else {"retry-after": str(int(after))}
            return Answer(opened.status, said, opened.description.encode())
        request.connection = opened.connection
        lost = self.loop.create_future()
        line = Line(opened.connection, opened.share, opened.offset, opened.offset, lost)
        self.lines[opened.connection] = line
        return Answer(200, {}, line=line)

    def _left(self, request: Request) -> None:
        if request.connection is not None:
            self.pump()
            self.stream.close(request.connection, self.now, "left")

    def _pumping(self) -> None:
        self.pump()
        self.loop.call_later(PUMP, self._pumping)

    def pump(self) -> None:
        """Write what is due to every open connection."""
        for connection in self.stream.open:
            due = self.stream.due(connection, self.now)
            self.stream.wrote(connection, due, self.now)
            line = self.lines.get(connection)
            if line and line.spell and line.deaf_since is None and due > line.received:
                self.receive(line, due)
                line.received, line.heard = due, self.now

    # ------------------------------------------------------------------ what is done to it

    def reading(self) -> list[Line]:
        """The connections that a client believes to be open."""
        return [each for each in self.lines.values() if each.spell and not each.lost.done()]

    def alive(self) -> list[Line]:
        """Those that are open indeed."""
        return [each for each in self.reading() if each.deaf_since is None]

    def dead(self) -> list[Line]:
        """Those that bring nothing any more."""
        return [each for each in self.reading() if each.deaf_since is not None]

    def lose(self, line: Line, how: str, notice: float | None = None) -> None:
        """Lose a connection.

        ``dropped``: ended by the service. ``cut``: so, and what was under way is lost.
        ``vanished``, ``corrupt``, ``closed``: ended by the client. ``dead``: the service gives it
        up, and the client finds out by keepalive. ``void``: so, but the service writes on to
        nobody.
        """
        self.pump()
        line.how = how
        if how in ("cut", "dead", "void"):
            line.deaf_since = self.now
        if how == "cut":
            self.pass_time(IN_NETWORK)
            self.pump()
        if how in ("dropped", "cut", "dead"):
            self.stream.close(line.connection, self.now, "dropped", notice)
        silent = how in ("dead", "void")
        cause = Cause(how) if how in ("corrupt", "closed") else Cause.DROPPED
        broken = Broken(cause, how, silent=silent)
        after = KEEPALIVE if silent else 0.0
        self.loop.call_later(after, _lost, line, broken)
        self.settle()

    def other_comes(self, count: int) -> None:
        """Another consumer asks for a connection."""
        answer = self.stream.connect(Asked(count), self.now)
        if self.other is None and not isinstance(answer, Refused):
            self.other = answer.connection
        elif not isinstance(answer, Refused):
            self.stream.close(answer.connection, self.now, "left")

    def other_leaves(self) -> None:
        if self.other is not None:
            self.pump()
            self.stream.close(self.other, self.now, "left")
            self.other = None

    def token(self) -> str:
        """What the user's credentials answer."""
        if self.faults.tokenless:
            raise ConnectionError
        return f"token-{self.faults.issued_token}"


def _lost(line: Line, broken: Broken) -> None:
    if not line.lost.done():
        line.lost.set_result(broken)


@dataclass
class Batch:
    """Hits of one connection that came at about one time."""

    spell: Spell
    share: Share
    first: int
    end: int
    arrived: float


class Reader:
    """One process that reads the stream: its slots, its memory, its journal."""

    def __init__(self, world: World, number: int, policy: Policy) -> None:
        self.number = number
        self.runs = 0
        self.timeline = Timeline()
        self.intake = Intake(resolve(("hitIdHigh", "hitIdLow")))
        self.running = False
        self.stopped_at = world.now
        self._world = world
        self._policy = policy
        self._inbox: list[Batch] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._claim: Claim | None = None
        world.receive = self._received

    def start(self, reset: str | None = None) -> None:
        world, clock = self._world, self._world.clock
        self.runs += 1
        self.running = True
        self._claim = Claim.take(world.request.key, clock)
        request = StreamRequest(world.request.base, world.request.connections, reset)
        access = Access(BearerToken(world.token), clock, world, AtOnce())
        stream = slotting.Stream(
            asking=Asking(request, access, world, clock),
            policy=self._policy,
            clock=clock,
            draw=world.chance.uniform,
            timeline=self.timeline,
            claim=self._claim,
            queue=Queue(Turns(request.connections), clock),
            deliver=unused,
            unpack=AtOnce(),
            digest=AtOnce(),
            state=AtOnce(),
            changed=lambda _: None,
        )
        self._tasks = [self._task(refreshing(self._claim, clock), 0)]
        for number in range(1, request.connections + 1):
            self._tasks.append(self._task(slotting.Slot(number, stream).run(), number))
        world.settle()

    def stop(self) -> None:
        """As the user does."""
        self._world.pump()
        self._end()
        self._claim.release()

    def kill(self) -> None:
        """As SIGKILL does: nothing is written, and the next process knows what the disk says."""
        self._world.pump()
        self._claim._store.kill()
        self._end()
        claims._floors.pop(self._world.request.key)
        self._claim._let_go()

    def check(self) -> None:
        """Raise what broke off a slot."""
        for task in self._tasks:
            if task.done() and not task.cancelled():
                task.result()

    def hear_again(self, line: Line, count: int) -> None:
        """Be given the last hits of a connection once more."""
        first = max(line.first, line.received - count)
        self._world.stream.repeated(line.connection, first, line.received)
        self._inbox.insert(0, Batch(line.spell, line.share, first, line.received, self._world.now))

    def gaps(self) -> pl.DataFrame:
        """As `Reader.gaps()`."""
        now = pl.Series([round(self._world.now * 1e6)]).cast(pl.Datetime("us", "UTC"))[0]
        buffer = self.intake.buffer
        frame = self.timeline.frame(self._world.now)
        return gaps(frame, buffer.seconds(), buffer.repeats(), now=now)

    def digest(self) -> None:
        """Take in what came."""
        for batch in reversed(self._inbox):
            numbers = numbered(batch.share, batch.first, batch.end)
            block = b"".join(b'{"hitIdHigh":7,"hitIdLow":%d}\n' % number for number in numbers)
            self.intake.take(Piece(block, batch.spell, batch.arrived))
        self._inbox.clear()

    def _task(self, work: Any, number: int) -> asyncio.Task[None]:
        name = f"{self.number} {self.runs} {number}"
        return self._world.loop.create_task(work, name=name)

    def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        self.running = False
        self.stopped_at = self._world.now
        self._world.settle()

    def _received(self, line: Line, due: int) -> None:
        """Note what came; all but a connection's first hits may as well come a little later."""
        now = self._world.now
        batch = next((each for each in self._inbox if each.spell == line.spell), None)
        if batch is not None and batch.first > line.first:
            batch.end, batch.arrived = due, now
        else:
            self._inbox.insert(0, Batch(line.spell, line.share, line.received, due, now))


def unused(delivery: object) -> Never:
    """What is received comes from the world, without bytes."""
    raise AssertionError(f"{delivery} was handed on")


async def refreshing(claim: Claim, clock: LoopClock) -> None:
    """As the session does."""
    while True:
        await clock.sleep(claim.interval)
        claim.refresh()
