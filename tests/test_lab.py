"""lab: any policy on a day of faults, in virtual time."""

from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from livestream_nb import Lab, Simulator
from livestream_nb.errors import InvalidOption
from livestream_nb.lab import (
    ROUGH_DAY,
    Drops,
    Maintenance,
    Outages,
    Quiet,
    SecondConsumer,
    TokenExpiry,
)
from livestream_nb.lab.faults import day
from livestream_nb.lab.intervals import mean_of
from livestream_nb.lab.record import PHASES
from livestream_nb.lab.result import BEGINS
from livestream_nb.lab.run import Day, Setting, _notice, live
from livestream_nb.policy import Connect, Failed, GiveUp, Opened, ReconnectPolicy, Wait, others
from livestream_nb.protocol.status import Cause
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.scenarios import Call

SURE = ReconnectPolicy(jitter=0.0)
RATE = 10.0
SETTING = Setting(1_000.0, RATE, 1, 1.0, Rules())


def lived(
    *calls: tuple[float, str, dict[str, Any]],
    policy: Any = SURE,
    seconds: float = 1_000.0,
    connections: int = 1,
    **rules: Any,
) -> Day:
    """A day on which this goes wrong."""
    setting = replace(SETTING, seconds=seconds, connections=connections, rules=Rules(**rules))
    return live(setting, [Call(*call) for call in calls], policy, 1)


class TestOneDay:
    def test_nothing_goes_wrong(self) -> None:
        """A calm day is one connection: every hit comes, once."""
        summary = lived().summary
        assert asdict(summary) == {
            "delivered": 1.0,
            "hits": 9_995,  # from half a second on, when the request reached the service
            "lost": 0,
            "waiting": 0,
            "duplicates": 0,
            "downtime": 0.0,
            "outages": 0,
            "longest_outage": 0.0,
            "connects": 1,
            "refused": 0,
            "unavailable": 0,
            "gave_up": False,
        }

    def test_one_loss(self) -> None:
        """After a loss: a minute, a request, and the hits since the last commit once more."""
        summary = lived((500.0, "drop", {})).summary
        assert (summary.outages, summary.downtime) == (1, 61.0)
        assert (summary.lost, summary.refused, summary.connects) == (0, 0, 2)
        # The last commit was at 495.5 s, of what was written by 490 s.
        assert summary.duplicates == 100

    def test_a_ghost_is_met(self) -> None:
        """Who comes before the ghost has gone gets 409, and makes it stay."""
        hasty = ReconnectPolicy(cooldown=30.0, jitter=0.0, growth=1.0, give_up_after={"refused": 3})
        summary = lived((100.0, "drop", {}), policy=hasty).summary
        assert (summary.refused, summary.gave_up) == (3, True)
        once = lived((100.0, "drop", {}), policy=hasty, restarts=False).summary
        assert (once.refused, once.gave_up, once.downtime) == (1, False, 62.0)

    def test_what_is_too_old_is_lost(self) -> None:
        """Hits older than the retention never come; what is still kept at the end may come."""
        summary = lived((100.0, "refuse", {"status": 502, "seconds": 500.0}), (100.0, "drop", {}))
        found = summary.summary
        resumed = summary.record.receipts[-1]
        assert resumed.opened > 600.0
        missing = (resumed.opened - 0.5 - 300.0 - 100.0) * RATE
        assert found.lost == pytest.approx(missing, abs=1)
        away = lived((900.0, "drop", {}), (900.0, "refuse", {"status": 502, "seconds": 900.0}))
        assert (away.summary.lost, away.summary.waiting) == (0, 1_000)
        long = lived((400.0, "drop", {}), (400.0, "refuse", {"status": 502, "seconds": 900.0}))
        assert (long.summary.lost, long.summary.waiting) == (3_000, 3_000)

    def test_every_hit_is_accounted_for(self) -> None:
        """Of all hits each came, is lost, or may still come; throughput has those that came."""
        for seed in range(6):
            result = Lab(faults=ROUGH_DAY, rate=3.0, connections=1 + seed % 3, seed=seed).run()
            summary, counted = result.summary, result.throughput()
            came = counted["hits"].sum()
            assert came + summary.lost + summary.waiting == summary.hits
            assert counted["duplicates"].sum() == summary.duplicates
            assert summary.delivered == came / summary.hits

    def test_slots_are_apart(self) -> None:
        """Three slots come five seconds after each other; one that is lost disturbs no other."""
        found = lived((500.0, "drop", {"slot": 1}), connections=3)
        opened = [receipt.opened for receipt in found.record.receipts]
        assert sorted({*opened}) == [1.0, 7.0, 13.0, 561.0]
        assert (found.summary.outages, found.summary.downtime) == (1, pytest.approx(61.0 / 3))
        assert found.summary.lost == 0

    def test_a_refusal_holds_back_the_others(self) -> None:
        """While one slot waits after a 409, no other asks: they would keep each other's ghosts."""
        found = lived((500.0, "drop", {"ghost": 80.0}), connections=2)
        assert (found.summary.refused, found.summary.connects) == (1, 5)

    def test_the_network_is_gone(self) -> None:
        """Nothing reaches the service, so nothing is refused; the end is found within a minute."""
        summary = lived((100.0, "unreachable", {"seconds": 200.0})).summary
        assert (summary.refused, summary.unavailable, summary.lost) == (0, 0, 0)
        assert 200.0 < summary.downtime < 270.0

    def test_an_answer_is_lost_on_its_way(self) -> None:
        """A request whose answer never came counts as a connection that may hold its slot."""
        found = lived((100.0, "drop", {}), (160.7, "unreachable", {"seconds": 1.0}))
        states = [PHASES[state].value for state in found.record.state]
        assert states[:5] == ["connecting", "streaming", "cooldown", "connecting", "cooldown"]
        assert found.record.waits[4] >= 60.0
        assert found.summary.lost == 0

    def test_a_second_consumer(self) -> None:
        """Another consumer that holds the slot takes its hits; when it has left we are back."""
        rules = {"retention": 60.0, "restarts": False}
        calls = (100.0, "rival", {"seconds": 400.0}), (110.0, "drop", {"ghost": 0.0})
        found = lived(*calls, policy=ReconnectPolicy(jitter=0.0, longest=60.0), **rules)
        assert found.summary.refused >= 5
        assert found.summary.lost > 2_000
        assert found.record.receipts[-1].until == 1_000.0

    def test_tokens_expire(self) -> None:
        """An open stream reads on; a lost one gets a fresh token, once there is one."""
        assert lived((100.0, "expire_tokens", {})).summary.connects == 1
        calls = (100.0, "expire_tokens", {}), (200.0, "drop", {})
        found = lived(*calls)
        assert (found.summary.connects, found.summary.downtime) == (3, 62.0)
        failing = lived(*calls, (200.0, "fail_tokens", {"seconds": 300.0})).summary
        assert 300.0 < failing.downtime < 370.0
        assert not failing.gave_up

    def test_silence_is_shown(self) -> None:
        """Where a policy asks for it a long silence is ``stalled``, and the stream stays open."""
        patient = replace(SURE, stall_after=60.0)
        result = Lab(faults=Quiet(per_day=6.0, seconds=1_800.0), seed=2).run(patient)
        states = result.timeline()["state"].to_list()
        assert states[:4] == ["connecting", "streaming", "stalled", "streaming"]
        assert set(states[4:]) <= {"stalled", "streaming"}
        assert result.summary.connects == 1
        assert result.timeline()["seconds"][2] == pytest.approx(1_740.0, abs=1.1)

    def test_a_stall_keeps_nothing_back(self) -> None:
        """What stands still for a while brings everything later."""
        summary = lived((100.0, "stall", {"seconds": 60.0})).summary
        assert (summary.delivered, summary.outages) == (1.0, 0)
        dropped = lived((100.0, "stall", {"seconds": 60.0}), (130.0, "drop", {})).summary
        assert (dropped.lost, dropped.outages) == (0, 1)

    def test_cost_is_that_of_events(self) -> None:
        """A thousand times as many hits are lived through in the same steps."""
        few, many = (Lab(rate=rate, seed=3).run()._day.record for rate in (5.0, 5_000.0))
        assert few.at == many.at
        assert len(few.receipts) == len(many.receipts)

    def test_the_same_again(self) -> None:
        """The same seed is the same day, with the same result; another seed is another."""
        labs = (Lab(faults=ROUGH_DAY, notice=(20, 90), seed=seed) for seed in (5, 5, 6))
        one, again, other = (lab.run() for lab in labs)
        assert one.summary == again.summary != other.summary
        assert_frame_equal(one.timeline(), again.timeline())


class TestFrames:
    def test_they_are_a_readers(self) -> None:
        """A result's frames have the columns and types of a reader's."""
        result = Lab(hours=1, seed=3).run()
        with Simulator(speed=60) as simulator, simulator.reader() as reader:
            reader.wait(hits=10, timeout=20)
            assert result.timeline().schema == reader.timeline().schema
            assert result.throughput().schema == reader.throughput().schema
            assert result.gaps().schema == reader.gaps().schema

    def test_gaps_are_judged(self) -> None:
        """A short outage is covered, and proven so; one that outlasts the retention is not."""
        gaps = Lab(faults="long-outage", hours=1).run().gaps()
        assert gaps["verdict"].to_list() == ["likely lost"]
        assert set(Lab().run().gaps()["verdict"]) == {"covered"}

    def test_the_rush_after_a_gap(self) -> None:
        """What waited comes in the second of the resume, with the repeats; before it no row."""
        result = Lab(faults="churn-trap", hours=0.5).run(SURE)
        gap = result.gaps().row(0, named=True)
        frame = result.throughput()
        rush = frame.filter(pl.col("time") == gap["resumed_at"].replace(microsecond=0))
        assert rush["hits"].item() == pytest.approx(50 * gap["seconds"], rel=0.02)
        assert rush["duplicates"].item() > 200
        between = pl.col("time").is_between(gap["lost_at"], gap["resumed_at"], closed="none")
        assert frame.filter(between).height <= 1

    def test_last(self) -> None:
        """``last`` counts back from the end of the day."""
        result = Lab(hours=2).run()
        assert result.throughput(every="1m", last="30m").height <= 30
        assert result.throughput()["time"].max() == BEGINS + timedelta(hours=2, seconds=-1)

    def test_sentences_are_a_readers(self) -> None:
        """A state is told in the reader's words, with what the service said."""
        told = Lab(faults="churn-trap", hours=1).run().timeline()
        refused = told.filter(reason="refused", state="cooldown")["sentence"][0]
        assert refused.startswith("409: all slots are taken. Your own connection was lost 1 min")
        assert 'Livestream said: "The number of open connections exceeds' in refused
        assert "Next attempt in" in refused

    def test_who_gives_up_says_so(self) -> None:
        """The last state says why it is the last, and what to do."""
        last = Lab().run(others.HttpStreamingClient()).timeline().row(-1, named=True)
        assert last["state"] == "failed"
        assert last["sentence"].endswith("start() tries again.")
        assert last["ended"] is None

    def test_faults(self) -> None:
        """What went wrong is a frame, too."""
        faults = Lab(faults=(Maintenance(), TokenExpiry()), seed=4).run().faults()
        assert {"migrate", "drop", "expire_tokens"} == set(faults["fault"])
        assert faults["time"].is_sorted()
        assert faults.filter(fault="migrate")["seconds"].to_list() == [600.0]


class TestFaults:
    @pytest.mark.parametrize(
        "fault", [*ROUGH_DAY, Outages("network", per_day=40)], ids=lambda each: type(each).__name__
    )
    def test_within_the_day(self, fault: Any) -> None:
        """Every fault keeps to the day, and is drawn from the seed."""
        seconds = 5 * 86_400.0
        calls = day((fault,), 1, seconds, 2)
        assert calls == day((fault,), 1, seconds, 2) != day((fault,), 2, seconds, 2)
        assert calls == sorted(calls, key=lambda call: call.at)
        assert all(0 <= call.at < seconds for call in calls)

    def test_one_more_changes_no_other(self) -> None:
        """Each fault has a chance of its own."""
        alone = day((Drops(),), 1, 86_400.0, 1)
        both = day((Drops(), SecondConsumer()), 1, 86_400.0, 1)
        assert [call for call in both if call.verb == "drop"] == alone

    def test_poisson(self) -> None:
        """As many as asked for, on average, of each connection."""
        many = [len(day((Drops(40.0),), seed, 86_400.0, 2)) for seed in range(60)]
        assert sum(many) / len(many) == pytest.approx(80.0, rel=0.06)

    def test_the_tail_is_heavy(self) -> None:
        """Half of the outages are short, one in a hundred is very long, and none is endless."""
        calls = day((Outages(per_day=2_000),), 1, 86_400.0, 1)
        lengths = pl.Series([call.options["seconds"] for call in calls if call.options])
        assert 30.0 < lengths.median() < 50.0
        assert lengths.quantile(0.99) > 800.0
        assert lengths.max() <= 7_200.0

    @pytest.mark.parametrize("name", ["calm", "flaky-network", "launch-day", "hostile-data"])
    def test_scenarios(self, name: str) -> None:
        """Every scenario of the simulator can be lived through in a lab."""
        assert Lab(faults=name, hours=2).run().summary.delivered == 1.0


class TestMany:
    def test_the_number_of_cores_does_not_matter(self) -> None:
        """One process or two: the same numbers, in the same order, also with a local class."""

        class Local:
            def start(self, now: float) -> None:
                return None

            def step(self, state: None, event: Any, now: float) -> Any:
                match event:
                    case Opened():
                        return None, ()
                    case Failed():
                        return None, (Wait(now + 70.0, now + 80.0),)
                return None, (Connect(),)

        policies = {"local": Local(), "ours": ReconnectPolicy(), "gRPC": others.Grpc()}
        lab = Lab(faults=ROUGH_DAY, hours=6, seed=8)
        one, two = (lab.compare(policies, seeds=4, workers=n, progress=False) for n in (1, 2))
        assert_frame_equal(one.runs, two.runs)
        assert one.runs.height == 12
        assert_frame_equal(one.results["local"].timeline(), two.results["local"].timeline())

    def test_same_faults_for_all(self) -> None:
        """All policies of a comparison meet the same day."""
        found = Lab(faults=ROUGH_DAY, hours=3).compare(
            {"a": SURE, "b": others.XStreaming()}, progress=False
        )
        assert_frame_equal(found.results["a"].faults(), found.results["b"].faults())

    def test_same_notice_for_all(self) -> None:
        """What is drawn for a loss hangs on its moment, not on the losses before it."""
        notice = _notice(replace(SETTING, notice=(20.0, 180.0)), 4)
        drawn = [notice(float(moment)) for moment in range(200)]
        assert drawn[::-1] == [notice(float(moment)) for moment in reversed(range(200))]
        assert 20.0 <= min(drawn) < 30.0 < 170.0 < max(drawn) <= 180.0
        assert 90.0 < sum(drawn) / len(drawn) < 110.0

    def test_the_best_comes_first(self) -> None:
        """The summary ranks by hits lost, then by downtime, with limits around the means."""
        summary = (
            Lab(hours=6)
            .compare({"websockets": others.Websockets(), "ours": SURE}, seeds=3, progress=False)
            .summary
        )
        assert summary["policy"].to_list() == ["ours", "websockets"]
        row = summary.row(1, named=True)
        assert row["lost_share_low"] <= row["lost_share"] <= row["lost_share_high"]
        assert row["gave_up"] == 1.0
        assert summary["days"].to_list() == [3, 3]

    def test_sweep(self) -> None:
        """A grid has every combination, of the policy's and of the lab's parameters."""
        sweep = Lab(hours=3).sweep(
            cooldown=[60, 150], notice=[55.0, (20, 180)], restarts=[True], seeds=2, progress=False
        )
        assert sweep.runs.height == 8
        assert sweep.runs["cooldown"].dtype == pl.Float64
        assert sweep.runs["notice"].unique(maintain_order=True).to_list() == ["55", "20 to 180"]
        assert sweep.runs["restarts"].dtype == pl.Boolean
        assert sweep.summary["days"].to_list() == [2] * 4

    def test_longer_than_the_longest_wait(self) -> None:
        """What the sweeps show: a ghost that outlives the longest wait is never got past."""
        lab = Lab(notice=150.0, hours=6)
        sweep = lab.sweep(longest=[120, 200], seeds=2, progress=False).summary
        assert sweep["gave_up"].to_list() == [1.0, 0.0]
        assert not replace(lab, restarts=False).run().summary.gave_up

    def test_what_is_shown(self) -> None:
        """Each shows in a line or a table what it came to, as text and in a notebook."""
        lab = Lab(hours=1)
        result = lab.run()
        assert repr(result).startswith("<Result of ReconnectPolicy(cooldown=60.0")
        assert str(result.summary) in repr(result)
        assert "100.00% delivered" in repr(result)
        for found in (
            lab.compare({"ours": SURE}, progress=False),
            lab.sweep(cooldown=[60], seeds=1, progress=False),
        ):
            assert "lost_share" in repr(found)
            assert found._repr_html_().count("<tr>") >= 2

    def test_a_bar_is_for_people(self, capfd: pytest.CaptureFixture[str]) -> None:
        """Where nobody looks on no bar is shown, and what was found is the same."""
        lab = Lab(hours=0.2)
        with_bar = lab.sweep(latency=[0.1 * n for n in range(1, 10)], seeds=1, workers=1)
        without = lab.sweep(
            latency=[0.1 * n for n in range(1, 10)], seeds=1, workers=1, progress=False
        )
        assert_frame_equal(with_bar.runs, without.runs)
        assert capfd.readouterr() == ("", "")

    def test_means(self) -> None:
        """A mean's limits hold it, and are the same each time; one value has none."""
        assert mean_of([3.0]) == (3.0, None, None)
        assert mean_of([2.0, 2.0]) == (2.0, 2.0, 2.0)
        values = [0.0] * 20 + [1.0] * 20
        mean, low, high = mean_of(values)
        assert mean_of(values) == (mean, low, high)
        # The standard error of forty tosses is 0.079, so the limits are about 0.155 away.
        assert (0.5 - low, high - 0.5) == (pytest.approx(0.155, abs=0.02),) * 2


class TestRefused:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"hours": 0}, "hours=0"),
            ({"rate": -1}, "rate=-1"),
            ({"connections": 9}, "connections=9"),
            ({"seed": -1}, "seed=-1"),
            ({"latency": 0}, "latency=0"),
            ({"restarts": 1}, "restarts=1"),
            ({"retention": -1}, "retention=-1"),
            ({"notice": (60, 20)}, "notice=.60, 20."),
            ({"notice": "about 60"}, "notice='about 60'"),
            ({"quiet_after": 0}, "quiet_after=0"),
            ({"faults": "churn"}, "faults='churn'.*churn-trap"),
            ({"faults": [40]}, "faults=.*Drops()"),
        ],
    )
    def test_options(self, options: dict[str, Any], named: str) -> None:
        """What is not possible is refused when the lab is made, and named."""
        with pytest.raises(InvalidOption, match=named):
            Lab(**options)

    @pytest.mark.parametrize(
        "make",
        [
            lambda: Drops(0),
            lambda: Outages("weather"),
            lambda: Outages(shortest=100.0, longest=10.0),
            lambda: Maintenance(seconds=-1),
            lambda: SecondConsumer(per_day=0),
            lambda: TokenExpiry(every=0),
            lambda: Quiet(seconds=-1),
            lambda: Lab().compare({}),
            lambda: Lab().compare({"none": 60}),
            lambda: Lab().compare({"ours": SURE}, seeds=0),
            lambda: Lab().compare({"ours": SURE}, workers=0),
            lambda: Lab().sweep(),
            lambda: Lab().sweep(cooldwon=[60]),
            lambda: Lab().sweep(cooldown=[]),
            lambda: Lab().sweep(notice=["60"], seeds=1),
            lambda: Lab(hours=1).sweep(cooldown=[60], seeds=1).chart("beauty"),
            lambda: Lab(hours=1).run(Endless()),
        ],
    )
    def test_faults_and_questions(self, make: Any) -> None:
        """So are wrong faults, policies and grids, and what a policy must not answer."""
        with pytest.raises(InvalidOption):
            make()


class Endless:
    """Asks for a connection that lasts no time."""

    def start(self, now: float) -> None:
        """Nothing to remember."""

    def step(self, state: None, event: object, now: float) -> Any:
        return None, (Connect(seconds=0.0),)


def waits(policy: Any, *events: Failed, seed: float = 0.0) -> list[Any]:
    """What a policy answers to failures in a row, after an open stream: seconds, or an action."""
    state, _ = policy.step(policy.start(0.0), Opened(), 0.0)
    found: list[Any] = []
    for event in events:
        state, actions = policy.step(state, event, 0.0)
        last = actions[-1]
        found.append((last.earliest, last.latest) if isinstance(last, Wait) else last)
    return found


DROPPED, REFUSED = Failed(Cause.DROPPED), Failed(Cause.REFUSED, 409)
NO_NETWORK, MOVED = Failed(Cause.UNREACHABLE), Failed(Cause.UNAVAILABLE, 503)


class TestOthers:
    @pytest.mark.parametrize(
        ("policy", "events", "expected"),
        [
            (others.ImmediateRetry(), [DROPPED, REFUSED], [Connect(), Connect()]),
            (
                others.HttpStreamingClient(attempts=2),
                [DROPPED, REFUSED, REFUSED],
                [(1, 1), (1, 1), GiveUp()],
            ),
            (
                others.FirehoseClientExample(),
                [DROPPED, REFUSED, REFUSED, REFUSED],
                [(5, 5), (5, 5), (5, 5), GiveUp()],
            ),
            (
                others.XStreaming(),
                [DROPPED, NO_NETWORK, NO_NETWORK, REFUSED, REFUSED, REFUSED],
                [Connect(), (0.25, 0.25), (0.5, 0.5), (5, 5), (10, 10), (20, 20)],
            ),
            (
                others.Websockets(),
                [DROPPED, NO_NETWORK, MOVED, NO_NETWORK, REFUSED],
                [Connect(), (0, 5), (3.1, 3.1), pytest.approx((5.0158, 5.0158)), GiveUp()],
            ),
            (
                others.Grpc(),
                [DROPPED, REFUSED, REFUSED],
                [Connect(), (0.8, 1.2), pytest.approx((1.28, 1.92))],
            ),
            (others.FullJitter(), [DROPPED] * 7, [(0, w) for w in (1, 2, 4, 8, 16, 20, 20)]),
        ],
        ids=lambda each: type(each).__name__ if hasattr(each, "step") else "",
    )
    def test_waits(self, policy: Any, events: list[Failed], expected: list[Any]) -> None:
        """Each waits as its source says."""
        assert waits(policy, *events) == expected

    def test_scheduled_runs(self) -> None:
        """A run reads two minutes, and the next begins on the timer, whatever became of it."""
        runs = others.ScheduledRuns()
        began = runs.start(100.0)
        assert runs.step(began, Opened(), 101.0) == (began, ())
        _, (_, wait) = runs.step(began, Failed(Cause.CLOSED), 221.0)
        assert wait == Wait(340.0, 340.0)
        assert runs.step(began, REFUSED, 341.0)[1][-1] == Wait(580.0, 580.0)
        result = Lab(hours=1, faults=(Maintenance(at=20.0),)).run(runs)
        spells = result.timeline().filter(state="streaming")["seconds"]
        assert spells.to_list() == pytest.approx([120.0] * 15, abs=0.6)
        assert result.summary.lost == 0

    @pytest.mark.parametrize("name", others.POLICIES)
    def test_a_day(self, name: str) -> None:
        """Every policy gets through some rough hours, and renews a token that has expired."""
        faults = (TokenExpiry(every=2.0), Drops(20.0))
        summary = Lab(hours=3, faults=faults, latency=5.0).run(others.POLICIES[name]).summary
        assert summary.delivered > 0.05
        assert others.POLICIES[name] == type(others.POLICIES[name])()
