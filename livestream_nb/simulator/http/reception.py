"""From a socket's bytes to a request."""

import asyncio
import socket

import h11

from livestream_nb.simulator.http.exchange import Request
from livestream_nb.simulator.http.oauth import LONGEST_BODY

RECEIVED = 4_096  # bytes read at a time; clients have little to say


async def receive(client: socket.socket, http: h11.Connection) -> Request | None:
    """Read one request; of a body that is too long, little more than what makes it so.

    Returns
    -------
    Request or None
        None when it is not HTTP.

    Raises
    ------
    OSError
        When the client goes before it has said everything.
    """
    try:
        head = await _head(client, http)
        return _request(head, await _body(client, http))
    except h11.RemoteProtocolError:
        return None


async def _head(client: socket.socket, http: h11.Connection) -> h11.Request:
    while not isinstance(event := http.next_event(), h11.Request):
        await _feed(client, http)
    return event


async def _body(client: socket.socket, http: h11.Connection) -> bytes:
    body = b""
    while len(body) <= LONGEST_BODY:
        event = http.next_event()
        if isinstance(event, h11.Data):
            body += event.data
        elif event is h11.NEED_DATA:
            await _feed(client, http)
        else:
            break
    return body


async def _feed(client: socket.socket, http: h11.Connection) -> None:
    loop = asyncio.get_running_loop()
    if http.they_are_waiting_for_100_continue:
        go_on = h11.InformationalResponse(status_code=100, headers=[], reason="Continue")
        await loop.sock_sendall(client, http.send(go_on) or b"")
    received = await loop.sock_recv(client, RECEIVED)
    if not received:
        raise ConnectionAbortedError
    http.receive_data(received)


def _request(head: h11.Request, body: bytes) -> Request:
    headers: dict[str, str] = {}
    for name, value in head.headers:
        key, text = name.decode("ascii"), value.decode("latin-1")
        headers[key] = f"{headers[key]}, {text}" if key in headers else text
    return Request(
        head.method.decode("ascii"),
        head.target.decode("ascii"),
        head.http_version.decode("ascii"),
        headers,
        body,
    )
