"""dashboard/steps.py and what feeds it: the same figures as the frames', in plain rows."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from livestream_nb import measures
from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.dashboard import steps
from livestream_nb.dashboard.drawing import Drawing, added
from livestream_nb.dashboard.snapshot import Watch
from livestream_nb.dashboard.steps import Delay, Second, Spell
from livestream_nb.hits.counters import Counters
from livestream_nb.hits.delays import Delays
from livestream_nb.protocol.status import Cause
from tests.fake_reader import FakeClock, FakeReader, at, timeline

BEGIN = 1_772_366_400
SECONDS = st.integers(BEGIN, BEGIN + 59)
CAME = st.lists(st.tuples(SECONDS, st.integers(1, 3), st.integers(0, 9)), max_size=30)
DELAYS = st.lists(
    st.tuples(SECONDS, st.sampled_from([-1.5, 0.0, 0.25, 31.0, 60.0]), st.integers(1, 30)),
    max_size=40,
)
CHANGES = st.lists(
    st.tuples(st.integers(1, 3), st.sampled_from(list(Phase)), st.floats(0, 59.9)), max_size=12
)
EVERY = st.sampled_from([1, 5, 10])


def moment(second: float) -> datetime:
    return datetime.fromtimestamp(second, UTC)


@settings(max_examples=60)
@given(CAME, CHANGES, EVERY, st.integers(0, 5))
def test_counts_as_throughput_does(
    came: list[tuple[int, int, int]],
    changes: list[tuple[int, Phase, float]],
    every: int,
    skipped: int,
) -> None:
    """Hits per step and connection, zeros of open ones and nothing else, are throughput()'s."""
    journal = Timeline()
    for connection, phase, second in sorted(changes, key=lambda change: change[2]):
        at_ = BEGIN + second
        journal.record(Transition(connection, phase, at_, Cause.ASKED, "Something happened."))
    first, end = BEGIN + skipped * every, BEGIN + 60
    counts = pl.DataFrame(
        [(moment(time), connection, hits, 0, 0, 0) for time, connection, hits in came],
        schema={
            "time": pl.Datetime("us", "UTC"),
            "connection": pl.UInt8,
            **dict.fromkeys(measures.COUNTS, pl.UInt64),
        },
        orient="row",
    )
    states = journal.states()
    frame = measures.throughput(
        counts, states, every=f"{every}s", since=moment(first), now=moment(end)
    ).filter(pl.col("time") < moment(end))
    rows = steps.counted(came, steps.spells(states), range(first, end, every))
    wanted = zip(frame["time"].dt.epoch("s"), frame["connection"], frame["hits"], strict=True)
    assert rows == [Second(*row) for row in wanted]


@settings(max_examples=60)
@given(DELAYS, EVERY, st.integers(0, 5))
def test_delays_as_lag_does(came: list[tuple[int, float, int]], every: int, skipped: int) -> None:
    """Median, 95th percentile and hits of each step are lag()'s."""
    first, end = BEGIN + skipped * every, BEGIN + 60
    delays = pl.DataFrame(
        [(moment(time), delay, hits) for time, delay, hits in came],
        schema={"time": pl.Datetime("us", "UTC"), "delay": pl.Float64, "hits": pl.UInt64},
        orient="row",
    )
    frame = measures.lag(delays, every=f"{every}s", since=moment(first))
    rows = steps.delayed(came, range(first, end, every))
    columns = (frame["time"].dt.epoch("s"), frame["median"], frame["p95"], frame["hits"])
    assert rows == [Delay(*row) for row in zip(*columns, strict=True)]


def test_steps_are_kept_and_added_to(fresh: FakeReader) -> None:
    """Looks that go on give what one look at the end gives, and the oldest steps go."""
    watch = Watch(fresh)
    watch.choose(span=60)
    watch.look()
    for now in (300.6, 300.8, 303.6, 303.7, 303.8):
        fresh.clock.now = now
        found = watch.look()
    once = Watch(fresh)
    once.choose(span=60)
    assert (found.throughput, found.lag) == (once.look().throughput, once.look().lag)
    assert found.throughput[0].time == at(243).timestamp()
    assert found.throughput[-1].time == at(302).timestamp()


def test_hits_that_are_digested_late_are_shown(
    fresh: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For five seconds a complete step is asked for again; what was missing in it then appears."""
    watch, missing = Watch(fresh), [at(296).timestamp()]
    for name in ("_recent_counts", "_recent_delays"):
        answer = getattr(FakeReader, name)
        monkeypatch.setattr(
            FakeReader,
            name,
            lambda reader, since, answer=answer: [
                row for row in answer(reader, since) if row[0] not in missing
            ],
        )
    drawing = Drawing(watch.look())
    assert found_at(drawing, 296) == [0.0]
    missing.clear()
    for now in (301.0, 301.2):
        fresh.clock.now = now
        found = watch.look()
        drawing.take(found)
    assert found_at(drawing, 296) == [40 + 296 * 5 % 21]
    assert (drawing.throughput, drawing.delay) == (Drawing(found).throughput, Drawing(found).delay)
    assert at(296).timestamp() in [row.time for row in found.lag]


def test_a_clock_that_is_set_back_repeats_nothing(fresh: FakeReader) -> None:
    """When time goes back and comes again, every step is there once."""
    watch = Watch(fresh)
    watch.look()
    for now in (310.0, 310.2, 300.0, 300.2, 311.0, 311.2, 311.4):
        fresh.clock.now = now
        found = watch.look()
    for rows in (found.throughput, found.lag):
        times = [row.time for row in rows]
        assert times == sorted(set(times))


def found_at(drawing: Drawing, second: int) -> list[float | None]:
    moment = round(1_000 * at(second).timestamp())
    return [step.top for step in drawing.throughput if step.time == moment]


def test_rows_go_on_as_if_made_at_once(fresh: FakeReader) -> None:
    """Rows that are added to look by look are those of a drawing made anew, also after a gap."""
    fresh.clock.now = 70
    watch = Watch(fresh)
    watch.choose(span=60)
    drawing = Drawing(watch.look())
    for now in [*range(71, 100), *range(235, 250), 301, 302, 303, 304]:
        for after in (0.3, 0.5, 0.7):
            fresh.clock.now = now + after
            fresh.status = replace(fresh.status, transitions=timeline(fresh.clock.now).height)
            found = watch.look()
            drawing.take(found)
        once = Drawing(found)
        assert (drawing.throughput, drawing.delay) == (once.throughput, once.delay)
        assert drawing.signals(found) == once.signals(found)


def test_rows_are_made_anew_where_others_are_missing() -> None:
    """Rows that do not continue those before are no additions to them."""
    known = [Second(BEGIN + second, 1, second) for second in range(5)]
    more = Second(BEGIN + 5, 1, 5)
    assert added(known, [*known[2:], more]) == [more]
    assert added(known, known) == []
    other = [known[2], known[3]._replace(hits=99), known[4], more]
    for rows in ([], other, [known[2], known[4], more], [more]):
        assert added(known, rows) is None
    assert added(None, known) is None


def test_another_beginning_is_asked_for_anew(
    fresh: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When a reader takes over the stream of another, its view shows that one's steps, too."""
    watch, since = Watch(fresh), []
    fresh.states = timeline().filter(pl.col("started") >= at(241))
    watch.look()
    answer = FakeReader._recent_counts

    def ask(self: FakeReader, begin: float) -> list[tuple[int, int, int]]:
        since.append(begin)
        return answer(self, begin)

    monkeypatch.setattr(FakeReader, "_recent_counts", ask)
    fresh.states = None
    object.__setattr__(fresh.status, "transitions", 8)
    fresh.clock.now = 300.6
    assert watch.look().throughput[0].time == at(1).timestamp()
    assert since == [at(0).timestamp()]


def test_old_delays_are_not_of_late() -> None:
    """The delay of hits that came forty steps ago is not shown as that of now."""
    rows = [Delay(BEGIN, 30.0, 40.0, 5)]
    assert steps.delay(rows, 1, BEGIN + 40) == 30.0
    assert steps.delay(rows, 1, BEGIN + 41) is None
    assert steps.delay([], 1, BEGIN) is None


def test_pace_of_eight_connections() -> None:
    """Ten seconds of all connections count, and not an eleventh."""
    rows = [Second(BEGIN + n, c, 1_000 >> n) for n in range(12) for c in range(1, 9)]
    assert steps.pace(rows, 1) == 8 * sum(1_000 >> n for n in range(2, 12)) / 10
    assert steps.pace([], 1) is None


def test_an_open_connection_has_no_end() -> None:
    """Spells are in Unix seconds, open ones last for ever, and a cooldown is none."""
    found = steps.spells(timeline())
    began = at(0).timestamp()
    assert found == [
        Spell(1, began + 1, began + 90),
        Spell(1, began + 241, float("inf")),
    ]


def test_recent_counts_are_those_of_the_frame() -> None:
    """Plain rows of the newest seconds, of those still added to and of those that are rows."""
    counters = Counters()
    for second in range(600):
        for connection in (1, 2):
            counters.add(connection, BEGIN + second + 0.5, (second, 1, 2, 3))
    for since in (BEGIN, BEGIN + 40, BEGIN + 590, BEGIN + 599.5):
        frame = counters.rows(since)
        rows = zip(frame["time"].dt.epoch("s"), frame["connection"], frame["hits"], strict=True)
        assert sorted(counters.recent(since)) == sorted(rows)
    assert len(counters.recent(BEGIN + 590)) == 20


def test_recent_delays_are_those_of_the_frame() -> None:
    """Plain rows of the newest seconds, also of hits that were not counted yet."""
    delays = Delays()
    for second in range(44):
        came = moment(BEGIN + second)
        sent = [came - timedelta(seconds=30), None, came + timedelta(seconds=second % 7)]
        times = {"arrived": [came] * 3, "receivedTimeGMT": sent}
        kinds = dict.fromkeys(times, pl.Datetime("us", "UTC"))
        delays.add(BEGIN + second, pl.DataFrame(times, schema=kinds))
    few, many = delays.recent(BEGIN + 42), delays.recent(BEGIN + 1)
    frame = delays.rows(BEGIN + 1)
    wanted = zip(frame["time"].dt.epoch("s"), frame["delay"], frame["hits"], strict=True)
    assert sorted(many) == sorted(wanted)
    assert sorted(few) == [row for row in sorted(many) if row[0] >= BEGIN + 42]
    assert [sum(hits for *_, hits in rows) for rows in (few, many)] == [2 * 2, 2 * 43]


@pytest.fixture
def fresh() -> FakeReader:
    return FakeReader(clock=FakeClock())
