"""A plain Livestream client of the standard library, and what tests ask about a simulator."""

import http.client
import json
import textwrap
import time
import zlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import polars as pl

from livestream_nb import policy
from livestream_nb.embedded import Simulator

PATH = "/api/1/stream/demo"


def until(condition: Callable[[], object], patience: float = 10.0) -> None:
    """Wait until the condition holds."""
    limit = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.002)


def documented_policy() -> Any:
    """The policy that the documentation of `livestream_nb.policy` shows, as it stands there."""
    shown = (policy.__doc__ or "").split("::\n\n")[1].split("\n\nAn attribute")[0]
    known = vars(policy).copy()
    exec(textwrap.dedent(shown), known)
    return known["Patient"]()


class Client:
    """A plain client: one request, and the records of its answer as they come."""

    def __init__(
        self, sim: Simulator, path: str = PATH, method: str = "GET", **headers: str
    ) -> None:
        sent = {"Authorization": f"Bearer {sim.token}", "Accept-Encoding": "gzip"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection = http.client.HTTPConnection("127.0.0.1", port_of(sim), timeout=10)
        self.connection.connect()
        self.socket = self.connection.sock
        self.connection.request(method, path, headers=sent)
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        self._gzip = zlib.decompressobj(31)
        self.raw = b""

    def read(self) -> bool:
        """Read what has come; False at the end."""
        block = self.answer.read1(65_536)
        self.raw += self._gzip.decompress(block)
        return bool(block)

    def read_hits(self, count: int) -> None:
        while len(self.records) < count:
            assert self.read(), "the stream ended"

    def read_to_end(self) -> None:
        while self.read():
            pass

    @property
    def records(self) -> list[bytes]:
        return [line for line in self.raw.split(b"\r\n")[:-1] if line]

    @property
    def hits(self) -> list[dict[str, Any]]:
        return [json.loads(record) for record in self.records]

    @property
    def ids(self) -> list[tuple[int, int]]:
        return [(hit["hitIdHigh"], hit["hitIdLow"]) for hit in self.hits]

    @property
    def complete(self) -> bool:
        return self._gzip.eof

    def close(self) -> None:
        self.answer.close()
        self.connection.close()


def port_of(sim: Simulator) -> int:
    return urlsplit(sim.stream_url).port or 0


def ids_of(truth: pl.DataFrame) -> list[tuple[int, int]]:
    return list(truth.select("hitIdHigh", "hitIdLow").iter_rows())


def events_of(sim: Simulator) -> list[str]:
    return [event for event in sim.log["event"] if event != "committed"]
