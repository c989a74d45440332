"""A prepared stream: hits packed before any clock starts, and a server that only sends them.

A feed is a file of HTTP chunks that hold one gzip member (made by ``packing``); any whole number of
its chunks can be ended as a member in good order.

A client asks by the stream's name for a programme of parts: ``bulk-2560`` is 2,560 hits as fast as
they are taken, ``steady-2000-1000`` is 2,000 hits at 1,000 a second, ``pause`` is silence until
someone connects (`go_on`); ``lean-256_pause_bulk-256`` is one after the other. ``/sent`` tells when
each chunk of the last paced part was given to the socket, on the machine's monotonic clock.

``python -m tests.benchmarks.feed DIRECTORY`` serves one client after another until its standard
input ends; the port is the first line it prints.
"""

import json
import mmap
import os
import select
import socket
import subprocess
import sys
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Self
from urllib.parse import urlsplit

PATIENCE = 60.0  # seconds for a client to take something
HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
)


@dataclass
class Index:
    """Where a feed's chunks end: in the file, in hits, in bytes unpacked; and checksums so far."""

    ends: list[int] = field(default_factory=list)
    hits: list[int] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    sums: list[int] = field(default_factory=list)


def pin(core: int) -> None:
    """Keep this process on one of its cores: 0 is the first, -1 the last."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[core]})


def chunk(data: bytes) -> bytes:
    """A chunk of HTTP."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class Feed:
    """A prepared feed, read from its file."""

    def __init__(self, data: memoryview, index: Index) -> None:
        self._data = data
        self._index = index

    @classmethod
    def load(cls, directory: Path, name: str) -> Self:
        with (directory / f"{name}.wire").open("rb") as file:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        index = Index(**json.loads((directory / f"{name}.json").read_text()))
        return cls(memoryview(data), index)

    def chunks(self, hits: int) -> Iterator[tuple[int, memoryview]]:
        """Yield how many hits were given then, and a chunk of HTTP."""
        start = 0
        for place in range(self._last(hits) + 1):
            end = self._index.ends[place]
            yield self._index.hits[place], self._data[start:end]
            start = end

    def whole(self, hits: int) -> memoryview:
        """All chunks of so many hits at once."""
        return self._data[: self._index.ends[self._last(hits)]]

    def pieces(self, hits: int) -> list[bytes]:
        """The gzip stream alone, cut as it is on the wire."""
        return [bytes(data).split(b"\r\n", 1)[1][:-2] for _, data in self.chunks(hits)]

    def trailer(self, hits: int) -> bytes:
        """The chunk that ends the gzip member after so many hits (RFC 1951, RFC 1952)."""
        last = self._last(hits)
        numbers = (self._index.sums[last], self._index.sizes[last] % 2**32)
        return chunk(b"\x03\x00" + b"".join(n.to_bytes(4, "little") for n in numbers))

    def _last(self, hits: int) -> int:
        place = bisect_left(self._index.hits, hits)
        if place == len(self._index.hits) or self._index.hits[place] != hits:
            raise ValueError(f"{hits} hits are no whole number of chunks of this feed")
        return place


class Server:
    """Sends programmes to one client of a listener after another."""

    def __init__(self, listener: socket.socket, feeds: dict[str, Feed]) -> None:
        self._listener = listener
        self._feeds = feeds
        self._sent: list[tuple[int, float]] = []

    def serve(self) -> None:
        """Take the next client, read its request and send what it asks for."""
        client = self._accept()
        with client, suppress(OSError):
            asked = b""
            while b"\r\n\r\n" not in asked:
                if not (more := client.recv(1 << 16)):
                    return
                asked += more
            self._answer(client, asked.split(b" ", 2)[1].decode())

    def _accept(self) -> socket.socket:
        client, _ = self._listener.accept()
        client.settimeout(PATIENCE)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return client

    def _answer(self, client: socket.socket, path: str) -> None:
        if path == "/sent":
            client.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + json.dumps(self._sent).encode())
            return
        client.sendall(HEAD)
        for part in path.rsplit("/", 1)[-1].split("?")[0].split("_"):
            if part == "pause":
                self._accept().close()
            else:
                self._give(client, *part.split("-"))
        client.sendall(b"0\r\n\r\n")

    def _give(self, client: socket.socket, name: str, many: str, rate: str = "") -> None:
        feed, hits = self._feeds[name], int(many)
        if rate:
            self._sent = [*paced(client, feed.chunks(hits), float(rate))]
        else:
            client.sendall(feed.whole(hits))
        client.sendall(feed.trailer(hits))


def paced(
    client: socket.socket, chunks: Iterator[tuple[int, memoryview]], rate: float
) -> Iterator[tuple[int, float]]:
    """Send chunks when their last hit is due; yield hits so far, and when they were given."""
    began = monotonic()
    for hits, data in chunks:
        sleep(max(0.0, began + hits / rate - monotonic()))
        yield hits, monotonic()
        client.sendall(data)


def serve(directory: Path) -> None:
    """Serve on loopback, from the last core, until standard input ends."""
    pin(-1)
    feeds = {path.stem: Feed.load(directory, path.stem) for path in directory.glob("*.wire")}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        print(listener.getsockname()[1], flush=True)
        server = Server(listener, feeds)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            server.serve()


def go_on(url: str) -> None:
    """End a pause of the server that gives this stream."""
    parts = urlsplit(url)
    socket.create_connection((parts.hostname, parts.port), timeout=PATIENCE).close()


@contextmanager
def served(directory: Path) -> Iterator[str]:
    """Serve a directory's feeds from another process: the URL that a programme's name is added to.

    The server ends with this process, too, whatever becomes of it.
    """
    said = [sys.executable, "-m", "tests.benchmarks.feed", str(directory)]
    with subprocess.Popen(said, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:
        try:
            yield f"http://127.0.0.1:{int(server.stdout.readline())}/api/1/stream/"
        finally:
            server.kill()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
