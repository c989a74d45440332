"""What the charts draw, from the rows to the pixels."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import altair as alt
import polars as pl
import pytest

from livestream_nb.charts import (
    LOOKS,
    Window,
    live_chart,
    stream_chart,
    throughput_chart,
    timeline_chart,
)
from livestream_nb.charts.rows import ceiling, state_rows, throughput_rows
from livestream_nb.errors import InvalidOption
from tests.fake_reader import STATES, at, throughput, timeline

HOUR = 3_600_000
WINDOW = Window(at(0), at(300))


def test_gaps_have_no_rows() -> None:
    """Between two connections there is no step at all, and the runs on both sides differ."""
    rows = throughput_rows(throughput(), WINDOW, 1)
    inside = rows.filter(pl.col("time").is_between(ms(91), ms(240)))
    before, after = rows.filter(pl.col("time") <= ms(90)), rows.filter(pl.col("time") >= ms(241))
    assert inside.is_empty()
    assert before["run"].n_unique() == after["run"].n_unique() == 1
    assert before["run"][0] != after["run"][0]


def test_connected_without_hits_is_zero() -> None:
    """Seconds 20 to 24 are steps of height zero within the first run."""
    rows = throughput_rows(throughput(), WINDOW, 1)
    quiet = rows.filter(pl.col("time").is_between(ms(20), ms(24)))
    assert quiet["top"].to_list() == [0.0] * 5
    assert quiet["run"].to_list() == [rows["run"][0]] * 5


def test_each_run_is_closed() -> None:
    """Each run ends with a row without width, where its last step ends."""
    rows = throughput_rows(throughput(), WINDOW, 1)
    closing = rows.filter(pl.col("time") == pl.col("until")).sort("time")
    assert closing["time"].to_list() == [ms(90), ms(300)]


def test_rate_is_per_second() -> None:
    """Ten-second rows are shown as hits per second."""
    frame = throughput(step=10).filter(pl.col("time") == at(30))
    assert throughput_rows(frame, WINDOW, 10)["top"][0] == frame["hits"][0] / 10


def test_connections_are_stacked() -> None:
    """The second connection stands on the first, and on the ground where the first has a gap."""
    two = pl.concat([throughput().filter(pl.col("time") < at(90)), throughput(connection=2)])
    rows = throughput_rows(two, WINDOW, 1)
    second = rows.filter(connection=2)
    assert second.filter(time=ms(30))["base"][0] == rows.filter(time=ms(30), connection=1)["top"][0]
    assert second.filter(time=ms(250))["base"][0] == 0


def test_steps_end_with_the_connection() -> None:
    """With a timeline, a long step covers only the time that the connection was open."""
    rows = throughput_rows(throughput(step=20), WINDOW, 20, timeline())
    last = rows.filter(time=ms(80), connection=1)[0]
    assert last["until"][0] == ms(90)
    assert last["top"][0] == throughput(step=20).filter(pl.col("time") == at(80))["hits"][0] / 10


def test_many_rows_are_made_coarser() -> None:
    """A day of seconds becomes at most some thousand steps, of the same height."""
    day = pl.DataFrame({"time": [at(0)], "connection": pl.Series([1], dtype=pl.UInt8)}).join(
        pl.DataFrame({"s": range(86_400)}), how="cross"
    )
    frame = day.select(
        pl.col("time") + pl.duration(seconds="s"), "connection", hits=pl.lit(50, pl.UInt64)
    )
    rows = throughput_rows(frame, Window(at(0), at(86_400)), None)
    assert rows.height <= 1_001
    assert rows["top"].unique().to_list() == [50.0]


def test_a_backlog_does_not_flatten_the_rest() -> None:
    """A burst twenty times as high as the usual is above the ceiling, and named."""
    frame = throughput().with_columns(
        hits=pl.when(pl.col("time") == at(241)).then(1_000).otherwise("hits").cast(pl.UInt64)
    )
    rows = throughput_rows(frame, WINDOW, 1)
    assert rows["top"].max() == 1_000
    assert 60 < ceiling(rows) < 150
    assert ceiling(throughput_rows(throughput(), WINDOW, 1)) == pytest.approx(62.4)


def test_a_backlog_does_not_flatten_a_quiet_suite() -> None:
    """Of a hit now and then only the burst is cut off, however low the usual is."""
    second = pl.int_range(pl.len())
    burst = pl.col("time") == at(241)
    few = pl.when(burst).then(70).when(second % 7 == 0).then(1).when(second % 50 == 3).then(3)
    frame = throughput().with_columns(hits=few.otherwise(0).cast(pl.UInt64))
    assert ceiling(throughput_rows(frame, WINDOW, 1)) == pytest.approx(3.12)


def test_states_reach_into_the_window() -> None:
    """States that ended before the window are left out; an open one has no end."""
    rows = state_rows(timeline(), Window(at(200), at(300))).sort("time")
    assert rows["state"].to_list() == ["cooldown", "connecting", "streaming"]
    assert rows["ended"].to_list() == [ms(240), ms(241), None]
    assert rows["why"].to_list() == ["409", "asked", "opened"]


def test_times_are_shown_in_the_zone() -> None:
    """Rows and axis are moved to the zone's wall clock, and the axis names it."""
    window = Window(at(0), at(300), "Europe/Zurich")
    rows = throughput_rows(throughput(), window, 1)
    chart = throughput_chart(throughput(), tz="Europe/Zurich").to_dict()
    assert rows["time"].min() == ms(1) + HOUR
    assert titles(chart) == {"Time (Europe/Zurich, UTC+01:00)"}


def test_unknown_zone_is_refused() -> None:
    """A time zone that does not exist is named, with an example of one that does."""
    with pytest.raises(InvalidOption, match=r"tz='Mars/Base'.*Europe/Zurich"):
        throughput_chart(throughput(), tz="Mars/Base")


def test_both_panels_share_the_time_axis() -> None:
    """Every time scale of the two panels has the same domain."""
    chart = stream_chart(throughput(), timeline(), now=at(300)).to_dict()
    layers = [layer for panel in chart["vconcat"] for layer in panel["layer"]]
    scales = [layer["encoding"]["x"]["scale"] for layer in layers if "encoding" in layer]
    assert {scale["domain"]["expr"] for scale in scales} == {f"[{ms(0)}, {ms(300)}]"}
    assert {scale["type"] for scale in scales} == {"utc"}


def test_a_state_has_a_colour_and_a_shape_of_its_own() -> None:
    """All states are told apart by colour and by shape, and none is missing."""
    assert set(LOOKS) == set(STATES.categories)
    assert len({look.colour for look in LOOKS.values()}) == len(LOOKS)
    assert len({look.path for look in LOOKS.values()}) == len(LOOKS)


def test_dark_text_is_readable_on_every_state() -> None:
    """The words on a state have a contrast of at least 4.5 to its colour."""
    ink = luminance("#111111")
    assert min((luminance(look.colour) + 0.05) / (ink + 0.05) for look in LOOKS.values()) >= 4.5


def test_charts_can_be_composed() -> None:
    """Two readers' charts stand beside each other without a clash of names."""
    one = stream_chart(throughput(), timeline(), now=at(300))
    other = stream_chart(throughput(200), timeline(200), now=at(200))
    assert len(png(one | other)) > len(png(one))


def test_live_chart_holds_no_rows() -> None:
    """The live chart names its data and its parameters, and brings no rows of either."""
    chart = live_chart(WINDOW).to_dict()
    names = {panel["data"]["name"] for panel in parts(chart) if "name" in panel.get("data", {})}
    assert {"throughput", "states"} <= names
    assert {"window_start", "window_end", "ink", "faint", "note", "ceiling"} <= {
        parameter["name"] for parameter in chart["params"]
    }


@pytest.mark.parametrize(
    "draw",
    [
        lambda: throughput_chart(throughput()),
        lambda: timeline_chart(timeline(), now=at(300)),
        lambda: stream_chart(throughput(), timeline(), now=at(300)),
    ],
    ids=["throughput", "timeline", "both"],
)
def test_pictures_are_not_blank(draw: Callable[[], alt.TopLevelMixin]) -> None:
    """Rendered, each chart has many pixels that are not the background."""
    assert inked(png(draw())) > 5_000


def test_nothing_yet_is_a_picture_with_a_note() -> None:
    """Empty frames draw axes and say so, instead of failing or staying blank."""
    chart = stream_chart(throughput(0), timeline(-1), now=at(0))
    assert "no hits in this span" in chart.to_json()
    assert inked(png(chart)) > 1_000


def ms(seconds: float) -> int:
    return round(at(seconds).timestamp() * 1_000)


def parts(node: Any) -> list[dict[str, Any]]:
    """Return every object within a specification."""
    if isinstance(node, list):
        return [part for child in node for part in parts(child)]
    if not isinstance(node, dict):
        return []
    return [node, *(part for child in node.values() for part in parts(child))]


def titles(chart: dict[str, Any]) -> set[str]:
    return {
        part["x"]["title"]
        for part in parts(chart)
        if "x" in part and isinstance(part["x"], dict) and part["x"].get("title")
    }


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def png(chart: alt.TopLevelMixin) -> bytes:
    image = BytesIO()
    chart.save(image, format="png")
    return image.getvalue()


def inked(image: bytes) -> int:
    """Count the pixels of a PNG that differ from their left neighbour."""
    width, height = struct.unpack(">II", image[16:24])
    at_byte, packed = 8, b""
    while at_byte < len(image):
        length, kind = struct.unpack_from(">I4s", image, at_byte)
        if kind == b"IDAT":
            packed += image[at_byte + 8 : at_byte + 8 + length]
        at_byte += length + 12
    lines = zlib.decompress(packed)
    stride = len(lines) // height
    filtered = [lines[y * stride : (y + 1) * stride] for y in range(height)]
    assert {line[0] for line in filtered} == {1}, "each line is stored as differences"
    return sum(any(line[1 + x * 4 : 5 + x * 4]) for line in filtered for x in range(1, width))
