"""HTTP around the model: sockets in, sockets out, in a thread of its own.

The thread owns the models and their logs: whatever else wants to see or change them asks it to
(:meth:`Server.ask`). It works on bare sockets, so that what a send reports as taken was taken by
the machine's network and waits in no buffer here, and a slow client holds up nothing but itself.
"""

import asyncio
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import h11

from livestream_nb.simulator.delivery import LINGER, Delivery, Pattern
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.http.exchange import Reply
from livestream_nb.simulator.http.face import Admitted, Face
from livestream_nb.simulator.http.reception import RECEIVED, receive
from livestream_nb.simulator.service import Stream

Answer = TypeVar("Answer")
PATIENCE = 10.0  # real seconds for a client to say what it wants, or to take a short answer
SENT_AHEAD = 131_072  # bytes the network may hold for a client: they may be lost in a reset


@dataclass(eq=False)
class Served:
    """A stream, its hits, and how they go out; belongs to the server's thread."""

    stream: Stream
    hits: HitLog
    pattern: Pattern = field(default_factory=Pattern)
    deliveries: set[Delivery] = field(default_factory=set)

    def open_deliveries(self) -> list[Delivery]:
        """The deliveries to clients that are there, oldest first; not those that are ending."""
        there = self.stream.open
        found = [each for each in self.deliveries if each.connection in there]
        return sorted(found, key=lambda each: each.connection)


class Server:
    """Streams, served on listening sockets from the first one that is there until :meth:`stop`.

    Parameters
    ----------
    listeners : sequence of socket
        Bound and listening; closed when the server ends. The first is the main one.
    face : Face
        What answers requests.
    now : callable
        Service time.
    real : callable
        How many real seconds so many service seconds last.
    began : callable, optional
        Called with a stream's name, in the server's thread, when it has its first connection.
    """

    def __init__(
        self,
        listeners: Sequence[socket.socket],
        face: Face,
        *,
        now: Callable[[], float],
        real: Callable[[float], float],
        began: Callable[[str], None] | None = None,
    ) -> None:
        self._listeners = listeners
        self._face = face
        self._now = now
        self._real = real
        self._began = began
        self._served: dict[str, Served] = {}
        self._tasks: dict[asyncio.Task[None], socket.socket] = {}
        self._gate = threading.Lock()
        self._serving = True
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="livestream-simulator", daemon=True)
        self._thread.start()

    def add(self, served: Served) -> None:
        """Serve one more stream."""
        self.ask(lambda: self._add(served))

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Let the server's thread call the question, or this one once the server has ended."""
        if threading.current_thread() is self._thread:
            return question()
        with self._gate:
            if self._serving:
                answer = asyncio.run_coroutine_threadsafe(_reply(question), self._loop)
            else:
                answer = None
        if answer is not None:
            return answer.result()
        self._thread.join()
        return question()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Call ``act`` in so many service seconds, unless stopped. Within :meth:`ask` only."""
        if self._serving:
            self._loop.call_later(self._real(seconds), self._act, act)

    def stop(self) -> None:
        """Close every socket and end the thread; without effect once that is done."""
        with self._gate:
            if self._serving:
                self._serving = False
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _add(self, served: Served) -> None:
        self._face.add(served.stream)
        if self._serving and not self._served:
            self._listen()
        self._served[served.stream.name] = served

    def _listen(self) -> None:
        for place, listener in enumerate(self._listeners):
            listener.setblocking(False)
            self._loop.add_reader(listener, self._accept, listener, place)

    def _act(self, act: Callable[[], None]) -> None:
        if self._serving:
            act()

    def _run(self) -> None:
        try:
            self._loop.run_forever()
        finally:
            for listener in self._listeners:
                self._loop.remove_reader(listener)
                listener.close()
            for served in self._served.values():
                served.hits.change_tempo(0.0, None, self._now())
            self._loop.run_until_complete(self._leave())
            self._loop.close()

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _accept(self, listener: socket.socket, place: int) -> None:
        with suppress(OSError):  # a client that has gone again
            client, _ = listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
            task = self._loop.create_task(self._serve(client, place))
            self._tasks[task] = client
            task.add_done_callback(self._close)

    def _close(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task).close()

    async def _serve(self, client: socket.socket, listener: int) -> None:
        http = h11.Connection(h11.SERVER)
        with suppress(OSError):
            async with asyncio.timeout(PATIENCE):
                request = await receive(client, http)
            now = self._now()
            if request is None:
                await self._reply(client, self._face.malformed(now).encode())
                return
            answer = self._face.answer(request, listener, now)
            if isinstance(answer, Reply):
                await self._reply(client, answer.encode(request.method))
            else:
                await self._deliver(client, http, answer, now)

    async def _reply(self, client: socket.socket, written: bytes) -> None:
        async with asyncio.timeout(PATIENCE):
            await self._loop.sock_sendall(client, written)
        client.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LINGER):
            while await self._loop.sock_recv(client, RECEIVED):
                pass

    async def _deliver(
        self, client: socket.socket, http: h11.Connection, admitted: Admitted, now: float
    ) -> None:
        served, opened = self._served[admitted.stream], admitted.opened
        served.hits.begin(now)
        if opened.connection == 1 and self._began is not None:
            self._began(admitted.stream)
        delivery = Delivery(
            client,
            http,
            opened,
            stream=served.stream,
            hits=served.hits,
            now=self._now,
            pattern=served.pattern,
        )
        served.deliveries.add(delivery)
        try:
            await delivery.run()
        finally:
            served.deliveries.discard(delivery)


async def _reply(question: Callable[[], Answer]) -> Answer:
    return question()
