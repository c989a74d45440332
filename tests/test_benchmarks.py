"""benchmarks/: every client of the throughput benchmark reads the same hits; nothing is timed."""

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import polars as pl
import pytest

from livestream_nb import Reader
from tests.benchmarks.client import Client
from tests.benchmarks.feed import Feed, go_on, served
from tests.benchmarks.figures import Sizes, report
from tests.benchmarks.ours import sent_of
from tests.benchmarks.packing import prepare
from tests.benchmarks.peers import DEFAULT, PEERS, decoded, default_shape, frame, gunzipped, row
from tests.benchmarks.throughput import measure

pytestmark = pytest.mark.skipif(
    not hasattr(os, "sched_setaffinity"), reason="the benchmark pins processes to cores: Linux only"
)
HITS = 768
TINY = Sizes(
    rounds=1,
    fills=1,
    hits=dict.fromkeys((*PEERS, "gunzip", "limit", "ours", "single", "spun"), 256),
    cost=256,
    rows=(256, 512, 768),
    seconds=0.2,
    settle=0.0,
)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("feeds")
    prepare(made, "bulk", HITS)
    prepare(made, "single", 10)
    prepare(made, "brisk", HITS)
    prepare(made, "lean", HITS)
    return made


@pytest.fixture(scope="module")
def url(directory: Path) -> Iterator[str]:
    with served(directory) as there:
        yield there


@pytest.fixture(scope="module")
def ours(url: str) -> pl.DataFrame:
    return read(f"{url}bulk-{HITS}", HITS)


def read(stream: str, hits: int) -> pl.DataFrame:
    with Reader(stream, token="benchmark") as reader:
        return reader.wait(hits=hits, timeout=30).hits()


@pytest.fixture(params=PEERS)
def name(request: pytest.FixtureRequest) -> str:
    for library in PEERS[request.param].libraries:
        pytest.importorskip(library, reason=f"{request.param} needs {library}: the extra bench")
    return request.param


@pytest.fixture
def every_peer() -> None:
    for peer in PEERS.values():
        for library in peer.libraries:
            pytest.importorskip(library, reason=f"a peer needs {library}: the extra bench")


def test_every_hit_of_the_feed_has_an_id_of_its_own(ours: pl.DataFrame) -> None:
    """The feed gives as many distinct hits as it says."""
    assert ours.select("hitIdHigh", "hitIdLow").n_unique() == ours.height == HITS


def test_peers_of_the_default_columns_make_our_frame(
    name: str, url: str, ours: pl.DataFrame
) -> None:
    """P2 and P3 give the values and types that we give, for every hit; P1 the same values."""
    theirs = PEERS[name].read(f"{url}bulk-{HITS}")
    if name == "P1":
        theirs = of_records(theirs.to_dict("records"))
    assert theirs.equals(ours.select(DEFAULT))
    assert theirs.schema == ours.select(DEFAULT).schema


def of_records(records: list[dict[str, object]]) -> pl.DataFrame:
    """P1's whole records in our columns; NaN is pandas' word for nothing."""
    kept = [{k: v for k, v in each.items() if v == v} for each in records]
    return frame([row(each) for each in kept])


def test_the_limit_decodes_the_default_columns(directory: Path, ours: pl.DataFrame) -> None:
    """The structs of the decoding limit hold our values, for every hit."""
    pieces = Feed.load(directory, "bulk").pieces(HITS)
    structs = [each for block in decoded(pieces, default_shape()) for each in block]
    assert frame([row(msgspec.to_builtins(each)) for each in structs]).equals(ours.select(DEFAULT))


def test_the_gunzip_limit_unpacks_every_hit(directory: Path) -> None:
    """What the gunzip limit unpacks is all of the feed's records."""
    blocks = gunzipped(Feed.load(directory, "bulk").pieces(HITS))
    assert sum(block.count(b'"hitIdHigh"') for block in blocks) == HITS


@pytest.mark.parametrize("hits", [256, 512, 768])
def test_a_feed_ends_in_good_order(hits: int, directory: Path) -> None:
    """Any whole number of chunks is a gzip member with the right checksum and size."""
    feed = Feed.load(directory, "bulk")
    ending = bytes(feed.trailer(hits)).split(b"\r\n", 1)[1][:-2]
    assert gzip.decompress(b"".join([*feed.pieces(hits), ending])).count(b'"hitIdHigh"') == hits


def test_a_feed_does_not_cut_a_chunk(directory: Path) -> None:
    """A number of hits that ends within a chunk is refused."""
    with pytest.raises(ValueError, match="257 hits are no whole number of chunks"):
        Feed.load(directory, "bulk").whole(257)


def test_one_record_per_chunk_means_that(directory: Path) -> None:
    """Each chunk of the feed called single has one record."""
    blocks = gunzipped(Feed.load(directory, "single").pieces(10))
    assert [block.count(b"\n") for block in blocks] == [1] * 10


def test_parts_of_a_programme_follow_each_other(url: str, ours: pl.DataFrame) -> None:
    """Lean hits, a pause and full hits are one stream; lean ones fill the same columns."""
    with Reader(f"{url}lean-256_pause_bulk-512", token="benchmark") as reader:
        assert reader.wait(hits=256, timeout=30).hits().height == 256
        go_on(url)
        both = reader.wait(hits=768, timeout=30).hits()
    lean, full = both.head(256), both.tail(512)
    assert full.select(DEFAULT).equals(ours.select(DEFAULT).head(512))
    apart = ["hitIdHigh", "hitIdLow"]
    assert lean.select(DEFAULT).drop(apart).equals(ours.select(DEFAULT).head(256).drop(apart))
    assert both.select(apart).n_unique() == 768


def test_the_server_tells_when_it_sent_what(url: str) -> None:
    """Of a paced stream every chunk is told, in the order in which they were sent."""
    read(f"{url}brisk-600-10000", 600)
    hits, moments = zip(*sent_of(url), strict=True)
    assert hits == (200, 400, 600)
    assert moments == tuple(sorted(moments))


def test_a_client_that_nobody_tells_to_go_ends(url: str) -> None:
    """A client's process is gone when the one that began it lets it go."""
    with Client("bulk", f"{url}bulk-256", 256) as client:
        client.ready()
    assert client._process.returncode is not None


def test_the_whole_benchmark_prints_its_ratios(
    every_peer: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a tiny feed, all clients run and read every hit, and the last line is the ratios."""
    figures = measure(TINY)
    assert {each["hits"] for each in figures.rounds[0].values()} == {256}
    report(figures)
    last = capsys.readouterr().out.splitlines()[-1]
    ratios = json.loads(last.removeprefix("RATIOS "))
    assert list(ratios) == ["P1", "P2", "P3", "limit"]
    assert min(ratios.values()) > 0
