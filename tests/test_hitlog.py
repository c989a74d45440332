"""hitlog.py and tempo.py: a log of hits in service time."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from livestream_nb.simulator.hitlog import HitLog
from livestream_nb.simulator.share import WHOLE, Share
from livestream_nb.simulator.tempo import Tempo
from tests.test_replay import replay_of

BEGAN = 1_800_000_000.0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """A hit every second, by visitors 0, 1, 2, …"""
    hits = ({"timeGMT": n, "hitIdHigh": n, "visIdLow": n, "bot": "no"} for n in range(100))
    path = tmp_path / "hits.ndjson"
    path.write_text("\n".join(map(json.dumps, hits)))
    return path


@pytest.fixture
def log(recording: Path) -> HitLog:
    log = HitLog(replay_of(recording))
    log.begin(BEGAN)
    return log


def counts(log: HitLog, *seconds: float) -> list[int]:
    return [log.logged(WHOLE, BEGAN + each) for each in seconds]


def test_nothing_before_the_beginning(recording: Path) -> None:
    """A log that nobody has connected to holds no hits, whatever the time."""
    log = HitLog(replay_of(recording))
    assert log.logged(WHOLE, BEGAN) == 0
    assert log.truth(BEGAN)[1] == []


def test_begins_once(log: HitLog) -> None:
    """Later connects do not begin the log anew."""
    log.begin(BEGAN + 50.0)
    assert counts(log, -1.0, 0.0, 10.5) == [0, 1, 11]


def test_quiet_for_a_while(log: HitLog) -> None:
    """While it is quiet nothing enters; afterwards the log goes on where it was."""
    log.change_tempo(0.0, 20.0, BEGAN + 10.5)
    assert counts(log, 10.5, 30.4, 31.4, 40.5) == [11, 11, 12, 21]


def test_quiet_for_ever(log: HitLog) -> None:
    """Without an end nothing enters any more."""
    log.change_tempo(0.0, None, BEGAN + 10.5)
    assert counts(log, 10.5, 1e6) == [11, 11]


def test_hit_at_the_very_moment_of_quiet(log: HitLog) -> None:
    """A hit that enters just as it falls quiet has entered then."""
    log.change_tempo(0.0, None, BEGAN + 10.0)
    assert log.truth(BEGAN + 50.0)[1][-1] == BEGAN + 10.0


def test_spike(log: HitLog) -> None:
    """During a spike hits come so many times as fast."""
    log.change_tempo(10.0, 2.0, BEGAN + 10.5)
    assert counts(log, 10.5, 11.5, 12.5, 13.5) == [11, 21, 31, 32]


def test_newer_tempo_takes_the_place_of_an_older(log: HitLog) -> None:
    """A spike that is over early because of quiet does not come back when that ends."""
    log.change_tempo(10.0, 2.0, BEGAN + 10.5)
    log.change_tempo(0.0, 5.0, BEGAN + 11.5)
    assert counts(log, 11.5, 16.5, 17.5) == [21, 21, 22]


def test_begins_as_it_was_told(recording: Path) -> None:
    """A tempo that is set before the first connect counts from there."""
    log = HitLog(replay_of(recording))
    log.change_tempo(2.0, 10.0, BEGAN - 1_000.0)
    log.begin(BEGAN)
    assert counts(log, 5.0, 10.0, 11.0) == [11, 21, 22]


def test_truth_tells_when_hits_came(log: HitLog) -> None:
    """Moments are those at which the hits entered, through quiet and spikes."""
    log.change_tempo(0.0, 20.0, BEGAN + 1.5)
    log.change_tempo(2.0, None, BEGAN + 21.5)
    identities, moments = log.truth(BEGAN + 22.5)
    assert identities.high == [0, 1, 2, 3]
    assert [moment - BEGAN for moment in moments] == [0.0, 1.0, 21.75, 22.25]


def test_records_of_a_share(log: HitLog) -> None:
    """Records and numbers are counted within the share."""
    share = Share(1, 3)
    hits = [json.loads(record)["hitIdHigh"] for record in log.records(share, 2, 5)]
    assert hits == log.numbers(share, 2, 5) == [7, 10, 13]


def test_drift_is_for_its_time_only(log: HitLog) -> None:
    """Hits that enter while fields drift are changed, each time in the same way."""
    before = log.records(WHOLE, 0, 30)
    log.drift(5.0, BEGAN + 9.5)
    after = log.records(WHOLE, 0, 30)
    assert [n for n in range(30) if before[n] != after[n]] == [10, 11, 12, 13, 14]
    assert after[12:13] == log.records(WHOLE, 12, 13)
    assert json.loads(after[12])["hitIdHigh"] == 12


@given(
    changes=st.lists(
        st.tuples(
            st.floats(0.0, 100.0),
            st.sampled_from([0.0, 0.5, 3.0]),
            st.none() | st.floats(0.0, 50.0),
        ),
        max_size=5,
    ),
    times=st.lists(st.floats(0.0, 500.0), min_size=1, max_size=20),
)
def test_moments_and_elapsed_agree(
    changes: list[tuple[float, float, float | None]], times: list[float]
) -> None:
    """Where hits come at all, their moments lead back to their places, and are ascending."""
    tempo = Tempo(0.0)
    for now, factor, seconds in sorted(changes, key=lambda change: change[0]):
        tempo.change(factor, seconds, now)
    reached = sorted(time for time in times if time < tempo.elapsed(10_000.0))
    moments = tempo.moments(reached)
    assert moments == sorted(moments)
    assert [tempo.elapsed(moment) for moment in moments] == pytest.approx(reached, abs=1e-6)


@given(
    first=st.floats(0.0, 50.0),
    changes=st.lists(st.tuples(st.sampled_from([0.0, 2.0]), st.floats(0.1, 9.0)), max_size=5),
)
def test_the_past_never_changes(first: float, changes: list[tuple[float, float]]) -> None:
    """Whatever is done to the tempo later, what has come keeps its moment."""
    tempo, now = Tempo(0.0), 1.0
    for factor, seconds in changes:
        known = [time / 10 for time in range(int(tempo.elapsed(now) * 10) + 1)]
        known = [time for time in known if time < tempo.elapsed(now)]
        before = tempo.moments(known)
        tempo.change(factor, seconds, now)
        assert tempo.moments(known) == before
        now += first / 10 + seconds / 2
