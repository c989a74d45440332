"""views.py: the charts of a reader, as it is at the moment."""

from collections.abc import Iterator
from math import ceil
from zoneinfo import ZoneInfo

import altair as alt
import pytest

from livestream_nb import Reader, Simulator
from livestream_nb.errors import InvalidOption, UnknownColumn
from tests.test_charts import inked, parts, png, titles

SOON = 20.0


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    """A reader of two connections that has read for some service minutes, and was stopped."""
    columns = ["default", "products", "mvvar1"]
    with (
        Simulator(speed=60) as simulator,
        simulator.reader(connections=2, columns=columns, tz="Europe/Zurich") as reader,
    ):
        reader.wait(hits=12_000, timeout=SOON)
    return reader


def test_each_panel_is_a_chart(reader: Reader) -> None:
    """Throughput, timeline, delay and top values are charts with much to see, in the zone."""
    charts = [reader.throughput_chart(), reader.timeline_chart(), reader.lag_chart()]
    for chart in charts:
        assert titles(chart.to_dict()) == {f"Time (Europe/Zurich, {offset(reader)})"}
        assert inked(png(chart)) > 2_000
    assert inked(png(reader.top_chart("geoCountry"))) > 1_000


def test_charts_compose(reader: Reader) -> None:
    """They can be stacked and set beside each other."""
    alone = (reader.throughput_chart() & reader.lag_chart()) | reader.top_chart()
    assert isinstance(alone, alt.HConcatChart)
    assert inked(png(alone)) > 5_000


def test_a_stopped_reader_is_drawn_to_its_end(reader: Reader) -> None:
    """However long ago it stopped, the axis ends in that second; with last= it ends now."""
    ended = ceil(reader.status.since.timestamp()) * 1_000
    shift = 3_600_000 * int(offset(reader)[4:6])
    assert ends(reader.timeline_chart()) == {ended + shift}
    assert min(ends(reader.timeline_chart(last="5m"))) > ended + shift


def test_steps_fit_the_span_and_the_clock(reader: Reader) -> None:
    """A step is no shorter than what arrives together, unless it was asked for."""
    assert steps(reader.throughput_chart()) == {20_000}
    assert steps(reader.lag_chart(every="1m")) == {60_000}


def test_only_the_last_of_it_is_drawn(reader: Reader) -> None:
    """With last= nothing older is drawn, counted or looked at; n= is how many values at most."""
    for draw in (reader.throughput_chart, reader.lag_chart, reader.top_chart):
        assert len(drawn(draw(last="1h"))) > 2
        assert drawn(draw(last="1s")) == []
    assert len(drawn(reader.top_chart(n=3))) == 3
    assert starts(reader.timeline_chart()) == starts(reader.throughput_chart())
    assert min(starts(reader.timeline_chart(last="5m"))) > max(starts(reader.timeline_chart()))


def test_top_of_what_cannot_be_counted_is_refused(reader: Reader) -> None:
    """Structs, unknown columns and nonsense counts are refused with the right ones."""
    assert reader.top_chart("mvvar1", n=3).to_dict()["datasets"]
    with pytest.raises(InvalidOption, match="column='products'"):
        reader.top_chart("products")
    with pytest.raises(UnknownColumn, match="pagName"):
        reader.top_chart("pagName")
    with pytest.raises(InvalidOption, match="n=0"):
        reader.top_chart(n=0)


def test_nothing_yet_can_be_drawn() -> None:
    """A reader that was never started draws empty charts, and can be reported on."""
    with Simulator() as simulator:
        reader = simulator.reader()
        for chart in (reader.throughput_chart(), reader.timeline_chart(), reader.lag_chart()):
            assert png(chart)
        assert png(reader.top_chart())


def offset(reader: Reader) -> str:
    hours = reader.status.since.astimezone(ZoneInfo(reader.tz)).utcoffset()
    return f"UTC+{round(hours.total_seconds() / 3_600):02}:00"


def drawn(chart: alt.LayerChart) -> list[dict[str, object]]:
    """The rows that are drawn."""
    return [row for rows in chart.to_dict().get("datasets", {}).values() for row in rows if row]


def starts(chart: alt.LayerChart) -> set[int]:
    """Where the time axes begin, in ms of shown time."""
    return {start for start, _ in domains(chart)}


def ends(chart: alt.LayerChart) -> set[int]:
    """Where the time axes end, in ms of shown time."""
    return {end for _, end in domains(chart)}


def domains(chart: alt.LayerChart) -> set[tuple[int, ...]]:
    expressions = [
        part["scale"]["domain"]["expr"]
        for part in parts(chart.to_dict())
        if part.get("scale", {}).get("type") == "utc"
    ]
    return {tuple(map(int, each.strip("[]").split(", "))) for each in expressions}


def steps(chart: alt.LayerChart) -> set[int]:
    """How long the steps are that are drawn, in ms; whole ones only."""
    rows = [row for rows in chart.to_dict()["datasets"].values() for row in rows if "until" in row]
    lengths = [row["until"] - row["time"] for row in rows if row["until"] > row["time"]]
    return {max(set(lengths), key=lengths.count)}
