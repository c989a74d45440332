"""Real proxies on loopback, CONNECT and SOCKS: all that is asked for is one local service."""

import socket
import ssl
import threading
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from tests.scripted import Request, Scripted

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectProxy:
    """Serves from construction; `answer` other than the usual one is all that a client gets."""

    def __init__(
        self,
        service: Scripted | None = None,
        *,
        answer: bytes = ESTABLISHED,
        tls: ssl.SSLContext | None = None,
        silent: bool = False,
    ) -> None:
        self.requests: list[Request] = []
        self._service = service
        self._said = answer
        self._tls = tls
        self._silent = silent
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = f"http{'s' if tls else ''}://{self.address}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with suppress(OSError):
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                self.requests.append(_request(connection))
                if self._silent:
                    connection.recv(1)
                connection.sendall(self._said)
                if self._said == ESTABLISHED and self._service:
                    _tunnel(connection, self._service)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


def socks_proxy(service: Scripted, *answers: bytes) -> str:
    """Give each answer to one message of one client, then tunnel, if there are two; its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener, suppress(OSError), listener.accept()[0] as connection:
            for answer in answers:
                connection.recv(65536)
                connection.sendall(answer)
            if len(answers) == 2:
                _tunnel(connection, service)

    threading.Thread(target=serve, daemon=True).start()
    return f"socks5h://127.0.0.1:{listener.getsockname()[1]}"


def _request(connection: socket.socket) -> Request:
    head = b""
    while b"\r\n\r\n" not in head:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError("the client went away")
        head += more
    first, *rest = head.decode().split("\r\n\r\n")[0].split("\r\n")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)}
    return Request(first.removesuffix(" HTTP/1.1"), headers)


def _tunnel(client: socket.socket, service: Scripted) -> None:
    parts = urlsplit(service.here)
    with socket.create_connection((parts.hostname, parts.port)) as server:
        back = threading.Thread(target=_pump, args=(server, client), daemon=True)
        back.start()
        _pump(client, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
