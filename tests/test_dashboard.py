"""The dashboard without a browser: what it says, what it sends, and when it ends."""

import gzip
import json
import struct
import threading
from array import array
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta
from math import nan

import polars as pl
import pytest
import vl_convert
from ipywidgets import Box
from ipywidgets.widgets.widget import _instances

from livestream_nb import Simulator
from livestream_nb.charts import bundle as bundles
from livestream_nb.charts import kept as keeping
from livestream_nb.charts.bundle import live_spec
from livestream_nb.charts.painter import repacked
from livestream_nb.dashboard import words
from livestream_nb.dashboard.beside import side_by_side
from livestream_nb.dashboard.drawing import Drawing
from livestream_nb.dashboard.live import CODES, LiveView, script
from livestream_nb.dashboard.pump import Pump
from livestream_nb.dashboard.scale import Scale
from livestream_nb.dashboard.snapshot import Watch, look
from livestream_nb.dashboard.static import html, png, still
from livestream_nb.dashboard.view import BEAT_EVERY, Dashboard
from livestream_nb.errors import StreamBusy
from tests.fake_reader import HITS, FakeClock, FakeReader, FakeStatus, at, lag, throughput, timeline
from tests.test_charts import inked

SOON = 20.0
WAITING = FakeStatus(
    state="cooldown", since=at(90), next_attempt=at(155), silent_for=None, reason="Lost; waiting."
)
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def reader() -> FakeReader:
    return FakeReader()


@pytest.fixture
def dashboard(reader: FakeReader) -> Iterator[Dashboard]:
    made = Dashboard(reader)
    yield made
    made.close()


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59, "59 s"),
        (61, "1 min 1 s"),
        (250, "4 min 10 s"),
        (7_500, "2 h 5 min"),
        (180_000, "2 d 2 h"),
    ],
)
def test_durations_in_words(seconds: float, said: str) -> None:
    """A duration is said in its two largest units."""
    assert words.duration(seconds) == said


def test_says_when_the_next_attempt_comes(reader: FakeReader) -> None:
    """While waiting, the head tells until when, for the browser to count down."""
    reader.status, reader.clock = WAITING, FakeClock(now=116)
    snapshot = look(reader)
    head = words.head(snapshot)
    assert words.moment(snapshot) == "next attempt in 39 s"
    assert head["moments"] == [{"text": "next attempt in {}", "at": ms(155), "ahead": True}]
    assert head["wait"] == {"since": ms(90), "until": ms(155)}


def test_says_since_when_it_streams_and_how_long_nothing_came(reader: FakeReader) -> None:
    """A long silence on an open connection is told beside the time that it has lasted."""
    assert words.moment(look(reader)) == "for 59 s"
    reader.status = replace(reader.status, silent_for=35.0)
    assert words.moment(look(reader)) == "for 59 s · nothing for 35 s"
    assert [each.at for each in words.moments(look(reader))] == [at(241), at(265)]
    reader.status = replace(reader.status, state="stalled")
    assert words.moment(look(reader)) == "for 59 s"


def test_a_fast_clock_is_told_and_makes_no_silence_long(reader: FakeReader) -> None:
    """With a fast clock its speed is among the figures, and a real second is no long silence."""
    reader.clock = FakeClock(rate=60)
    reader.status = replace(reader.status, silent_for=35.0)
    assert words.moment(look(reader)) == "for 59 s"
    assert words.figures(look(reader))["clock speed"] == "60×"
    reader.status = replace(reader.status, silent_for=61.0)
    assert words.moment(look(reader)) == "for 59 s · nothing for 1 min 1 s"


def test_a_stream_that_failed_has_ended(reader: FakeReader) -> None:
    """A stream that failed for good can be started, and tells when it ended."""
    assert words.head(look(reader))["ended"] is False
    reader.status = replace(reader.status, state="failed", since=at(280), transitions=8)
    head = words.head(look(reader))
    assert (head["ended"], head["change"]) == (True, 8)
    assert str(head["told"]).endswith("the last 10 min. Now: failed.")
    assert head["moments"] == [{"text": "since 12:04:40", "at": None, "ahead": False}]


def test_before_the_first_hit(reader: FakeReader) -> None:
    """Without hits, or without a value in them, that is what stands below the top values."""
    reader.rows = HITS.clear()
    nothing = look(reader)
    assert (words.top_rows(nothing), words.top_note(nothing)) == ([], "No hits in this span.")
    assert "Top values" not in html(nothing, "")
    reader.rows = HITS.with_columns(pageName=pl.lit(None, pl.String))
    empty = look(reader)
    assert words.top_rows(empty) == []
    assert words.top_note(empty) == ("None has a value of pageName: 600 hits of the last 10 min.")


def test_says_when_it_stopped_in_the_readers_zone(reader: FakeReader) -> None:
    """Once stopped, the moment is a time of day in the wanted zone."""
    reader.tz = "Europe/Zurich"
    reader.status = replace(reader.status, state="stopped", since=at(280))
    assert words.moment(look(reader)) == "since 13:04:40"


def test_figures(reader: FakeReader) -> None:
    """The figures are the counters, and pace and delay of the last ten whole seconds."""
    found = look(reader)
    hits = [row.hits for row in found.throughput[-10:]]
    late = sum(row.median * row.hits for row in found.lag[-10:]) / sum(hits)
    assert words.figures(found) == {
        "hits": "12,345",
        "hits/s": f"{sum(hits) / 10:.1f}",
        "delay": f"{late:.0f} s",
        "duplicates": "12",
    }


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (None, "–"),
        (0.26, "0.3 s"),
        (9.96, "10 s"),
        (31.2, "31 s"),
        (250.0, "4 min 10 s"),
        (-0.04, "0.0 s"),
        (-0.26, "−0.3 s"),
        (-250.0, "−4 min 10 s"),
    ],
)
def test_delays_in_words(seconds: float | None, said: str) -> None:
    """A short delay has tenths, a long one minutes, one below zero its sign; or there is none."""
    assert words.delay(seconds) == said


def test_an_old_delay_is_no_delay_of_now(reader: FakeReader) -> None:
    """In a long outage the delay of what came before it is not shown as the delay of now."""
    reader.clock = FakeClock(now=95)
    assert look(reader).delay is not None
    reader.clock = FakeClock(now=200)
    assert look(reader).delay is None


def test_pace_while_another_connection_waits(reader: FakeReader) -> None:
    """As long as one connection is open there is a pace, whatever the badge tells of another."""
    reader.status = replace(reader.status, state="cooldown")
    assert look(reader).pace is not None
    reader.clock = FakeClock(now=120)
    assert look(reader).pace is None


def test_pace_is_of_all_connections_and_of_late() -> None:
    """The pace adds up what connections brought in the last three long steps, per second."""
    for many, every, begin in [(1, 10, 260), (2, 20, 80)]:
        watch = Watch(Many(many))
        watch.choose(span=3_600)
        found = watch.look()
        latest = [row.hits for row in found.throughput if row.time >= at(begin).timestamp()]
        assert found.scale.every == every
        assert len(latest) == 3 * many
        assert found.pace == pytest.approx(sum(latest) / 3 / every)
        assert 40 * many < found.pace < 60 * many


def test_the_delay_is_that_of_most_hits(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second with many hits counts for more than one with few."""
    late = pl.DataFrame(
        {"time": [at(296), at(297)], "hits": [90, 10], "median": [10.0, 60.0], "p95": [20.0, 70.0]}
    )
    monkeypatch.setattr(FakeReader, "lag", lambda *_, **__: late)
    assert look(reader).delay == 15.0


def test_the_running_step_is_left_out(reader: FakeReader) -> None:
    """The last row shown is a whole step, so that the line does not dive at its end."""
    reader.clock = FakeClock(now=295.2)
    assert look(reader).throughput[-1].time == at(293).timestamp()


def test_window_fills_grows_moves_and_stays(reader: FakeReader) -> None:
    """The window starts with the first state, moves once it is full, and stays after the end."""
    spans = []
    for now, state, since in [
        (10, "streaming", 1),
        (200, "streaming", 1),
        (705, "stopped", 700),
        (900, "stopped", 700),
    ]:
        reader.clock = FakeClock(now=now)
        reader.status = replace(reader.status, state=state, since=at(since))
        window = look(reader).window
        spans.append((window.start, window.end, window.now))
    assert spans == [
        (at(0), at(120), at(10)),
        (at(0), at(200), at(200)),
        (at(105), at(705), at(705)),
        (at(148), at(748), at(748)),
    ]


def test_a_fast_clock_gets_a_longer_window_and_longer_steps() -> None:
    """At sixty times the speed a view holds an hour, in steps of some blocks of bytes."""
    assert Scale.of(1.0, 1) == Scale(600, every=1, late=0.3, unsure=5.0)
    assert Scale.of(60.0, 1) == Scale(3_600, every=20, late=18.0, unsure=300.0)


def test_a_view_never_has_many_rows() -> None:
    """An hour, and many connections, get longer steps."""
    assert [Scale.of(1.0, many, span).every for many, span in [(1, 3_600), (8, 600)]] == [10, 10]


def test_the_viewer_chooses_how_much_time(reader: FakeReader) -> None:
    """A chosen span is the window's; one that there is not changes nothing."""
    reader.clock = FakeClock(now=250)
    watch = Watch(reader)
    watch.choose(span=60)
    assert watch.look().window.start == at(190)
    for nonsense in (61, "60", None, [60], True):
        watch.choose(span=nonsense)
        assert watch.look().scale.span == 60


def test_the_viewer_chooses_whose_top_values(reader: FakeReader) -> None:
    """Any column of single values, or of lists of them, can be chosen; nothing else."""
    watch = Watch(reader)
    assert watch.columns == ["pageName", "geoCountry", "mvvar1"]
    most = HITS["pageName"].value_counts(sort=True)["pageName"][0]
    assert words.top_rows(watch.look())[0][0] == most
    watch.choose(column="geoCountry")
    assert words.top_rows(watch.look()) == [("che", "150", "25.0%", 1.0)]
    watch.choose(column="mvvar1")
    assert [row[:2] for row in words.top_rows(watch.look())] == [("a", "300"), ("b", "300")]
    for nonsense in ("products", "nothing", None, 7):
        watch.choose(column=nonsense)
        assert watch.look().column == "mvvar1"


def test_columns_of_text_come_first(reader: FakeReader) -> None:
    """Numbers and times are rarely counted: they stand at the end of what can be chosen."""
    reader.rows = HITS.select(pl.lit(1).alias("hitIdLow"), pl.lit(at(0)).alias("timeGMT"), "*")
    assert Watch(reader).columns == [
        *("pageName", "geoCountry", "mvvar1"),
        *("hitIdLow", "timeGMT"),
    ]


def test_asks_back_to_the_step_that_the_window_begins_in(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every question is of the window, and of the whole step that is cut by its beginning."""
    asked: dict[str, object] = {}
    for name in ("_recent_counts", "_recent_delays", "_values"):
        answer = getattr(FakeReader, name)

        def ask(self: FakeReader, *args: object, name=name, answer=answer) -> object:
            asked[name] = args[-1]
            return answer(self, *args)

        monkeypatch.setattr(FakeReader, name, ask)
    watch = Watch(reader)
    for now, span, last, since in ((300.5, 60, 61, 240), (305, 3_600, 315, 0)):
        reader.clock.now = now
        watch.choose(span=span)
        watch.look()
        assert asked == {
            "_recent_counts": at(since).timestamp(),
            "_recent_delays": at(since).timestamp(),
            "_values": timedelta(seconds=last),
        }


def test_counting_that_takes_long_is_done_less_often(
    reader: FakeReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Top values are counted every two real seconds, but not for more than 5 % of the time."""
    watch, asked = Watch(reader), []
    reader.clock = FakeClock(rate=60)
    monkeypatch.setattr(FakeReader, "throughput", lambda *_, **__: throughput())
    for now in (300, 400, 420):
        reader.clock.now = now
        reader.calls.clear()
        watch.look()
        asked.append("hits" in reader.calls)
    assert asked == [True, False, True]
    reader.clock = FakeClock(now=400)
    count = FakeReader._values

    def slowly(self: FakeReader, *asked: object) -> pl.Series:
        self.clock.now += 0.5
        return count(self, *asked)

    monkeypatch.setattr(FakeReader, "_values", slowly)
    watch, asked = Watch(reader), []
    for now in (400, 405, 409.9, 410, 415):
        reader.clock.now = now
        reader.calls.clear()
        watch.look()
        asked.append("hits" in reader.calls)
    assert asked == [True, False, False, True, False]


def test_without_the_usual_column_another_is_shown(reader: FakeReader) -> None:
    """A reader that keeps no pageName shows top values of a column that it keeps."""
    reader.rows = HITS.drop("pageName")
    assert look(reader).column in reader.rows.columns


def test_asks_little_and_never_much_at_once(reader: FakeReader) -> None:
    """After the first look, at most one question per look, and none until a step is complete."""
    watch = Watch(reader)
    watch.look()
    assert reader.calls == ["timeline", "throughput", "lag", "hits"]
    asked = []
    for now in (300.25, 300.5, 300.75, 301.0, 301.25, 301.5, 301.75, 302.0):
        reader.calls.clear()
        reader.clock = FakeClock(now=now)
        watch.look()
        asked.append(tuple(reader.calls))
    assert asked == [
        (),
        ("throughput",),
        ("lag",),
        (),
        (),
        ("throughput",),
        ("lag",),
        ("hits",),
    ]


def test_a_change_of_state_is_asked_for_at_once(reader: FakeReader) -> None:
    """With a new transition the timeline is asked for in that very look."""
    watch = Watch(reader)
    watch.look()
    reader.calls.clear()
    reader.status = replace(reader.status, transitions=8)
    watch.look()
    assert "timeline" in reader.calls


def test_the_same_frames_are_the_same_rows_until_the_clocks_change(reader: FakeReader) -> None:
    """Rows are made anew when the frame is another one, or the zone's offset."""
    reader.tz = "Europe/Zurich"
    found = look(reader)
    drawing = Drawing(found)
    winter = (drawing.throughput, drawing.delay, drawing.states)
    drawing.take(found)
    again = (drawing.throughput, drawing.delay, drawing.states)
    assert all(one is other for one, other in zip(winter, again, strict=True))
    before = first_times(drawing)
    window = replace(found.window, end=found.window.end + timedelta(days=60))
    drawing.take(replace(found, window=window))
    hour = 3_600_000
    assert first_times(drawing) == [time + hour for time in before]


def test_the_charts_are_told_what_they_need(reader: FakeReader) -> None:
    """Now, heights of the panels, and the note in place of hits, are parameters of the charts."""
    told = signals_of(reader)
    assert told["ceiling"] == pytest.approx(62.4)
    assert told["latest"] == pytest.approx(42.0 * 1.04)
    reader.clock = FakeClock(now=10)
    told = signals_of(reader)
    assert (told["window_start"], told["now"], told["window_end"]) == (ms(0), ms(10), ms(120))
    assert told["note"] == ""
    reader.clock = FakeClock(now=1)
    assert signals_of(reader)["note"] == "no hits in this span"
    reader.status = replace(reader.status, hits=0)
    assert signals_of(reader)["note"] == "no hits yet"


def test_steps_end_with_the_connection(reader: FakeReader) -> None:
    """Also in the live view a long step covers only the time that a connection was open."""
    reader.clock = FakeClock(rate=60)
    assert ms(90) in [step.until for step in Drawing(look(reader)).throughput]


def test_two_delays_are_no_line(reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Delays that are some steps apart are not drawn as if they were neighbours."""
    apart = lag().filter(pl.col("time").is_in([at(40), at(80)]))
    monkeypatch.setattr(FakeReader, "lag", lambda *_, **__: apart)
    breaks = [step.time for step in Drawing(look(reader)).delay if step.p95 is None]
    assert breaks == [ms(41) + 1, ms(81) + 1]


def test_sends_columns_of_bytes(reader: FakeReader) -> None:
    """Each column arrives as bytes of its type, times counted in ms from the origin."""
    late, later = pl.duration(milliseconds=250), pl.duration(milliseconds=500)
    reader.states = timeline().with_columns(pl.col("started") + late, pl.col("ended") + later)
    view, drawing = view_of(reader), Drawing(look(reader))
    for steps, sent in ((drawing.throughput, view.throughput), (drawing.delay, view.delay)):
        fields = steps[0]._fields
        columns = {each: array(CODES[each], sent[each]).tolist() for each in fields}
        for each in ("time", "until"):
            moments = [sent["origin"] + moment for moment in columns.pop(each)]
            assert moments == [getattr(step, each) for step in steps]
        for each, values in columns.items():
            wanted = [getattr(step, each) for step in steps]
            wanted = [nan if value is None else value for value in wanted]
            assert values == pytest.approx(wanted, rel=1e-6, nan_ok=True)
    assert view.throughput["origin"] == ms(1.25)


def test_the_scripts_are_packed(reader: FakeReader) -> None:
    """A notebook that keeps the widgets' state grows by less than half a megabyte for each."""
    view = view_of(reader)
    assert gzip.decompress(view.scripts).decode() == bundles.bundle(script())
    assert len(b64encode(view.scripts)) + len(json.dumps(view.spec)) < 500_000
    assert view.scripts_name == view_of(reader).scripts_name


def test_sends_what_can_be_chosen(reader: FakeReader) -> None:
    """A view names its reader, and all spans and columns that there are."""
    view = view_of(reader, ["pageName", "geoCountry"])
    assert view.name == "Live view of demo"
    assert view.choices["columns"] == ["pageName", "geoCountry"]
    assert view.choices["spans"] == [("1 min", 60), ("10 min", 600), ("1 h", 3_600)]


def test_sends_only_what_changed(reader: FakeReader) -> None:
    """An update without new frames is only the moment; with a new step, what is made of it."""
    view, watch = view_of(reader), Watch(reader)
    view.show(watch.look())
    sent: list[str] = []
    view.observe(lambda change: sent.append(change["name"]))
    reader.clock = FakeClock(now=300.2)
    view.show(watch.look())
    assert sent == ["live"]
    sent.clear()
    for now in (301.4, 301.6):
        reader.clock = FakeClock(now=now)
        view.show(watch.look())
    assert set(sent) == {"throughput", "delay", "head", "live"}


def test_sends_one_message(reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever changed in between, an update is one message; so rows and moment fit together."""
    view, sent = view_of(reader), []
    monkeypatch.setattr(view, "send_state", lambda key: sent.append(set(key)))
    reader.status = replace(reader.status, hits=99_999)
    reader.clock = FakeClock(now=305, rate=2)
    view.show(look(reader))
    assert len(sent) == 1
    assert sent[0] >= {"head", "live", "throughput", "delay"}
    assert (view.live["rate"], view.live["at"]) == (2, ms(305))


def test_sentences_are_sent_once(reader: FakeReader) -> None:
    """Of many states with the same sentence, the sentence is there once."""
    states = view_of(reader).states
    at_ = states["names"].index("sentence")
    said = [states["sentences"][row[at_]] for row in states["rows"]]
    assert sorted(said) == sorted(timeline()["sentence"])
    assert len(states["sentences"]) == timeline()["sentence"].n_unique() < len(said)


def test_the_pump_keeps_the_view_fresh(dashboard: Dashboard, reader: FakeReader) -> None:
    """What the reader counts appears in the view without anyone asking for it."""
    reader.status = replace(reader.status, hits=99_999)
    await_(lambda: "99,999" in dict(dashboard.widget.head["figures"]).values())


def test_a_resting_reader_still_beats(dashboard: Dashboard) -> None:
    """When nothing changes the view is told so, and is sent no rows."""
    await_(lambda: dashboard._resting > 0)
    first = dashboard.widget.live
    await_(lambda: dashboard.widget.live["beat"] > first["beat"])
    assert dashboard.widget.live | {"beat": 0} == first | {"beat": 0}


def test_a_resting_reader_beats_on(dashboard: Dashboard) -> None:
    """However long nothing changes, the view is told so every two seconds."""
    dashboard._pump.close()
    before = dashboard.widget.live["beat"]
    for _ in range(5 * BEAT_EVERY):
        dashboard._refresh()
    assert dashboard.widget.live["beat"] - before == pytest.approx(5, abs=1)


def test_buttons_act(dashboard: Dashboard, reader: FakeReader) -> None:
    """Stop stops the reader and Start starts it, on the pump's thread."""
    told(dashboard, {"do": "stop"})
    await_(lambda: dashboard.widget.head["ended"] is True)
    told(dashboard, {"do": "start"})
    await_(lambda: dashboard.widget.head["ended"] is False)
    assert [call for call in reader.calls if call in ("start", "stop")] == ["stop", "start"]


def test_choices_are_shown(dashboard: Dashboard) -> None:
    """What the viewer chose is in the traits, so that another view shows it, too."""
    told(dashboard, {"do": "span", "value": 3_600})
    told(dashboard, {"do": "column", "value": "geoCountry"})
    await_(lambda: dashboard.widget.choices["span"] == 3_600)
    await_(lambda: dashboard.widget.choices["column"] == "geoCountry")
    await_(lambda: dashboard.widget.top["rows"][0][0] == "che")


def test_nonsense_from_the_page_changes_nothing(dashboard: Dashboard, reader: FakeReader) -> None:
    """A message that no control sends is ignored."""
    for message in ({}, {"do": "close"}, {"do": ["stop"]}, {"do": "span", "value": {}}):
        told(dashboard, message)
    told(dashboard, {"do": "stop"})
    await_(lambda: dashboard.widget.head["ended"] is True)
    assert dashboard.widget.choices["span"] == 600


def test_a_refused_start_is_told(reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a button's action stands in the head, and stays until there is news."""

    def refuse(_: FakeReader) -> None:
        raise StreamBusy("Another reader reads this stream.")

    monkeypatch.setattr(FakeReader, "start", refuse)
    reader.status = FakeStatus(state="stopped", since=at(200))
    dashboard = Dashboard(reader)
    told(dashboard, {"do": "start"})
    await_(lambda: dashboard.widget.head["reason"] == "Another reader reads this stream.")
    dashboard.close()


def test_what_nobody_foresaw_does_not_end_the_view(
    dashboard: Dashboard,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A button's unforeseen error is told and logged by its type only, and the view goes on."""

    def fail(_: FakeReader) -> None:
        raise ConnectionError("Bearer secret")

    monkeypatch.setattr(FakeReader, "stop", fail)
    told(dashboard, {"do": "stop"})
    wrong = "Something went wrong in this view: ConnectionError."
    await_(lambda: dashboard.widget.head["reason"] == wrong)
    assert caplog.messages == ["The live view of demo met with ConnectionError."]
    assert "secret" not in caplog.text
    reader.status = replace(reader.status, hits=99_999)
    await_(lambda: "99,999" in dict(dashboard.widget.head["figures"]).values())


def test_a_refresh_that_fails_is_not_the_last(
    dashboard: Dashboard,
    reader: FakeReader,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """While refreshes fail the view says so, and the log once; the next that works is shown."""
    tried: list[None] = []

    def fail() -> None:
        tried.append(None)
        raise KeyError("secret")

    with monkeypatch.context() as broken:
        broken.setattr(dashboard._watch, "look", fail)
        await_(lambda: len(tried) > 2)
        assert dashboard.widget.head["reason"] == "Something went wrong in this view: KeyError."
    assert caplog.messages == ["The live view of demo met with KeyError."]
    reader.status = replace(reader.status, hits=99_999)
    await_(lambda: dashboard.widget.head["reason"] == reader.status.reason)


def test_closing_ends_the_pump(reader: FakeReader) -> None:
    """After close() no thread of the dashboard is left, and it says that it is closed."""
    before = set(threading.enumerate())
    dashboard = Dashboard(reader)
    assert not dashboard.closed
    dashboard.close()
    assert dashboard.closed
    assert set(threading.enumerate()) <= before


def test_removed_widgets_end_the_pump(reader: FakeReader) -> None:
    """When the widgets are closed by others, the pump ends by itself."""
    dashboard = Dashboard(reader)
    dashboard.widget.close()
    await_(lambda: not dashboard._pump.is_alive())


def test_a_reader_that_takes_over_ends_the_old_view() -> None:
    """Running the cell again leaves one view and one pump, those of the newer reader."""
    with Simulator(speed=20) as simulator, simulator.reader() as first:
        old = first.dashboard()
        assert first.dashboard() is old
        with simulator.reader() as second:
            new = second.dashboard()
            assert (old.closed, new.closed) == (True, False)
        new.close()


def test_a_view_at_rest_shows_the_end(reader: FakeReader) -> None:
    """A view that is laid to rest shows how its reader ended, stays, and has no thread any more."""
    dashboard = Dashboard(reader)
    reader.stop()
    dashboard.rest()
    assert dashboard.widget.head["state"] == "stopped"
    assert dashboard.widget.live["resting"] is True
    assert (dashboard.ended, dashboard.closed) == (True, False)
    assert not dashboard._pump.is_alive()
    dashboard.rest()
    dashboard.close()
    assert (dashboard.ended, dashboard.closed) == (True, True)


def test_closing_takes_all_widgets_away(reader: FakeReader) -> None:
    """After close() neither the view nor its layout is left in the kernel."""
    before = set(_instances)
    dashboard = Dashboard(reader)
    dashboard.close()
    assert dashboard.ended
    assert set(_instances) <= before


def test_one_reader_after_the_other_leaves_little_behind() -> None:
    """However many readers were made, shown and stopped, one view lives and one is at rest."""
    views, left = [], []
    with Simulator(speed=60) as simulator:
        for _ in range(8):
            with simulator.reader() as reader:
                views.append(reader.dashboard())
            left.append(left_behind())
    assert [view.closed for view in views] == [True] * 6 + [False] * 2
    assert [view.ended for view in views] == [True] * 7 + [False]
    assert set(left[1:]) == {left[1]}
    assert left[0][0] == left[1][0]
    for view in views:
        view.close()


def test_readers_in_turn_leave_little_behind() -> None:
    """Of two readers that are started and shown in turn, one view lives and one is at rest."""
    views, left = [], []
    with Simulator(speed=60) as simulator:
        readers = [simulator.reader(), simulator.reader()]
        for turn in range(8):
            with readers[turn % 2] as reader:
                views.append(reader.dashboard())
                assert reader.dashboard() is views[-1]
                assert not views[-1].ended
                assert [view.closed for view in views[:-2]] == [True] * max(0, turn - 1)
                left.append(left_behind())
    assert len(set(views)) == 8
    assert views[-2].ended
    assert set(left[1:]) == {left[1]}
    for view in views:
        view.close()


def test_a_view_that_was_closed_takes_no_place() -> None:
    """A view closed by hand does not count as the one at rest, and its reader gets a new one."""
    with Simulator(speed=1) as simulator:
        kept, closed, latest = (simulator.reader() for _ in range(3))
        views = [kept.dashboard(), closed.dashboard()]
        views[1].close()
        views.append(latest.dashboard())
        assert [view.closed for view in views] == [False, True, False]
        assert [view.ended for view in views] == [True, True, False]
        views.append(closed.dashboard())
        assert not views[-1].ended
        for view in views:
            view.close()


def test_the_view_of_a_running_reader_stays_live() -> None:
    """Showing another reader of the stream, which has not started, lays no running one to rest."""
    with Simulator(speed=60) as simulator, simulator.reader() as first:
        second = simulator.reader()
        views = [first.dashboard(), second.dashboard()]
        assert [view.ended for view in views] == [False, False]
        for view in views:
            view.close()


def test_what_was_chosen_is_chosen_again() -> None:
    """The view of the next reader of a stream shows the span and the column that were chosen."""
    with Simulator(speed=1) as simulator:
        old = simulator.reader().dashboard()
        told(old, {"do": "span", "value": 60})
        told(old, {"do": "column", "value": "geoCountry"})
        await_(lambda: old.widget.choices["column"] == "geoCountry")
        old.close()
        new = simulator.reader().dashboard()
        assert new.choices == {"span": 60, "column": "geoCountry"}
        assert (new.widget.choices["span"], new.widget.choices["column"]) == (60, "geoCountry")
        new.close()


def test_pump_does_what_is_asked_before_the_next_tick() -> None:
    """An action that is asked for runs at once, on the pump's thread, and a refresh follows."""
    done: list[object] = []
    refreshed = threading.Event()

    def refresh() -> None:
        done.append("refreshed")
        refreshed.set()

    pump = Pump(refresh, 3_600, done.append)
    pump.ask(lambda: done.append(threading.current_thread()))
    assert refreshed.wait(SOON)
    pump.close()
    assert done == [pump, "refreshed"]


def test_pumps_that_close_each_other_end() -> None:
    """Two actions at one instant that each close the other's pump do not wait for each other."""
    both = threading.Barrier(2, timeout=SOON)
    failed: list[Exception] = []
    pumps = [Pump(lambda: None, 3_600, failed.append) for _ in range(2)]

    def close(other: Pump) -> None:
        both.wait()
        other.close()

    for pump, other in zip(pumps, reversed(pumps), strict=True):
        pump.ask(lambda other=other: close(other))
    await_(lambda: not any(pump.is_alive() for pump in pumps))
    assert failed == []


def test_no_refresh_after_a_pump_was_closed_by_another() -> None:
    """A pump that closes another one waits until its refresh is over, and no other one follows."""
    begun, go_on, closed = (threading.Event() for _ in range(3))
    done: list[str] = []

    def refresh() -> None:
        begun.set()
        assert go_on.wait(SOON)
        done.append("refreshed")

    slow, other = (Pump(work, 3_600, done.append) for work in (refresh, lambda: None))
    for _ in range(2):
        slow.ask(lambda: None)
    assert begun.wait(SOON)
    other.ask(lambda: (slow.close(), done.append("closed"), closed.set()))
    await_(lambda: not slow._open)
    go_on.set()
    assert closed.wait(SOON)
    other.close()
    slow.join(SOON)
    assert done == ["refreshed", "closed"]


def test_dashboards_stand_beside_each_other() -> None:
    """Two dashboards are one widget; where widgets do not work, two pictures, or one of both."""
    readers = shown_readers("one", "two")
    bundle = side_by_side(*readers)._repr_mimebundle_()
    box = _instances[bundle["application/vnd.jupyter.widget-view+json"]["model_id"]]
    assert list(box.children) == [reader.dashboard().widget for reader in readers]
    assert bundle["text/html"].count("data:image/png;base64,") == 2
    drawn = [reader.dashboard()._repr_mimebundle_()["image/png"] for reader in readers]
    one, both = (b64decode(picture) for picture in (drawn[0], bundle["image/png"]))
    assert width_of(both) == pytest.approx(2 * width_of(one), abs=2)
    assert inked(both) == pytest.approx(2 * inked(one), rel=0.05)
    for reader in readers:
        reader.dashboard().close()


def test_dashboards_beside_each_other_leave_nothing_behind() -> None:
    """However often they are shown there is one box, until the next one after both are gone."""
    before = set(_instances)
    readers = shown_readers("one", "two")
    views = [side_by_side(*readers)._repr_mimebundle_() for _ in range(2)]
    kept = set(_instances)
    side_by_side(*readers)._repr_mimebundle_()
    assert views[0] == views[1]
    assert set(_instances) == kept
    readers[0].dashboard().close()
    others = shown_readers("three", "four")
    side_by_side(*others)._repr_mimebundle_()
    assert any(type(_instances[each]) is Box for each in kept & set(_instances))
    for reader in (readers[1], *others):
        reader.dashboard().close()
    last = shown_readers("five")
    side_by_side(*last)._repr_mimebundle_()
    assert len(set(_instances) - before) == len({"view", "its layout", "box", "its layout, too"})
    last[0].dashboard().close()


def test_mimebundle_has_a_widget_a_picture_and_text(dashboard: Dashboard) -> None:
    """A cell that shows the dashboard also holds a PNG, a table and a line of text."""
    bundle = dashboard._repr_mimebundle_()
    assert bundle["application/vnd.jupyter.widget-view+json"]["model_id"] == (
        dashboard.widget.model_id
    )
    assert bundle["text/plain"] == "<Reader streaming, 12,345 hits>"
    assert b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "<td style='text-align:left'>12,345</td>" in bundle["text/html"]


def test_static_text_is_escaped(reader: FakeReader) -> None:
    """The tables show a hostile sentence and a hostile value as text."""
    reader.status = replace(reader.status, reason=HOSTILE)
    reader.rows = pl.DataFrame({"pageName": [HOSTILE, "\u202egnp.exe"]})
    page = html(look(reader), "")
    assert HOSTILE not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") == 2
    assert "�gnp.exe" in page


def test_pictures_show_the_snapshot(reader: FakeReader) -> None:
    """The PNG is drawn of the snapshot, and leaves the specification as it is for the next one."""
    live_spec.cache_clear()
    kept = deepcopy(live_spec("Time (UTC)", 1))
    drawing, spec = Drawing(look(reader)), still(look(reader))
    sets = {each["name"]: each.get("values") for each in spec["data"]}
    assert sets["throughput"] == [step._asdict() for step in drawing.throughput]
    assert sets["delay"] == [step._asdict() for step in drawing.delay]
    assert sets["states"] == [state._asdict() for state in drawing.states]
    told = {signal["name"]: signal.get("value") for signal in spec["signals"]}
    assert told.items() >= signals_of(reader).items()
    one = png(look(reader))
    assert live_spec("Time (UTC)", 1) == kept
    reader.status = replace(reader.status, connections=2)
    two = png(look(reader))
    assert struct.unpack(">II", two[16:24]) > struct.unpack(">II", one[16:24])


def test_pictures_hold_nothing_to_point_at(reader: FakeReader) -> None:
    """Marks that cannot be seen are left out of the PNG, and no other."""
    spec, drawn = live_spec("Time (UTC)", 1), still(look(reader))
    left_out = [
        mark["name"]
        for whole, panel in zip(spec["marks"], drawn["marks"], strict=True)
        for mark in whole["marks"]
        if mark not in panel["marks"]
    ]
    assert left_out == ["concat_0_layer_3_marks", "concat_2_layer_2_marks"]
    assert repacked(vl_convert.vega_to_png(drawn | {"marks": spec["marks"]}, scale=1.5)) == png(
        look(reader)
    )


def test_pictures_are_small(reader: FakeReader) -> None:
    """The PNG of a full window is below 60 kB, and packing it again changes no byte."""
    picture = png(look(reader))
    assert len(picture) < 60_000
    assert repacked(picture) == picture


def test_bundle_is_kept_for_the_next_process(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process finds the bundle in the cache folder and does not make it again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    snippet = "export default vegaEmbed;"
    kinds = (bundles.bundle, bundles.packed)
    made = [kind.__wrapped__(snippet) for kind in kinds]
    monkeypatch.setattr(bundles.vl_convert, "javascript_bundle", None)
    assert [kind.__wrapped__(snippet) for kind in kinds] == made


def test_the_specification_is_kept_without_altair(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process has the specification without making it; another zone makes another one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = bundles.live_spec.__wrapped__("Time (UTC)", 1)
    monkeypatch.setattr(bundles, "_live_chart", lambda title, _: f'"{title}"')
    assert bundles.live_spec.__wrapped__("Time (UTC)", 1) == made
    assert bundles.live_spec.__wrapped__("Time (CET)", 1) == "Time (CET)"


def test_does_without_a_cache_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache folder cannot be made, what it would hold is made all the same."""
    file = tmp_path_factory.mktemp("cache") / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert keeping.kept("x.js", ("a",), lambda: "made") == "made"


class Many(FakeReader):
    """A reader of so many connections, which all bring the same."""

    def __init__(self, connections: int) -> None:
        super().__init__(status=FakeStatus(connections=connections))

    def throughput(self) -> pl.DataFrame:
        one = super().throughput()
        numbers = range(1, self.status.connections + 1)
        return pl.concat(
            one.with_columns(pl.lit(number, pl.UInt8).alias("connection")) for number in numbers
        ).sort("time", "connection")


def shown_readers(*names: str) -> list[FakeReader]:
    """Make readers that have a dashboard, the same one every time."""
    readers = [FakeReader(name=name) for name in names]
    for reader in readers:
        made = Dashboard(reader)
        reader.dashboard = lambda made=made: made
    return readers


def width_of(picture: bytes) -> int:
    return int.from_bytes(picture[16:20])


def signals_of(reader: FakeReader) -> dict[str, object]:
    found = look(reader)
    return Drawing(found).signals(found)


def first_times(drawing: Drawing) -> list[int]:
    steps = (*drawing.throughput[:1], *drawing.delay[:1])
    return [*(step.time for step in steps), min(state.time for state in drawing.states)]


def left_behind() -> tuple[int, int]:
    """Count the dashboards' threads, and the widgets that the kernel holds."""
    pumps = [each for each in threading.enumerate() if each.name == "livestream-dashboard"]
    return len(pumps), len(_instances)


def view_of(reader: FakeReader, columns: Sequence[str] = ("pageName",)) -> LiveView:
    return LiveView(look(reader), list(columns), "Live view of demo", lambda _: None)


def told(dashboard: Dashboard, message: dict[str, object]) -> None:
    """Send what the page sends."""
    dashboard.widget._handle_custom_msg(message, [])


def ms(seconds: float) -> int:
    return round(at(seconds).timestamp() * 1_000)


def await_(condition: Callable[[], bool]) -> None:
    """Wait until the pump has made it so."""
    never = threading.Event()
    for _ in range(round(SOON / 0.02)):
        if condition():
            return
        never.wait(0.02)
    raise AssertionError("It did not come about in time.")
