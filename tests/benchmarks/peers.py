"""What people write without this package, and what the machine allows at best.

Each peer reads a stream to its end and gives one frame of all its hits; written as someone would
who knows the library. The limits do part of the work in memory: without a socket, and without
making columns of what was decoded.
"""

import asyncio
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

HEADERS = {"Authorization": "Bearer benchmark", "Accept-Encoding": "gzip"}
GZIP = 31
DEFAULT = (
    *("hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow", "timeGMT", "receivedTimeGMT"),
    *("reportSuite", "pageName", "pageURL", "referrer", "campaign", "geoCountry", "geoRegion"),
    *("geoCity", "browser", "operatingSystem", "mobileDeviceType", "searchEngine", "bot"),
    "excluded",
)
"""The default columns, but for those that say how a hit came here."""

Row = tuple[Any, ...]


def requests_pandas(url: str) -> Any:
    """All fields; objects stay as they are."""
    import pandas as pd
    import requests

    with requests.get(url, headers=HEADERS, stream=True, timeout=(10, None)) as response:
        response.raise_for_status()
        return pd.DataFrame([json.loads(line) for line in response.iter_lines() if line])


def httpx_polars(url: str) -> Any:
    """The default columns, by the standard library's JSON."""
    import httpx

    with httpx.stream(
        "GET", url, headers=HEADERS, timeout=httpx.Timeout(10, read=None)
    ) as response:
        response.raise_for_status()
        return frame([row(json.loads(line)) for line in response.iter_lines() if line])


def aiohttp_polars(url: str) -> Any:
    """The default columns, by orjson, on an event loop."""
    import aiohttp
    import orjson

    async def read() -> list[Row]:
        patience = aiohttp.ClientTimeout(total=None, sock_connect=10)
        async with (
            aiohttp.ClientSession(headers=HEADERS, timeout=patience) as session,
            session.get(url, raise_for_status=True) as response,
        ):
            return [row(orjson.loads(line)) async for line in response.content if line.strip()]

    return frame(asyncio.run(read()))


def row(record: dict[str, Any]) -> Row:
    """The default columns of a record."""
    get = record.get
    evars = (get("evars") or {}).get("evars") or {}
    excluded = (get("exclude") or {}).get("value")
    return (
        get("hitIdHigh"),
        get("hitIdLow"),
        get("visIdHigh"),
        get("visIdLow"),
        get("timeGMT"),
        get("receivedTimeGMT"),
        get("reportSuite"),
        get("pageName"),
        get("pageURL"),
        get("referrer"),
        evars.get("campaign"),
        get("geoCountry"),
        get("geoRegion"),
        get("geoCity"),
        get("browser"),
        get("operatingSystem"),
        get("mobileDeviceType"),
        get("searchEngine"),
        get("bot"),
        None if excluded is None else excluded == "yes",
    )


def frame(rows: Sequence[Row]) -> Any:
    """One frame of all rows: ids UInt64, times in UTC."""
    import polars as pl

    kinds = [pl.UInt64] * 4 + [pl.Int64] * 2 + [pl.String] * 13 + [pl.Boolean]
    columns = zip(DEFAULT, zip(*rows, strict=True), kinds, strict=True)
    return pl.DataFrame([pl.Series(*column) for column in columns]).with_columns(
        (pl.col("timeGMT", "receivedTimeGMT") * 1_000_000).cast(pl.Datetime("us", "UTC"))
    )


class Peer(NamedTuple):
    """What others do, with which libraries; ``read`` gives one frame of a stream's hits."""

    words: str
    libraries: tuple[str, ...]
    read: Callable[[str], Any]


PEERS = {
    "P1": Peer("requests, json, pandas, all fields", ("requests", "pandas"), requests_pandas),
    "P2": Peer("httpx, json, polars", ("httpx", "httpcore", "polars"), httpx_polars),
    "P3": Peer("aiohttp, orjson, polars", ("aiohttp", "orjson", "polars"), aiohttp_polars),
}


def gunzipped(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack the pieces of a stream."""
    from isal import isal_zlib

    yield from map(isal_zlib.decompressobj(GZIP).decompress, pieces)


def decoded(pieces: Iterable[bytes], shape: type) -> Iterator[list[Any]]:
    """Unpack the pieces of a stream, each whole lines, and decode all lines of each at once.

    Faster than line by line, and no way to read a stream: a damaged line swallows the next one.
    """
    import msgspec

    yield from map(msgspec.json.Decoder(shape).decode_lines, gunzipped(pieces))


def default_shape() -> type:
    """A struct of the default columns, from their places in the record and no more."""
    from livestream_nb.hits.columns import resolve

    kinds = {"id": int, "time": int, "text": str, "excluded": str}
    return _struct([(column.path, kinds[column.kind]) for column in resolve(None)])


def _struct(leaves: Sequence[tuple[tuple[str, ...], type]]) -> type:
    from msgspec import defstruct

    groups: dict[str, list[tuple[tuple[str, ...], type]]] = {}
    for path, kind in leaves:
        groups.setdefault(path[0], []).append((path[1:], kind))
    fields = [
        (key, (inside[0][1] if inside[0][0] == () else _struct(inside)) | None, None)
        for key, inside in groups.items()
    ]
    return defstruct("Default", fields, gc=False)
