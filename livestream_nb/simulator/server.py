"""HTTP around the model: sockets in, sockets out, in a thread of its own.

The thread owns the model and the log: whatever else wants to see or change them asks it to
(:meth:`Server.ask`). It works on bare sockets, so that what a send reports as taken was taken by
the machine's network and waits in no buffer here, and a slow client holds up nothing but itself.
"""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import h11

from livestream_nb.simulator.admission import Asked, check
from livestream_nb.simulator.delivery import LINGER, RECEIVED, Delivery
from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.refusals import MALFORMED, Refused, response
from livestream_nb.simulator.service import Opened, Stream

Answer = TypeVar("Answer")
PATIENCE = 10.0  # real seconds for a client to say what it wants
SENT_AHEAD = 131_072  # bytes the network may hold for a client: they may be lost in a reset


class Server:
    """One stream, served on a listening socket from construction until :meth:`stop`.

    Parameters
    ----------
    listener : socket
        Bound and listening; closed when the server ends.
    path : str
        Where the stream is.
    token : str
        The bearer token that is let in.
    stream, hits
        The model, and the log of hits that it speaks of.
    now : callable
        Service time.
    """

    def __init__(
        self,
        listener: socket.socket,
        *,
        path: str,
        token: str,
        stream: Stream,
        hits: HitLog,
        now: Callable[[], float],
    ) -> None:
        self._listener = listener
        self._path = path
        self._token = token
        self._stream = stream
        self._hits = hits
        self._now = now
        self._tasks: dict[asyncio.Task[None], socket.socket] = {}
        self._deliveries: set[Delivery] = set()
        self._gate = threading.Lock()
        self._serving = True
        self._loop = asyncio.SelectorEventLoop()
        self._thread = threading.Thread(target=self._run, name="livestream-simulator", daemon=True)
        self._thread.start()

    def ask(self, question: Callable[[], Answer]) -> Answer:
        """Let the server's thread call the question, or this one once the server has ended."""
        with self._gate:
            if self._serving:
                answer = asyncio.run_coroutine_threadsafe(_reply(question), self._loop)
            else:
                answer = None
        if answer is not None:
            return answer.result()
        self._join()
        return question()

    def stop(self) -> None:
        """Close every socket and end the thread; without effect once that is done."""
        with self._gate:
            if self._serving:
                self._serving = False
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._join()

    def drop(self, ghost: float | None) -> int:
        """End the open connections in good order and count them. Within :meth:`ask` only."""
        return self._end("dropped", ghost, Delivery.drop)

    def reset(self, ghost: float | None) -> int:
        """End the open connections by TCP reset and count them. Within :meth:`ask` only."""
        return self._end("reset", ghost, Delivery.reset)

    def go_quiet(self) -> None:
        """Let no more hits enter the log. Within :meth:`ask` only."""
        now = self._now()
        self._hits.go_quiet(now)
        self._stream.quiet(now)

    def _end(self, how: str, ghost: float | None, end: Callable[[Delivery], None]) -> int:
        ended = [each for each in self._deliveries if each.connection in self._stream.open]
        for delivery in ended:
            self._stream.close(delivery.connection, self._now(), how, ghost)
            end(delivery)
        return len(ended)

    def _join(self) -> None:
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            self._listener.setblocking(False)
            self._loop.add_reader(self._listener, self._accept)
            self._loop.run_forever()
        finally:
            self._loop.remove_reader(self._listener)
            self._listener.close()
            self._hits.go_quiet(self._now())
            self._loop.run_until_complete(self._leave())
            self._loop.close()

    async def _leave(self) -> None:
        for task in self._tasks:
            task.cancel()
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _accept(self) -> None:
        with suppress(OSError):  # a client that has gone again
            client, _ = self._listener.accept()
            client.setblocking(False)
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SENT_AHEAD)
            task = self._loop.create_task(self._serve(client))
            self._tasks[task] = client
            task.add_done_callback(self._close)

    def _close(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task).close()

    async def _serve(self, client: socket.socket) -> None:
        http = h11.Connection(h11.SERVER)
        with suppress(OSError):
            async with asyncio.timeout(PATIENCE):
                request = await self._receive(client, http)
            answer = self._answer(request)
            if isinstance(answer, Refused):
                await self._refuse(client, answer)
            else:
                await self._deliver(client, http, answer)

    async def _receive(self, client: socket.socket, http: h11.Connection) -> h11.Request | Refused:
        try:
            while not isinstance(event := http.next_event(), h11.Request):
                received = await self._loop.sock_recv(client, RECEIVED)
                if not received:
                    raise ConnectionAbortedError
                http.receive_data(received)
        except h11.RemoteProtocolError:
            return MALFORMED
        return event

    def _answer(self, request: h11.Request | Refused) -> Opened | Refused:
        now = self._now()
        asked = self._check(request)
        if isinstance(asked, Refused):
            self._stream.refuse(asked, now)
            return asked
        answer = self._stream.connect(asked.max_connections, now)
        if isinstance(answer, Opened):
            self._hits.begin(now)
        return answer

    def _check(self, request: h11.Request | Refused) -> Asked | Refused:
        if isinstance(request, Refused):
            return request
        return check(request, path=self._path, token=self._token)

    async def _refuse(self, client: socket.socket, refused: Refused) -> None:
        await self._loop.sock_sendall(client, response(refused))
        client.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(LINGER):
            while await self._loop.sock_recv(client, RECEIVED):
                pass

    async def _deliver(self, client: socket.socket, http: h11.Connection, opened: Opened) -> None:
        delivery = Delivery(
            client, http, opened, stream=self._stream, hits=self._hits, now=self._now
        )
        self._deliveries.add(delivery)
        try:
            await delivery.run()
        finally:
            self._deliveries.discard(delivery)


async def _reply(question: Callable[[], Answer]) -> Answer:
    return question()
