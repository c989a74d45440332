"""TCP keepalive: how a peer is found to be gone that no longer says so.

A stream may be quiet for hours, and a NAT timeout, a VPN change or a sleeping laptop ends it
without a word. So the system probes: after 60 s without a byte, then 4 times, 15 s apart, in real
seconds.
"""

import socket
from contextlib import suppress

OPTIONS = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 15, "TCP_KEEPCNT": 4}
"""By the names that systems have for them; macOS calls the first one as the second."""


def keep_alive(connection: socket.socket) -> None:
    """Have the system probe this connection; where it knows an option not, its own value stays."""
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in OPTIONS.items():
        with suppress(OSError, AttributeError):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
