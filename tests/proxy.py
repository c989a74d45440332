"""Real proxies on loopback, CONNECT and SOCKS: all that is asked for is one local service."""

import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from tests.scripted import Scripted

ESTABLISHED = b"HTTP/1.1 200 Connection established\r\n\r\n"


class ConnectProxy(Scripted):
    """`answer` other than the usual one is all that a client gets; a silent one waits first."""

    def __init__(
        self,
        service: Scripted | None = None,
        *,
        answer: bytes = ESTABLISHED,
        tls: ssl.SSLContext | None = None,
        silent: bool = False,
    ) -> None:
        def connect(connection: socket.socket, _: str) -> None:
            if silent:
                connection.recv(1)
            connection.sendall(answer)
            if answer == ESTABLISHED and service:
                _tunnel(connection, service)

        super().__init__(connect, tls=tls)
        self.url = self.here
        self.address = urlsplit(self.here).netloc


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
