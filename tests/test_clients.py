"""Ordinary Livestream clients, unchanged, read the simulator: curl, http.client, requests, Node."""

import gzip
import http.client
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import islice
from typing import Any
from urllib.parse import urlsplit

import jsonschema
import polars as pl
import pytest
import requests

from livestream_nb import Simulator

HITS = 500
NODE = """
const http = require("http"), zlib = require("zlib"), readline = require("readline");
const [url, token, wanted] = process.argv.slice(1);
const headers = { Authorization: `Bearer ${token}`, "Accept-Encoding": "gzip" };
http.get(url, { headers }, answer => {
  let hits = 0;
  const lines = readline.createInterface({ input: answer.pipe(zlib.createGunzip()) });
  lines.on("line", line => {
    if (!line) return;
    console.log(JSON.parse(line).hitIdHigh !== undefined ? line : "no hit");
    if (++hits == wanted) process.exit(0);
  });
});
"""


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(speed=20.0, rate=100.0) as sim:
        yield sim


class Curl:
    """A curl that reads a stream, as the simulator's introduction has it."""

    def __init__(self, sim: Simulator, query: str = "") -> None:
        command = [
            *("curl", "--silent", "--show-error", "--no-buffer", "--location-trusted"),
            *("--compressed", "-H", f"Authorization: Bearer {sim.token}"),
            *("--write-out", "%{stderr}%{http_code}", "--max-time", "60"),
            sim.stream_url + query,
        ]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True)

    def hits(self, count: int) -> list[dict[str, Any]]:
        assert self.process.stdout is not None
        lines = (line.strip() for line in self.process.stdout)
        found = [json.loads(line) for line in islice(filter(None, lines), count)]
        assert len(found) == count
        return found

    def end(self) -> tuple[str, str]:
        """What else it printed, and its HTTP status."""
        return self.process.communicate(timeout=20)

    def __enter__(self) -> "Curl":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def ids(hits: list[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(hit["hitIdHigh"], hit["hitIdLow"]) for hit in hits]


def emitted(sim: Simulator) -> list[tuple[int, int]]:
    return list(sim.truth().select("hitIdHigh", "hitIdLow").iter_rows())


@pytest.mark.parametrize("redirected", [False, True])
def test_curl(sim: Simulator, redirected: bool) -> None:
    """curl reads hits as Adobe's documentation has it, over a redirect to another port, too."""
    if redirected:
        sim.redirect()
    with Curl(sim) as curl:
        hits = ids(curl.hits(HITS))
    assert hits == emitted(sim)[:HITS]
    assert (302 in sim.log["status"]) is redirected


def test_curls_share_visitors(sim: Simulator) -> None:
    """Two curls with maxConnections=2 share the visitors, none is in both; a third gets 409."""
    query = "?maxConnections=2"
    with Curl(sim, query) as first, Curl(sim, query) as second:
        visitors = [{hit["visIdLow"] for hit in curl.hits(HITS)} for curl in (first, second)]
        assert not visitors[0] & visitors[1]
        with Curl(sim, query) as third:
            body, status = third.end()
    assert status == "409"
    assert "exceeds maxConnections=2" in json.loads(body)["error_description"]
    truth = sim.truth()
    assert truth["partition"].to_list() == (truth["visIdLow"] % 2).to_list()
    assert 0.4 < truth["partition"].mean() < 0.6
    read = truth.filter(pl.col("delivered") > 0)
    assert read["connections"].list.unique().list.len().to_list() == [1] * read.height


def test_http_client(sim: Simulator) -> None:
    """Python's http.client and gzip read hits, and the end of the stream, without complaint."""
    address = urlsplit(sim.stream_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    headers = {"Authorization": f"Bearer {sim.token}", "Accept-Encoding": "gzip"}
    connection.request("GET", address.path, headers=headers)
    lines = gzip.GzipFile(fileobj=connection.getresponse())
    hits = [json.loads(line) for line in islice(lines, HITS) if line.strip()]
    sim.drop()
    hits += [json.loads(line) for line in lines if line.strip()]
    connection.close()
    assert ids(hits) == emitted(sim)[: len(hits)]


def test_requests(sim: Simulator) -> None:
    """requests.iter_lines reads hits."""
    headers = {"Authorization": f"Bearer {sim.token}"}
    with requests.get(sim.stream_url, headers=headers, stream=True, timeout=20) as answer:
        lines = filter(None, answer.iter_lines())
        hits = [json.loads(line) for line in islice(lines, HITS)]
    assert ids(hits) == emitted(sim)[:HITS]


@pytest.mark.skipif(shutil.which("node") is None, reason="this machine has no Node")
def test_node(sim: Simulator) -> None:
    """Node's http and zlib read hits."""
    done = subprocess.run(
        ["node", "-e", NODE, sim.stream_url, sim.token, str(HITS)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    hits = [json.loads(line) for line in done.stdout.splitlines()]
    assert ids(hits) == emitted(sim)[:HITS]


def test_token_by_form(sim: Simulator) -> None:
    """A client asks for a token as at Adobe's identity service, and reads with it."""
    form = {
        "client_id": sim.client_id,
        "client_secret": sim.client_secret,
        "grant_type": "client_credentials",
        "scope": "openid,AdobeID,read_organizations",
    }
    granted = requests.post(sim.token_url, data=form, timeout=20).json()
    assert granted["token_type"] == "bearer"
    assert granted["expires_in"] == 86_399
    headers = {"Authorization": f"Bearer {granted['access_token']}"}
    with requests.get(sim.stream_url, headers=headers, stream=True, timeout=20) as answer:
        assert answer.status_code == 200


def test_schema_is_served(sim: Simulator) -> None:
    """The schema that the service gives out describes the hits that it sends."""
    url = sim.stream_url.replace("stream/demo", "schema")
    validator = jsonschema.Draft202012Validator(requests.get(url, timeout=20).json())
    with Curl(sim) as curl:
        for hit in curl.hits(HITS):
            validator.validate(hit)


def test_two_clients_compete(sim: Simulator) -> None:
    """Of two consumers that know nothing of each other one reads, the other gets 409."""
    with ExitStack() as stack:
        first = stack.enter_context(Curl(sim))
        first.hits(10)
        second = stack.enter_context(Curl(sim))
        assert second.end()[1] == "409"
        assert sim.log.filter(event="refused")["status"].to_list() == [409]
