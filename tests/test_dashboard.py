"""The dashboard without a browser: what it says, what it sends, and when it ends."""

import threading
from array import array
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace

import polars as pl
import pytest

from livestream_nb import Simulator
from livestream_nb.charts import bundle as bundles
from livestream_nb.charts import kept as keeping
from livestream_nb.dashboard import words
from livestream_nb.dashboard.beside import side_by_side
from livestream_nb.dashboard.live import CODES, LiveView
from livestream_nb.dashboard.pump import Pump
from livestream_nb.dashboard.snapshot import Scale, Watch, look
from livestream_nb.dashboard.static import html, png, repacked
from livestream_nb.dashboard.view import Dashboard
from livestream_nb.errors import StreamBusy
from tests.fake_reader import HITS, FakeClock, FakeReader, FakeStatus, at, timeline

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


def test_says_when_it_stopped_in_the_readers_zone(reader: FakeReader) -> None:
    """Once stopped, the moment is a time of day in the wanted zone."""
    reader.tz = "Europe/Zurich"
    reader.status = replace(reader.status, state="stopped", since=at(280))
    assert words.moment(look(reader)) == "since 13:04:40"


def test_figures(reader: FakeReader) -> None:
    """The figures are the counters, and pace and delay of the last ten whole seconds."""
    found = look(reader)
    hits = found.throughput["hits"].tail(10)
    late = (found.lag["median"].tail(10) * hits).sum() / hits.sum()
    assert words.figures(found) == {
        "hits": "12,345",
        "hits/s": f"{hits.sum() / 10:.1f}",
        "delay": f"{late:.0f} s",
        "duplicates": "12",
    }


@pytest.mark.parametrize(
    ("seconds", "said"), [(None, "–"), (0.26, "0.3 s"), (31.2, "31 s"), (250.0, "4 min 10 s")]
)
def test_delays_in_words(seconds: float | None, said: str) -> None:
    """A short delay has tenths, a long one minutes; without hits there is none."""
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


def test_the_running_step_is_left_out(reader: FakeReader) -> None:
    """The last row shown is a whole step, so that the line does not dive at its end."""
    reader.clock = FakeClock(now=295.2)
    assert look(reader).throughput["time"].max() == at(293)


def test_window_fills_grows_moves_and_stays(reader: FakeReader) -> None:
    """The window starts with the first state, moves once it is full, and stays after the end."""
    spans = []
    for now, state, since in [(10, "streaming", 1), (200, "streaming", 1), (900, "stopped", 700)]:
        reader.clock = FakeClock(now=now)
        reader.status = replace(reader.status, state=state, since=at(since))
        window = look(reader).window
        spans.append((window.start, window.end, window.now))
    assert spans == [
        (at(0), at(120), at(10)),
        (at(0), at(200), at(200)),
        (at(148), at(748), at(748)),
    ]


def test_a_fast_clock_gets_a_longer_window_and_longer_steps() -> None:
    """At sixty times the speed a view holds an hour, in steps of some blocks of bytes."""
    assert Scale.of(1.0, 1) == Scale(span=600, every=1, late=0.3)
    assert Scale.of(60.0, 1) == Scale(span=3_600, every=20, late=18.0)


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


def test_without_the_usual_column_another_is_shown(reader: FakeReader) -> None:
    """A reader that keeps no pageName shows top values of a column that it keeps."""
    reader.rows = HITS.drop("pageName")
    assert look(reader).column in reader.rows.columns


def test_asks_little_and_never_much_at_once(reader: FakeReader) -> None:
    """After the first look, at most one question per look, and none until a step is complete."""
    watch = Watch(reader)
    watch.look()
    assert reader.calls == ["hits", "timeline", "throughput", "lag", "hits"]
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
        ("hits",),
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


def test_sends_columns_of_bytes(reader: FakeReader) -> None:
    """Each column arrives as bytes of its type, times counted from the origin."""
    view = view_of(reader)
    sent = view.throughput
    columns = {name: array(CODES[name], sent[name]) for name in sent if name != "origin"}
    assert {len(column) for column in columns.values()} == {len(columns["time"])}
    assert sent["origin"] + columns["time"][0] == ms(1)
    assert columns["top"][0] == look(reader).throughput["hits"][0]


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
    assert set(sent) == {"throughput", "head", "live"}


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
    await_(lambda: not dashboard._pump._thread.is_alive())


def test_a_reader_that_takes_over_ends_the_old_view() -> None:
    """Running the cell again leaves one view and one pump, those of the newer reader."""
    with Simulator(speed=20) as simulator, simulator.reader() as first:
        old = first.dashboard()
        assert first.dashboard() is old
        with simulator.reader() as second:
            new = second.dashboard()
            assert (old.closed, new.closed) == (True, False)
        new.close()


def test_pump_does_what_is_asked_before_the_next_tick() -> None:
    """An action that is asked for runs at once, on the pump's thread, and a refresh follows."""
    done: list[object] = []
    refreshed = threading.Event()
    pump = Pump(refreshed.set, every=3_600)
    pump.ask(lambda: done.append(threading.current_thread()))
    assert refreshed.wait(SOON)
    pump.close()
    assert done == [pump._thread]


def test_dashboards_stand_beside_each_other() -> None:
    """Two dashboards are one widget, with both pictures where widgets do not work."""
    readers = [FakeReader(name=name) for name in ("one", "two")]
    for reader in readers:
        made = Dashboard(reader)
        reader.dashboard = lambda made=made: made
    bundle = side_by_side(*readers)._repr_mimebundle_()
    assert bundle["text/html"].count("data:image/png;base64,") == 2
    assert "model_id" in bundle["application/vnd.jupyter.widget-view+json"]
    for reader in readers:
        reader.dashboard().close()


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
    made = bundles.bundle.__wrapped__(snippet)
    monkeypatch.setattr(bundles.vl_convert, "javascript_bundle", None)
    assert bundles.bundle.__wrapped__(snippet) == made


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


def view_of(reader: FakeReader) -> LiveView:
    return LiveView(look(reader), ["pageName"], "Live view of demo", lambda _: None)


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
