"""The lab against real sockets: what a Reader lives through at a Simulator, it says as well."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import livestream_nb as ls
from livestream_nb.lab.faults import day
from livestream_nb.lab.frames import timeline_frame
from livestream_nb.lab.run import Setting, live
from livestream_nb.lab.summary import Summary
from livestream_nb.policy import ReconnectPolicy, others
from livestream_nb.simulator.options import model_rules
from tests.plain import documented_policy, until

SPEED = 60.0
SEED = 157  # no step of it hangs on how long a request takes
GRAIN = 0.25  # real seconds; fifteen service seconds
KEPT = timedelta(seconds=300)
HITS = 2  # a second, each time that a connection begins or ends


@dataclass(frozen=True)
class Case:
    """A policy in a scenario, for so many service seconds."""

    scenario: str
    seconds: float
    policy: Any = field(default_factory=ReconnectPolicy)


CASES = {
    "churn-trap": Case("churn-trap", 1_500),
    "migration-night": Case("migration-night", 1_700),
    "token-expiry": Case("token-expiry", 700),
    "flaky-network": Case("flaky-network", 1_700),
    "long-outage": Case("long-outage", 1_750),
    "runs of two minutes": Case("calm", 1_500, others.ScheduledRuns()),
    "a newcomer's policy": Case("churn-trap", 1_500, documented_policy()),
}


@dataclass(frozen=True)
class Lived:
    """What was lived through for real; times are seconds since the stream was first open."""

    states: pl.DataFrame
    duplicates: int
    hits: int
    lost: int


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Lived]]:
    """All cases at once: they mostly wait."""
    path = tmp_path_factory.mktemp("even") / "even.ndjson"
    path.write_text("".join(record(number) for number in range(6_000)))
    with ThreadPoolExecutor(len(CASES)) as pool:
        yield dict(
            zip(
                CASES, pool.map(lambda case: live_for_real(case, path), CASES.values()), strict=True
            )
        )


def record(number: int) -> str:
    """One hit a second: evenly, as a lab has them."""
    at = 1_700_000_000 + number
    ids = {"hitIdHigh": 1, "hitIdLow": number + 1, "visIdHigh": 1, "visIdLow": number}
    return json.dumps(ids | {"timeGMT": at, "receivedTimeGMT": at}) + "\n"


def live_for_real(case: Case, hits: Path) -> Lived:
    with ls.Simulator(hits=hits, scenario=case.scenario, speed=SPEED, seed=SEED) as simulator:
        credentials = ls.ServerToServer(
            simulator.client_id, simulator.client_secret, "openid", token_url=simulator.token_url
        )
        reader = simulator.reader(
            token=None, credentials=credentials, seed=SEED, policy=case.policy
        ).start()
        reader.wait(state="streaming", timeout=20)
        opened = first_opened(reader.timeline())
        until(lambda: simulator.clock.utc() >= opened.timestamp() + case.seconds, patience=60.0)
        reader.stop()
        timeline = reader.timeline()
        ended = timeline.filter(state="stopped")["started"][-1]
        truth = simulator.truth().filter(pl.col("logged") < ended)
        missing = truth.join(reader.hits(), on="hitIdLow", how="anti")
        lost = missing.filter(pl.col("logged") < ended - KEPT)
        states = timeline.filter(pl.col("state") != "stopped")
        return Lived(since(states), reader.status.duplicates, truth.height, lost.height)


def first_opened(timeline: pl.DataFrame) -> Any:
    return timeline.filter(state="streaming")["started"][0]


def since(timeline: pl.DataFrame) -> pl.DataFrame:
    passed = pl.col("started") - first_opened(timeline)
    return timeline.with_columns(at=passed.dt.total_microseconds() / 1e6)


def in_the_lab(case: Case, latency: float) -> tuple[pl.DataFrame, Summary]:
    """The same, in virtual time; the lab is told how long a request took."""
    rules = model_rules(55.0, 300.0, True, None, SPEED)
    setting = Setting(case.seconds + latency, 1.0, 1, latency, rules)
    found = live(setting, day(case.scenario, SEED, case.seconds, 1), case.policy, SEED)
    return since(timeline_frame(found.record, 0.0, setting.seconds)), found.summary


@pytest.mark.parametrize("name", CASES)
def test_lab_and_sockets_agree(name: str, lived: dict[str, Lived]) -> None:
    """The same states for the same reasons, at the same times; as many hits lost and repeated.

    The first state is left out: a process that has just begun takes its time for the first connect.
    """
    real = lived[name]
    latency = real.states.filter(state="connecting")["seconds"].median()
    states, summary = in_the_lab(CASES[name], latency)
    columns = ("connection", "state", "reason", "status", "attempt")
    assert states.select(columns).rows() == real.states.select(columns).rows()
    assert states.height >= 5
    assert (states["at"] - real.states["at"])[1:].abs().max() <= GRAIN * SPEED
    assert abs(summary.duplicates - real.duplicates) <= HITS * (1 + summary.outages)
    assert abs(summary.hits - real.hits) <= GRAIN * SPEED  # there is one a second
    assert abs(summary.lost - real.lost) <= GRAIN * SPEED
