"""faults.py: every verb of the simulator, over real sockets."""

import http.client
import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from livestream_nb.embedded import Simulator
from livestream_nb.errors import InvalidOption
from livestream_nb.simulator.scenarios import story
from tests.plain import PATH, Client, events_of, ids_of, until

Connect = Callable[..., Client]


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(speed=60.0) as sim:
        yield sim


def pass_time(sim: Simulator, seconds: float) -> None:
    """Wait until so many service seconds have passed."""
    end = sim.clock.monotonic() + seconds
    until(lambda: sim.clock.monotonic() >= end, patience=30.0)


def last(sim: Simulator, event: str) -> dict[str, Any]:
    return sim.log.filter(event=event).row(-1, named=True)


def objects(client: Client) -> list[dict[str, Any]]:
    """The records that are JSON objects of a usual length."""
    found = []
    for record in client.records:
        if len(record) > 1_000_000:
            continue
        try:
            found.append(json.loads(record))
        except (ValueError, RecursionError):
            continue
    return found


def test_cut(sim: Simulator, clients: Connect) -> None:
    """cut() ends a connection in the middle of a chunk, and its ghost stays as told."""
    client = clients(sim)
    client.read_hits(10)
    assert sim.cut(ghost=0.0) == 1
    with pytest.raises(http.client.IncompleteRead):
        client.answer.read()
    assert events_of(sim)[:2] == ["connected", "cut"]
    assert clients(sim).status == 200


def test_corrupt(sim: Simulator, clients: Connect) -> None:
    """corrupt() damages the gzip so that a client notices, and can read no further."""
    client = clients(sim)
    client.read_hits(10)
    assert sim.corrupt() == 1
    with pytest.raises(zlib.error):
        client.read_to_end()
    assert last(sim, "corrupted")["connection"] == 1


def test_stall(sim: Simulator, clients: Connect) -> None:
    """stall() sends nothing for a while, and then everything."""
    client = clients(sim)
    client.read_hits(10)
    assert sim.stall(30.0) == 1
    pass_time(sim, 3.0)
    delivered = sim.truth()["delivered"].sum()
    pass_time(sim, 20.0)
    assert sim.truth()["delivered"].sum() == delivered
    client.read_hits(sim.truth().height)
    assert client.ids == ids_of(sim.truth())[: len(client.ids)]
    assert last(sim, "stalled")["detail"] == "nothing is sent for 30 s"


def test_slice(sim: Simulator, clients: Connect) -> None:
    """slice() changes how bytes come, not which."""
    client = clients(sim)
    assert sim.slice(10.0) == 1
    client.read_hits(1_000)
    assert client.ids == ids_of(sim.truth())[: len(client.ids)]


def test_bomb(sim: Simulator, clients: Connect) -> None:
    """bomb() sends one record of that size between whole ones."""
    client = clients(sim)
    assert sim.bomb(3.0) == 1
    until(lambda: not client.read() or any(len(each) > 10_000 for each in client.records))
    (record,) = [each for each in client.records if len(each) > 10_000]
    assert len(record) == 3_000_000
    assert set(json.loads(record)) == {"pageName"}


def test_malform_every_kind(sim: Simulator, clients: Connect) -> None:
    """malform() sends one line of each kind, and all hits around them are whole."""
    client = clients(sim)
    client.read_hits(10)
    assert sim.malform() == 1
    assert sim.log.filter(event="malformed")["detail"].to_list() == [
        *("json", "utf8", "truncated", "long", "nested", "error")
    ]
    client.read_hits(len(client.records) + 500)
    hits = [hit for hit in objects(client) if "hitIdHigh" in hit]
    assert len(client.records) - len(hits) == 6
    found = [(hit["hitIdHigh"], hit["hitIdLow"]) for hit in hits]
    assert found == ids_of(sim.truth())[: len(found)]


def test_duplicate(sim: Simulator, clients: Connect) -> None:
    """duplicate() sends hits once more, and the truth counts them."""
    client = clients(sim)
    client.read_hits(200)
    assert sim.duplicate(50) == 1
    client.read_hits(len(client.records) + 500)
    sim.drop()
    client.read_to_end()
    truth, counts = sim.truth(), Counter(client.ids)
    twice = {hit for hit, times in counts.items() if times == 2}
    assert len(twice) == counts.total() - len(counts) == 50
    assert twice == set(ids_of(truth.filter(delivered=2)))
    assert truth.filter(delivered=2)["connections"].to_list() == [[1, 1]] * 50


def test_reorder(sim: Simulator, clients: Connect) -> None:
    """reorder() changes the order of the next hits, and nothing else."""
    client = clients(sim)
    client.read_hits(200)
    assert sim.reorder(100) == 1
    client.read_hits(len(client.records) + 500)
    truth = ids_of(sim.truth())
    moved = [place for place, hit in enumerate(client.ids) if hit != truth[place]]
    assert 50 < len(moved) <= max(moved) - min(moved) + 1 <= 100
    assert sorted(client.ids) == sorted(truth[: len(client.ids)])


def test_drift(sim: Simulator, clients: Connect) -> None:
    """drift() gives hits of a while other fields, and keeps their ids exact."""
    client = clients(sim)
    client.read_hits(100)
    sim.drift(20.0)
    until(lambda: "edge" in client.hits[-1] or not client.read())
    until(lambda: "edge" not in client.hits[-1] or not client.read())
    drifted = [hit for hit in client.hits if "edge" in hit]
    assert 500 < len(drifted) < 2_500
    assert client.ids == ids_of(sim.truth())[: len(client.ids)]


def test_new_member(sim: Simulator, clients: Connect) -> None:
    """new_member() ends the gzip member; the hits go on in the next."""
    client = clients(sim)
    client.read_hits(100)
    assert sim.new_member() == 1
    until(lambda: client.complete or not client.read())
    assert client.records
    assert last(sim, "repacked")["connection"] == 1


def test_migrate(sim: Simulator, clients: Connect) -> None:
    """migrate() answers new connections with 503 for a while, while an open one reads on."""
    first = clients(sim, f"{PATH}?maxConnections=2")
    sim.migrate(120.0, retry_after=True)
    second = clients(sim, f"{PATH}?maxConnections=2")
    assert second.status == 503
    assert 100 < int(second.answer.headers["Retry-After"]) <= 120
    assert "migration" in json.loads(second.answer.read())["error_description"]
    first.read_hits(200)
    until(lambda: "migrated" in events_of(sim))
    assert clients(sim, f"{PATH}?maxConnections=2").status == 200


def test_quiet_and_spike(sim: Simulator, clients: Connect) -> None:
    """go_quiet() and spike() change how fast hits come, for a while."""
    clients(sim).read_hits(10)
    sim.go_quiet(60.0)
    held = sim.truth().height
    began = sim.clock.monotonic()
    until(lambda: sim.truth().height > held)
    assert sim.clock.monotonic() - began > 55.0
    sim.spike(50.0, 20.0)
    held = sim.truth().height
    pass_time(sim, 60.0)
    spiked = sim.truth().height
    assert spiked - held > 20 * 50 * 15
    pass_time(sim, 20.0)
    assert sim.truth().height - spiked < 10_000
    assert events_of(sim) == ["connected", "quiet", "spiking"]


def test_expired_tokens(sim: Simulator, clients: Connect) -> None:
    """expire_tokens() voids what was issued; an open stream reads on; a new token is let in."""
    client, old = clients(sim), sim.token
    sim.expire_tokens()
    assert clients(sim, Authorization=f"Bearer {old}").status == 401
    assert sim.token != old
    client.read_hits(500)
    sim.drop(ghost=0.0)
    assert clients(sim).status == 200


def test_failing_token_service(sim: Simulator) -> None:
    """fail_tokens() lets the token service fail for a while."""
    form = {"grant_type": "client_credentials", "scope": "openid"}
    form |= {"client_id": sim.client_id, "client_secret": sim.client_secret}
    sim.fail_tokens(30.0, status=500)
    assert requests.post(sim.token_url, data=form, timeout=10).status_code == 500
    until(lambda: requests.post(sim.token_url, data=form, timeout=10).status_code == 200)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect(sim: Simulator, clients: Connect, status: int) -> None:
    """redirect() sends clients to the other port, where the same stream is, and may be ended."""
    sim.redirect(status=status)
    client = clients(sim)
    assert client.status == status
    location = client.answer.headers["Location"]
    headers = {"Authorization": f"Bearer {sim.token}"}
    with requests.get(location, headers=headers, stream=True, timeout=10) as answer:
        assert answer.status_code == 200
        sim.redirect(None)
        assert clients(sim).status == 409


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_refuse(sim: Simulator, clients: Connect, status: int) -> None:
    """refuse() answers with a status for a while, and may say when to come back."""
    sim.refuse(status, 30.0, retry_after=90.0)
    client = clients(sim)
    assert client.status == status
    assert client.answer.headers["Retry-After"] == "90"
    assert set(json.loads(client.answer.read())) == {"error", "error_description"}
    until(lambda: clients(sim).status == 200)


def test_one_connection_of_several(sim: Simulator, clients: Connect) -> None:
    """A verb acts on the connection whose number is given, or on all that are open."""
    both = [clients(sim, f"{PATH}?maxConnections=2") for _ in range(2)]
    assert sim.drop(connection=2) == 1
    both[1].read_to_end()
    both[0].read_hits(100)
    assert (sim.drop(connection=2), sim.drop(connection=7)) == (0, 0)
    assert sim.drop() == 1


def test_hasty_and_patient_client(sim: Simulator, clients: Connect) -> None:
    """Retrying each second gets 409, then 503, without end; waiting 60 s gets 200 at once."""
    clients(sim)
    pass_time(sim, 61.0)
    sim.drop()
    answers = []
    for _ in range(150):
        answers.append(clients(sim).status)
        pass_time(sim, 1.0)
    assert answers[:3] == [409, 409, 503]
    assert set(answers[3:]) == {503}
    pass_time(sim, 60.0)
    assert clients(sim).status == 200


def test_other_streams(sim: Simulator, clients: Connect) -> None:
    """Further streams are independent: own hits, own slots, own faults; one token for all."""
    other = sim.stream("second", rate=100.0)
    assert other.stream_url == sim.stream_url.replace("demo", "second")
    first, second = clients(sim), clients(sim, PATH.replace("demo", "second"))
    first.read_hits(50)
    second.read_hits(50)
    assert not set(first.ids) & set(second.ids)
    assert second.ids == ids_of(other.truth())[: len(second.ids)]
    assert other.drop() == 1
    first.read_hits(len(first.ids) + 50)
    assert sim.stream("second").truth().height >= 50
    assert set(sim.log["stream"]) == {"demo", "second"}


def test_stream_that_is_not_enabled(clients: Connect) -> None:
    """A stream may have to be enabled first: 424, and 200 a quarter of an hour later."""
    path = PATH.replace("demo", "old")
    with Simulator(speed=900.0) as sim:
        sim.stream("old", enabled=False)
        assert clients(sim, path).status == 424
        enabling = clients(sim, "/api/2/enable/old")
        assert enabling.status == 200
        assert b"15 minutes" in enabling.answer.read()
        assert clients(sim, path).status == 424
        pass_time(sim, 901.0)
        assert clients(sim, path).status == 200


def test_stream_outlives_the_simulator_variable() -> None:
    """A stream's handle keeps its simulator serving."""
    stream = Simulator().stream("other")
    token = stream.token
    answer = requests.get(
        stream.stream_url, headers={"Authorization": f"Bearer {token}"}, stream=True, timeout=10
    )
    assert answer.status_code == 200
    answer.close()


def test_scenario_is_played(clients: Connect) -> None:
    """A scenario begins with the first connection, and calls its verbs at its seed's times."""
    at, another = (next(story("churn-trap", seed)).at for seed in (7, 1))
    assert abs(at - another) > 20.0
    with Simulator(speed=200.0, scenario="churn-trap", seed=7) as sim:
        pass_time(sim, 200.0)
        assert events_of(sim) == []
        clients(sim)
        until(lambda: "dropped" in events_of(sim))
        connected, dropped = (last(sim, event)["time"] for event in ("connected", "dropped"))
        assert at <= (dropped - connected).total_seconds() < at + 15.0


@pytest.mark.parametrize(
    ("verb", "options"),
    [
        ("stall", {"seconds": -1}),
        ("slice", {"seconds": "long"}),
        ("bomb", {"megabytes": 0}),
        ("malform", {"kind": "rude"}),
        ("duplicate", {"count": 0}),
        ("reorder", {"count": 1.5}),
        ("drift", {"seconds": float("nan")}),
        ("go_quiet", {"seconds": -5}),
        ("spike", {"factor": 0}),
        ("spike", {"seconds": -1}),
        ("migrate", {"seconds": None}),
        ("migrate", {"retry_after": 60}),
        ("redirect", {"to": "elsewhere"}),
        ("redirect", {"status": 200}),
        ("refuse", {"status": 404}),
        ("refuse", {"seconds": -1}),
        ("refuse", {"retry_after": -1}),
        ("fail_tokens", {"status": 404}),
        ("fail_tokens", {"seconds": -1}),
        ("drop", {"connection": 0}),
        ("cut", {"ghost": -1}),
        ("stream", {"name": "a/b"}),
        ("stream", {"name": "b", "rate": 0}),
        ("stream", {"name": "b", "enabled": "yes"}),
    ],
)
def test_impossible_arguments(sim: Simulator, verb: str, options: dict[str, Any]) -> None:
    """A wrong argument is refused, named with its value, and nothing is done."""
    with pytest.raises(InvalidOption) as refused:
        getattr(sim, verb)(**options)
    name, value = list(options.items())[-1]
    assert str(refused.value).startswith(f"{name}=")
    assert repr(value) in str(refused.value)
    assert sim.log.is_empty()


def test_verbs_do_nothing_without_connections(sim: Simulator) -> None:
    """Verbs that act on connections count none when none is open."""
    names = ("drop", "cut", "reset", "corrupt", "stall", "slice", "bomb", "malform")
    counts = [getattr(sim, name)() for name in (*names, "duplicate", "reorder", "new_member")]
    assert counts == [0] * 11
    assert sim.log.is_empty()
