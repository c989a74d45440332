"""The dashboard without a browser: what it says, what it sends, and when it ends."""

import subprocess
import sys
import threading
from array import array
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace

import ipywidgets
import polars as pl
import pytest

from livestream_nb import Simulator
from livestream_nb.charts import bundle as bundles
from livestream_nb.dashboard import words
from livestream_nb.dashboard.live import COLUMNS, LiveChart
from livestream_nb.dashboard.pump import Pump
from livestream_nb.dashboard.snapshot import Scale, look
from livestream_nb.dashboard.static import mimebundle, png, repacked
from livestream_nb.dashboard.view import Dashboard
from livestream_nb.errors import StreamBusy
from tests.fake_reader import FakeClock, FakeReader, FakeStatus, at

SOON = 20.0
WAITING = FakeStatus(
    state="cooldown", since=at(90), next_attempt=at(155), silent_for=None, reason="Lost; waiting."
)


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
    [(0.4, "0 s"), (59, "59 s"), (61, "1 min 1 s"), (250, "4 min 10 s"), (7_500, "2 h 5 min")],
)
def test_durations_in_words(seconds: float, said: str) -> None:
    """A duration is said in its two largest units."""
    assert words.duration(seconds) == said


def test_says_when_the_next_attempt_comes(reader: FakeReader) -> None:
    """While waiting, the header counts down to the next attempt and shows how much is over."""
    reader.status, reader.clock = WAITING, FakeClock(now=116)
    snapshot = look(reader)
    assert words.moment(snapshot) == "next attempt in 39 s"
    assert words.waited(snapshot) == pytest.approx(26 / 65)


def test_says_since_when_it_streams_and_how_long_nothing_came(reader: FakeReader) -> None:
    """A long silence on an open connection is told beside the time that it has lasted."""
    assert words.moment(look(reader)) == "for 59 s"
    reader.status = replace(reader.status, silent_for=35.0)
    assert words.moment(look(reader)) == "for 59 s · nothing for 35 s"


def test_says_when_it_stopped_in_the_readers_zone(reader: FakeReader) -> None:
    """Once stopped, the moment is a time of day in the wanted zone."""
    reader.tz = "Europe/Zurich"
    reader.status = replace(reader.status, state="stopped", since=at(280))
    assert words.moment(look(reader)) == "since 13:04:40"


def test_figures(reader: FakeReader) -> None:
    """The figures are the counters, and the pace of the last ten whole seconds."""
    figures = words.figures(look(reader))
    expected = reader.throughput().filter(pl.col("time") < at(299))["hits"].tail(10).sum() / 10
    assert figures == {
        "hits": "12,345",
        "hits/s": f"{expected:.1f}",
        "duplicates": "12",
        "quarantined": "0",
        "evicted": "0",
        "connects": "2",
    }


def test_pace_while_another_connection_waits(reader: FakeReader) -> None:
    """As long as one connection is open there is a pace, whatever the badge tells of another."""
    reader.status = replace(reader.status, state="cooldown")
    assert look(reader).pace is not None
    reader.clock = FakeClock(now=120)
    assert look(reader).pace is None


def test_sentences_are_text() -> None:
    """Markup that a service puts into its answer is shown, not run."""
    assert "<img" not in words.sentence_html("<img src=x onerror=alert(1)>")


def test_the_running_step_is_left_out(reader: FakeReader) -> None:
    """The last row shown is a whole step, so that the line does not dive at its end."""
    reader.clock = FakeClock(now=295.2)
    assert look(reader).throughput["time"].max() == at(293)


def test_window_fills_grows_moves_and_stays(reader: FakeReader) -> None:
    """The window starts with the first state, moves once it is full, and stays after the end."""
    spans = []
    for now, state, since in [(10, "streaming", 1), (200, "streaming", 1), (900, "stopped", 400)]:
        reader.clock = FakeClock(now=now)
        reader.status = replace(reader.status, state=state, since=at(since))
        window = look(reader).window
        spans.append((window.start, window.end))
    assert spans == [(at(0), at(60)), (at(0), at(200)), (at(124), at(424))]


def test_a_fast_clock_gets_a_longer_window_and_longer_steps() -> None:
    """At sixty times the speed a view holds fifteen minutes, in steps of some blocks of bytes."""
    assert Scale.of(1.0) == Scale(span=300.0, every=1, lag=0.3)
    assert Scale.of(60.0) == Scale(span=900.0, every=20, lag=18.0)


def test_sends_columns_of_bytes(reader: FakeReader) -> None:
    """Each column arrives as bytes of its type, times counted from the origin."""
    chart = LiveChart(look(reader))
    live = chart.live
    columns = {name: array(code, live[name]) for name, code in COLUMNS.items()}
    assert {len(column) for column in columns.values()} == {len(columns["time"])}
    assert live["origin"] + columns["time"][0] == round(at(1).timestamp() * 1_000)
    assert columns["top"][0] == reader.throughput()["hits"][0]
    assert sum(len(live[name]) for name in COLUMNS) < 15_000


def test_states_are_sent_only_when_they_change(reader: FakeReader) -> None:
    """A refresh without a new state sends new rows, and no states."""
    chart = LiveChart(look(reader))
    sent: list[str] = []
    chart.observe(lambda change: sent.append(change["name"]), ["states", "live"])
    reader.clock = FakeClock(now=301)
    chart.show(look(reader))
    assert sent == ["live"]


def test_the_pump_keeps_the_view_fresh(dashboard: Dashboard, reader: FakeReader) -> None:
    """What the reader counts appears in the view without anyone asking for it."""
    reader.status = replace(reader.status, hits=99_999)
    await_(lambda: "99,999" in shown(dashboard))


def test_a_resting_reader_still_beats(dashboard: Dashboard) -> None:
    """When nothing changes the view is told so, and is sent no rows."""
    first = dashboard._charts.live
    await_(lambda: dashboard._charts.live["beat"] > first["beat"])
    assert dashboard._charts.live | {"beat": 0} == first | {"beat": 0}


def test_buttons_act(dashboard: Dashboard, reader: FakeReader) -> None:
    """Stop stops the reader and Start starts it; only the one that makes sense can be pressed."""
    start, stop = dashboard._header._start, dashboard._header._stop
    assert (start.disabled, stop.disabled) == (True, False)
    stop.click()
    await_(lambda: (start.disabled, stop.disabled) == (False, True))
    start.click()
    await_(lambda: (start.disabled, stop.disabled) == (True, False))
    assert reader.calls == ["stop", "start"]


def test_a_refused_start_is_told(reader: FakeReader, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of a button's action stands in the header, not in some log."""

    def refuse(_: FakeReader) -> None:
        raise StreamBusy("Another reader reads this stream.")

    monkeypatch.setattr(FakeReader, "start", refuse)
    reader.status = FakeStatus(state="stopped", since=at(200))
    dashboard = Dashboard(reader)
    dashboard._header._start.click()
    await_(lambda: "Another reader reads this stream." in shown(dashboard))
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
    """The table shows a hostile sentence as text."""
    reader.status = replace(reader.status, reason="<script>alert(1)</script>")
    assert "<script>" not in mimebundle(reader)["text/html"]


def test_pictures_are_small(reader: FakeReader) -> None:
    """The PNG of a full window is below 60 kB, and packing it again changes no byte."""
    picture = png(look(reader))
    assert len(picture) < 60_000
    assert repacked(picture) == picture


def test_static_use_loads_no_widget() -> None:
    """The package imports no widget library, and its still views none of its own widgets."""
    script = (
        "import sys, livestream_nb\n"
        "assert not {'ipywidgets', 'anywidget'} & set(sys.modules)\n"
        "import livestream_nb.report, livestream_nb.dashboard.static\n"
        "own = {'livestream_nb.dashboard.' + name for name in ('live', 'header', 'view', 'pump')}\n"
        "assert not own & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_bundle_is_kept_for_the_next_process(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second process finds the bundle in the cache folder and does not make it again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    snippet = "export default vegaEmbed;"
    made = bundles.bundle.__wrapped__(snippet)
    monkeypatch.setattr(bundles.vl_convert, "javascript_bundle", None)
    assert bundles.bundle.__wrapped__(snippet) == made


def test_bundle_does_without_a_cache_folder(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the cache folder cannot be made, the bundle is made all the same."""
    file = tmp_path_factory.mktemp("cache") / "file"
    file.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(file))
    assert "export{" in bundles.bundle.__wrapped__("export default vegaEmbed;")


def shown(dashboard: Dashboard) -> str:
    header = dashboard._header.widget
    return "".join(part.value for part in parts(header) if isinstance(part, ipywidgets.HTML))


def parts(widget: ipywidgets.Widget) -> list[ipywidgets.Widget]:
    children = getattr(widget, "children", ())
    return [widget, *(part for child in children for part in parts(child))]


def await_(condition: Callable[[], bool]) -> None:
    """Wait until the pump has made it so."""
    never = threading.Event()
    for _ in range(round(SOON / 0.02)):
        if condition():
            return
        never.wait(0.02)
    raise AssertionError("It did not come about in time.")
