"""gaps.py"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from livestream_nb.connection.timeline import Phase, Timeline, Transition
from livestream_nb.gaps import SCHEMA, gaps
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.repeats import Spell
from livestream_nb.protocol.status import Cause

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
C, S, Q = Phase.CONNECTING, Phase.STREAMING, Phase.STALLED
W, X, F = Phase.COOLDOWN, Phase.STOPPED, Phase.FAILED

Step = tuple[Phase, float]


def at(seconds: float) -> datetime:
    return EPOCH + timedelta(seconds=seconds)


def steady(start: int, end: int, hits: int = 10) -> list[tuple[int, int]]:
    return [(second, hits) for second in range(start, end)]


def find(
    *steps: Step,
    hits: Iterable[tuple[float, int]] = (),
    repeats: Iterable[tuple[float, float]] = (),
    now: float = 1_000,
) -> list[dict[str, Any]]:
    """The gaps of connection 1, from its (state, second), (second, hits), (opened, repeated)."""
    return find_all(
        [(1, *step) for step in steps],
        [(1, *hit) for hit in hits],
        [(1, *repeat) for repeat in repeats],
        now,
    )


def find_all(
    steps: Iterable[tuple[int, Phase, float]],
    hits: Iterable[tuple[int, float, int]] = (),
    repeats: Iterable[tuple[int, float, float]] = (),
    now: float = 1_000,
) -> list[dict[str, Any]]:
    entries = [
        Transition(connection, phase, at(second).timestamp(), Cause.OPENED, "Because.", 200, 1)
        for connection, phase, second in sorted(steps, key=lambda step: step[2])
    ]
    return find_among(entries, hits, repeats, now)


def find_among(
    entries: Iterable[Transition],
    hits: Iterable[tuple[int, float, int]] = (),
    repeats: Iterable[tuple[int, float, float]] = (),
    now: float = 1_000,
) -> list[dict[str, Any]]:
    moment = pl.Datetime("us", "UTC")
    journal = Timeline()
    for entry in entries:
        journal.record(entry)
    seconds = pl.DataFrame(
        [(at(second), connection, count) for connection, second, count in hits],
        {"time": moment, "connection": pl.UInt8, "hits": pl.UInt64},
        orient="row",
    )
    proofs = pl.DataFrame(
        [(connection, at(opened), at(time)) for connection, opened, time in repeats],
        {"connection": pl.UInt8, "opened": moment, "time": moment},
        orient="row",
    )
    frame = gaps(journal.frame(at(now).timestamp()), seconds, proofs, now=at(now))
    assert frame.schema == SCHEMA
    return frame.rows(named=True)


def test_nothing_happened_yet() -> None:
    """Before anything has happened the frame is empty, and typed."""
    assert find() == []


@pytest.mark.parametrize(
    "steps", [[(C, 0)], [(C, 0), (W, 30), (C, 90), (S, 400)], [(C, 0), (F, 9)]]
)
def test_a_start_is_no_gap(steps: list[Step]) -> None:
    """Until the stream was open once nothing can be lost, however long that took."""
    assert find(*steps) == []


@pytest.mark.parametrize(
    ("away", "verdict"),
    [(70, "covered"), (179.9, "covered"), (180, "uncertain"), (300, "uncertain"),
     (300.1, "likely lost")],
)  # fmt: skip
def test_length_decides(away: float, verdict: str) -> None:
    """Without a proof its length decides what an outage may have cost."""
    back = 100 + away
    [gap] = find((S, 0), (W, 100), (C, back - 1), (S, back), hits=[*steady(0, 100), (back + 2, 30)])
    assert gap == {
        "connection": 1,
        "lost_at": at(100),
        "resumed_at": at(back),
        "seconds": away,
        "last_received": at(99),
        "first_received": at(back + 2),
        "verdict": verdict,
        "estimated_hits": round(10 * away),
    }


LONG = [(S, 0.5), (W, 100), (C, 599), (S, 600.25)]


@pytest.mark.parametrize(
    ("opened", "time", "verdict"),
    [
        (0.5, 600.25, "covered"),
        (0.5, 660.25, "covered"),
        (0.5, 600.24, "likely lost"),
        (0.5, 660.3, "likely lost"),
        (0.5, 90, "likely lost"),
        (0.4, 601, "likely lost"),
        (600.25, 601, "likely lost"),
    ],
)
def test_a_repeat_proves(opened: float, time: float, verdict: str) -> None:
    """Only a repeat of the lost spell's hits, in the minute from the resume on, proves it."""
    assert find(*LONG, repeats=[(opened, time)])[0]["verdict"] == verdict


def test_any_of_several_repeats_proves() -> None:
    """Repeats at other times do not take a proof away."""
    [gap] = find(*LONG, repeats=[(0.5, 50), (0.5, 601), (0.5, 900)])
    assert gap["verdict"] == "covered"


def test_a_repeat_of_another_connection_proves_nothing() -> None:
    """A repeat of what another connection had brought does not prove this one's outage."""
    steps = [(1, *step) for step in LONG]
    [gap] = find_all([*steps, (2, S, 0.5)], repeats=[(2, 0.5, 601)])
    assert (gap["connection"], gap["verdict"]) == (1, "likely lost")


def test_a_stall_is_part_of_the_spell() -> None:
    """A spell that stalled and went on is one, known by its first opening; a stall is no gap."""
    steps = [(S, 0), (Q, 20), (S, 50), (Q, 80), (W, 100), (S, 600)]
    [gap] = find(*steps, repeats=[(0, 601)])
    assert (gap["lost_at"], gap["verdict"]) == (at(100), "covered")
    assert find(*steps, repeats=[(50, 601)])[0]["verdict"] == "likely lost"


def test_repeats_from_bytes_to_verdict() -> None:
    """What the intake found out, by whichever connection, is what the verdict is made of."""
    intake, begun = Intake(resolve(None)), EPOCH.timestamp()
    old, other, new = (Spell(n, begun + s) for n, s in [(1, 0.3000006), (2, 5.7), (2, 600.9)])
    block = b'{"hitIdHigh":1,"hitIdLow":%d}\n'
    for spell, low, second in [(old, 1, 1), (other, 2, 6), (new, 1, 601), (new, 3, 602)]:
        intake.take(Piece(block % low, spell, begun + second))
    journal = Timeline()
    steps = [(1, S, 0.3000006), (2, S, 5.7), (1, W, 100), (2, W, 100), (1, S, 600.5), (2, S, 600.9)]
    for connection, phase, second in steps:
        journal.record(Transition(connection, phase, begun + second, Cause.OPENED, ""))
    now, buffer = at(700), intake.buffer
    timeline = journal.frame(now.timestamp())
    found = gaps(timeline, buffer.seconds(), buffer.repeats(), now=now)
    assert found.select("connection", "verdict").rows() == [(1, "covered"), (2, "likely lost")]


@pytest.mark.parametrize(("now", "verdict"), [(110, "uncertain"), (401, "likely lost")])
@pytest.mark.parametrize("state", [W, C, F])
def test_an_outage_that_lasts(state: Phase, now: float, verdict: str) -> None:
    """An outage not over, or never to be, is counted to now and never called covered."""
    steps = [(S, 0), (state, 100)]
    [gap] = find(*steps, hits=steady(0, 100), repeats=[(0, 105)], now=now)
    assert (gap["resumed_at"], gap["first_received"], gap["seconds"]) == (None, None, now - 100)
    assert (gap["verdict"], gap["estimated_hits"]) == (verdict, 10 * (now - 100))


def test_a_stop_is_no_gap() -> None:
    """Stopping an open stream is no outage, also when start and stop follow in vain."""
    assert find((S, 0), (X, 50)) == []
    assert find((S, 0), (X, 50), (X, 60)) == []
    assert find((S, 0), (W, 10), (S, 70), (X, 80))[-1]["lost_at"] == at(10)


def test_going_on_after_a_stop_shows_what_was_missed() -> None:
    """Once the reader was started again, what it missed meanwhile is a gap."""
    [gap] = find((S, 0), (X, 50), (C, 80), (S, 81), hits=steady(0, 50))
    assert (gap["lost_at"], gap["resumed_at"], gap["seconds"]) == (at(50), at(81), 31)
    [gap] = find((S, 0), (X, 50), (C, 80), now=90)
    assert (gap["lost_at"], gap["seconds"], gap["verdict"]) == (at(50), 40, "uncertain")


@pytest.mark.parametrize(("now", "verdict"), [(140, "uncertain"), (401, "likely lost")])
def test_stopped_while_lost(now: float, verdict: str) -> None:
    """A loss before the stop stays a gap, counted to the stop; its hits grow old all the same."""
    [gap] = find((S, 0), (W, 100), (X, 130), hits=steady(0, 100), now=now)
    assert (gap["lost_at"], gap["resumed_at"], gap["seconds"]) == (at(100), None, 30)
    assert (gap["verdict"], gap["estimated_hits"]) == (verdict, 300)


def test_every_outage_has_a_row_by_time() -> None:
    """Outages of all connections come by the moment of the loss, each with its own hits."""
    steps = [(1, S, 0), (2, S, 5), (2, W, 50), (1, W, 100), (2, S, 115), (1, S, 165), (2, W, 400)]
    hits = [
        (number, second, count)
        for number, count in [(1, 10), (2, 4)]
        for second, _ in steady(5, 50)
    ]
    found = find_all(steps, hits, now=410)
    assert [(gap["connection"], gap["lost_at"]) for gap in found] == [
        (2, at(50)), (1, at(100)), (2, at(400)),
    ]  # fmt: skip
    assert [gap["estimated_hits"] for gap in found[:2]] == [4 * 65, round(450 / 100 * 65)]


def test_the_estimate_uses_five_minutes() -> None:
    """The rate is that of the five minutes before, to the second, not of the whole past."""
    hits = [*steady(0, 300, 1_000), *steady(300, 600, 2)]
    [gap] = find((S, 0), (W, 600), (S, 661), hits=hits)
    assert gap["estimated_hits"] == 2 * 61
    [gap] = find((S, 0), (W, 600.9), (S, 1_600.9), hits=[*hits, (600, 2)], now=2_000)
    assert gap["estimated_hits"] == round(602 / 300.9 * 1_000)


@pytest.mark.parametrize(
    ("opened", "lost", "hits", "rate"),
    [(90.5, 100.5, 50, 5.0), (100.2, 100.4, 3, 3.0), (0.0, 300.0, 900, 3.0)],
)
def test_the_estimate_of_a_young_spell(opened: float, lost: float, hits: int, rate: float) -> None:
    """Less than five minutes are counted as they are, but never as less than a second."""
    [gap] = find((S, opened), (W, lost), (S, lost + 100), hits=[(int(opened), hits)])
    assert gap["estimated_hits"] == 100 * rate


def test_the_estimate_after_a_covered_outage() -> None:
    """Hits that a covered outage held back stand for its time, not for that after it."""
    hits = [*steady(0, 100), (170, 700), *steady(170, 180)]
    found = find((S, 0), (W, 100), (S, 170), (W, 180), (S, 280), hits=hits)
    assert [gap["estimated_hits"] for gap in found] == [700, 1_000]


@pytest.mark.parametrize("lost", [500, 570])
def test_the_estimate_reaches_back_over_a_covered_outage(lost: int) -> None:
    """Where the five minutes begin within a covered outage, all of it is counted."""
    steps = [(S, 0), (W, 10), (S, 20), (W, 100), (S, 270), (W, lost), (S, lost + 100)]
    hits = [*steady(0, 10), (20, 100), *steady(20, 100), (270, 1_700), *steady(270, lost)]
    assert find(*steps, hits=hits)[2]["estimated_hits"] == 1_000


@pytest.mark.parametrize("back", [550, 1_000])
def test_the_estimate_after_hits_were_lost(back: int) -> None:
    """Time of which the hits never came does not water the rate down."""
    hits = [*steady(0, 100), *steady(back, back + 50)]
    found = find((S, 0), (W, 100), (S, back), (W, back + 50), (S, back + 150), hits=hits, now=2_000)
    assert [gap["verdict"] for gap in found] == ["likely lost", "covered"]
    assert found[1]["estimated_hits"] == 1_000


@pytest.mark.parametrize("lost", [1_000, 1_000.7])
def test_around_the_gap(lost: float) -> None:
    """Hits of the second of the loss and of the resume belong to the gap's ends."""
    [gap] = find(
        (S, 0), (W, lost), (S, lost + 60), hits=[(990, 1), (1_000, 1), (1_060, 1), (1_070, 1)]
    )
    assert (gap["last_received"], gap["first_received"]) == (at(1_000), at(1_060))


def test_a_quiet_stream_has_no_hits_around_the_gap() -> None:
    """Where no hits came, none are named, and none were at stake."""
    [gap] = find((S, 0), (W, 100), (S, 160), hits=[(3, 0), (170, 0)])
    assert (gap["last_received"], gap["first_received"], gap["estimated_hits"]) == (None, None, 0)


def test_beyond_the_counters() -> None:
    """What the counters of a day no longer hold is unknown, not none."""
    day = 86_400
    steps = [(S, 0), (W, 1_000), (S, 1_060), (W, 2_000), (S, 2_060)]
    hits = [*steady(1_100, 2_000), *steady(2_060, 2_100)]
    first, second = find(*steps, hits=hits, now=day + 1_099)
    assert (first["last_received"], first["first_received"]) == (None, None)
    assert first["estimated_hits"] is None
    assert (second["last_received"], second["first_received"]) == (at(1_999), at(2_060))
    assert second["estimated_hits"] == 600


def test_a_clock_that_was_set_back() -> None:
    """When the machine's clock was set back meanwhile, an outage has no length, and no error."""
    [gap] = find((S, 100), (W, 200), hits=[(150, 10)], now=150)
    assert (gap["seconds"], gap["estimated_hits"]) == (0, 0)


def entry(phase: Phase, second: float, cause: Cause, heard: float | None = None) -> Transition:
    moment = None if heard is None else at(heard).timestamp()
    return Transition(1, phase, at(second).timestamp(), cause, "Because.", heard=moment)


def test_a_connection_that_died_without_a_word() -> None:
    """What ended unnoticed counts as lost when bytes last came by it, not when that was noticed."""
    dead = [
        entry(S, 0, Cause.OPENED),
        entry(W, 200, Cause.DROPPED, heard=75),
        entry(S, 270, Cause.OPENED),
    ]
    (gap,) = find_among(dead, hits=[(1, second, 10) for second in range(75)])
    assert (gap["lost_at"], gap["seconds"], gap["verdict"]) == (at(75), 195, "uncertain")
    assert gap["estimated_hits"] == 1_950


def test_a_reset_leaves_out() -> None:
    """What a reset to the end left out is likely lost, however short, unless it comes again."""
    reset = [
        entry(S, 0, Cause.OPENED),
        entry(X, 50, Cause.ASKED),
        entry(S, 111, Cause.SKIPPED),
    ]
    assert [gap["verdict"] for gap in find_among(reset)] == ["likely lost"]
    assert [gap["verdict"] for gap in find_among(reset, repeats=[(1, 0, 112)])] == ["covered"]


def test_a_409_is_a_sign_of_another_consumer() -> None:
    """When all slots were taken meanwhile, a short outage is covered only by a repeat."""
    met = [
        entry(S, 0, Cause.OPENED),
        entry(W, 50, Cause.DROPPED),
        entry(W, 111, Cause.REFUSED),
        entry(S, 175, Cause.OPENED),
        entry(W, 300, Cause.DROPPED),
        entry(S, 365, Cause.OPENED),
    ]
    assert [gap["verdict"] for gap in find_among(met)] == ["uncertain", "covered"]
    proven = find_among(met, repeats=[(1, 0, 176)])
    assert [gap["verdict"] for gap in proven] == ["covered", "covered"]


def test_a_connection_that_came_late() -> None:
    """One of two connections opens minutes after the other: what its slot had may be lost."""
    late = [(1, S, 0), (2, W, 5), (2, S, 310)]
    (gap,) = find_all(late, hits=[(1, second, 10) for second in range(300)])
    assert (gap["connection"], gap["lost_at"], gap["resumed_at"]) == (2, at(0), at(310))
    assert (gap["verdict"], gap["estimated_hits"]) == ("likely lost", None)


def test_a_connection_that_never_came() -> None:
    """One that failed for good is a gap since the first one opened; a stop ends the count."""
    never = [(1, S, 0), (2, F, 5)]
    assert [gap["seconds"] for gap in find_all(never)] == [1_000]
    assert [gap["seconds"] for gap in find_all([(1, S, 0), (2, W, 5), (2, X, 500)])] == [500]


def test_a_connection_that_had_not_come_when_the_reader_was_stopped() -> None:
    """What its slot had ages on after the stop: three minutes after the first one it is a gap."""
    stopped = [(1, S, 0), (2, W, 5), (1, X, 100), (2, X, 100)]
    assert find_all(stopped, now=179) == []
    (gap,) = find_all(stopped, now=180)
    assert (gap["connection"], gap["seconds"], gap["verdict"]) == (2, 100, "uncertain")
    assert [gap["verdict"] for gap in find_all(stopped, now=301)] == ["likely lost"]


def test_slots_that_open_one_after_the_other() -> None:
    """Connections that open seconds apart, as they do at every start, are no gap."""
    assert find_all([(1, S, 0), (2, W, 0), (2, S, 179)]) == []
    assert find_all([(1, S, 0), (2, W, 0)], now=179) == []


def test_a_late_connection_that_is_lost_again() -> None:
    """The gap of a connection that came late does not change what its later ones stand for."""
    twice = [(1, S, 0), (2, S, 400), (2, W, 700), (2, S, 770)]
    late, lost = find_all(twice, hits=[(2, second, 10) for second in range(400, 700)])
    assert (late["seconds"], lost["seconds"]) == (400, 70)
    assert lost["estimated_hits"] == 700
