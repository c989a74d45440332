"""A service that answers each request as a script says: real sockets, one thread per connection."""

import gzip
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable
from typing import NamedTuple, Self

HEAD = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"


class Request(NamedTuple):
    path: str
    headers: dict[str, str]


Answer = Callable[[socket.socket, str], None]


def record(n: int, **more) -> dict:
    return {"hitIdHigh": 2**63 + n, "hitIdLow": n, "timeGMT": 1_700_000_000 + n} | more


def lines(*records: dict | bytes) -> bytes:
    return b"".join(
        (r if isinstance(r, bytes) else json.dumps(r).encode()) + b"\r\n" for r in records
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def stream(*parts: bytes, end: str = "clean") -> Answer:
    """Send each part as a chunk of its own; then end clean, cut, by reset, or hold on."""

    def answer(connection: socket.socket, _: str) -> None:
        connection.sendall(HEAD + b"".join(chunk(part) for part in parts))
        if end == "clean":
            connection.sendall(b"0\r\n\r\n")
        elif end == "cut":
            connection.sendall(b"fff\r\n" + gzip.compress(lines(record(99)))[:12])
        elif end == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            hold(connection, "")

    return answer


def hits(*numbers: int, end: str = "clean") -> Answer:
    """A stream of one gzip member with these records."""
    return stream(gzip.compress(lines(*map(record, numbers))), end=end)


def refuse(status: int, body: bytes = b"", **headers: str) -> Answer:
    def answer(connection: socket.socket, _: str) -> None:
        named = {"Content-Length": str(len(body)), "Connection": "close"} | headers
        head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items())
        connection.sendall(f"HTTP/1.1 {status} So\r\n{head}\r\n".encode() + body)

    return answer


def redirect(location: str, status: int = 302) -> Answer:
    """To a location; `{here}` in it is the service's own address."""

    def answer(connection: socket.socket, here: str) -> None:
        refuse(status, Location=location.format(here=here))(connection, here)

    return answer


def hold(connection: socket.socket, _: str) -> None:
    """Say nothing more, until the client goes."""
    while connection.recv(65536):
        pass


class Scripted:
    """Serves from construction; the last answer is given to all further requests, too."""

    def __init__(self, *answers: Answer, tls: ssl.SSLContext | None = None) -> None:
        self.requests: list[Request] = []
        self._answers = list(answers)
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.here = f"http{'s' if tls else ''}://127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"{self.here}/api/1/stream/scripted"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self._exchange(connection)
        except OSError:
            connection.close()

    def _exchange(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            more = connection.recv(65536)
            if not more:
                return
            head += more
        first, *rest = head.decode().split("\r\n\r\n")[0].split("\r\n")
        headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
        self.requests.append(Request(first.split(" ")[1], headers))
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        answer(connection, self.here)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
