"""What the charts draw, from the rows to the pixels."""

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import Any

import altair as alt
import polars as pl
import pytest

from livestream_nb.charts import rows as made
from livestream_nb.charts.bundle import live_spec
from livestream_nb.charts.looks import LOOKS
from livestream_nb.charts.names import shown
from livestream_nb.charts.pictures import (
    lag_chart,
    stream_chart,
    throughput_chart,
    timeline_chart,
    top_chart,
)
from livestream_nb.charts.rows import ceiling, latest, state_rows
from livestream_nb.charts.window import Window
from livestream_nb.errors import InvalidOption
from tests.fake_reader import REFUSED, STATES, STORY, at, lag, throughput, timeline

HOUR = 3_600_000


def throughput_rows(*frames: Any) -> pl.DataFrame:
    return pl.DataFrame([step._asdict() for step in made.throughput_rows(*frames)])


def delay_rows(*frames: Any) -> pl.DataFrame:
    return pl.DataFrame([step._asdict() for step in made.delay_rows(*frames)])


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
    """With a timeline, a long step covers only the time that a connection was open."""
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
    assert 60 < ceiling(made.throughput_rows(frame, WINDOW, 1)) < 150
    assert ceiling(made.throughput_rows(throughput(), WINDOW, 1)) == pytest.approx(62.4)


def test_a_backlog_does_not_flatten_a_quiet_suite() -> None:
    """Of a hit now and then only the burst is cut off, however low the usual is."""
    second = pl.int_range(pl.len())
    burst = pl.col("time") == at(241)
    few = pl.when(burst).then(70).when(second % 7 == 0).then(1).when(second % 50 == 3).then(3)
    frame = throughput().with_columns(hits=few.otherwise(0).cast(pl.UInt64))
    assert ceiling(made.throughput_rows(frame, WINDOW, 1)) == pytest.approx(3.12)


def test_states_reach_into_the_window() -> None:
    """States that ended before the window are left out; an open one has no end."""
    rows = state_rows(timeline(), Window(at(200), at(300))).sort("time")
    assert rows["state"].to_list() == ["cooldown", "connecting", "streaming"]
    assert rows["ended"].to_list() == [ms(240), ms(241), None]
    assert rows["flag"].to_list() == ["409", None, None]


def test_the_minute_after_a_loss_is_bracketed() -> None:
    """The floor reaches 60 s from a loss or a refusal, and is kept when nothing was sent before."""
    hasty = (
        *STORY[:3],
        (93, "connecting", "waited", None, 2, "Again."),
        (94, "cooldown", "refused", 409, 2, REFUSED),
    )
    rows = state_rows(timeline(story=STORY), WINDOW).sort("time")
    assert rows["floor"].drop_nulls().to_list() == [ms(150), ms(216)]
    assert rows.filter(pl.col("floor").is_not_null())["kept"].to_list() == [True, True]
    rows = state_rows(timeline(story=hasty), WINDOW).sort("time")
    floors = rows.filter(pl.col("floor").is_not_null())
    assert floors.select("floor", "kept", "waited").rows() == [
        (ms(93), False, "3 of 60 s"),
        (ms(154), True, "60 s"),
    ]


def test_only_what_went_wrong_is_flagged() -> None:
    """A loss is flagged by its word, an answer by its status; calm changes are not flagged."""
    rows = state_rows(timeline(), WINDOW).sort("time")
    assert rows["flag"].drop_nulls().to_list() == ["dropped", "409"]


def test_connections_that_come_in_one_step_are_stacked() -> None:
    """Where two connections open within one step, the step begins with the first, and they add."""
    story = ((7, "streaming", "opened", 200, 1, "x"),)
    later = ((13, "streaming", "opened", 200, 1, "x"),)
    states = pl.concat([timeline(story=story), timeline(story=later, connection=2)])
    two = pl.concat([throughput(step=20), throughput(connection=2, step=20)])
    rows = throughput_rows(
        two.with_columns(time=pl.col("time") - pl.duration(seconds=20)), WINDOW, 20, states
    )
    first = rows.filter(pl.col("time") == ms(7))
    assert first["connection"].to_list() == [1, 2]
    assert first["base"].to_list() == [0.0, first["top"][0]]
    assert first["until"].to_list() == [ms(20), ms(20)]


def test_delays_have_gaps_too() -> None:
    """A step without hits breaks the line; each run is closed."""
    rows = delay_rows(lag(), WINDOW, 1)
    closing = rows.filter(pl.col("time") == pl.col("until"))
    assert closing["time"].to_list() == [ms(20), ms(90), ms(300)]
    assert latest(made.delay_rows(lag(), WINDOW, 1)) == pytest.approx(42.0 * 1.04)


def test_many_delays_are_made_coarser() -> None:
    """A day of delays becomes some thousand steps: medians of medians, the highest of the rest."""
    day = pl.DataFrame({"s": range(86_400)}).select(
        time=pl.lit(at(0)) + pl.duration(seconds="s"),
        median=30.0 + pl.col("s") % 3,
        p95=40.0 + pl.col("s") % 3,
    )
    rows = delay_rows(day, Window(at(0), at(86_400)), None)
    assert rows.height <= 1_001
    assert rows["median"].unique().to_list() == [31.0]
    assert rows["p95"].unique().to_list() == [42.0]


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("home:Home", "home:Home"),
        ("<b>bold</b>", "<b>bold</b>"),
        ("\u202egnp.exe", "�gnp.exe"),
        ("two\nlines\x00", "two�lines�"),
        ("👩‍👩‍👧 שלום", "👩‍👩‍👧 שלום"),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_names_are_text_of_one_line(name: str, seen: str) -> None:
    """Controls and turning marks are shown as such; other scripts and emoji stay as they are."""
    assert shown(name) == seen


def test_top_values_are_named_on_their_bars() -> None:
    """Each value has its bar, also where names begin alike, in the order of the frame."""
    values = ["x" * 300 + "1", "x" * 300 + "2", "\u202eabc"]
    frame = pl.DataFrame({"value": values, "hits": [5, 4, 1], "share": [0.5, 0.4, 0.1]})
    spec = top_chart(frame, "Hits by page").to_dict()
    (rows,) = spec["datasets"].values()
    assert [row["rank"] for row in rows] == [1, 2, 3]
    assert rows[2]["name"] == "�abc"
    assert inked(png(top_chart(frame))) > 300


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


def test_all_panels_share_the_time_axis() -> None:
    """Every time scale of the three panels has the same domain, and one axis has the labels."""
    chart = stream_chart(throughput(), timeline(), lag(), now=at(300)).to_dict()
    layers = [layer for panel in chart["vconcat"] for layer in panel["layer"]]
    axes = [
        layer["encoding"]["x"]
        for layer in layers
        if "scale" in layer.get("encoding", {}).get("x", {})
    ]
    assert {axis["scale"]["domain"]["expr"] for axis in axes} == {f"[{ms(0)}, {ms(300)}]"}
    assert {axis["scale"]["type"] for axis in axes} == {"utc"}
    labelled = [panel for panel in chart["vconcat"] if titles(panel)]
    assert labelled == chart["vconcat"][-1:]


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
    chart = live_spec("Time (UTC)", 2)
    names = {
        part["data"].get("name") for part in parts(chart) if isinstance(part.get("data"), dict)
    }
    assert {"throughput", "states", "delay"} <= names
    assert {"window_start", "window_end", "now", "ink", "faint", "note", "ceiling", "latest"} <= {
        parameter["name"] for parameter in chart["params"]
    }


def test_an_open_state_ends_now() -> None:
    """Where the axis goes on beyond now, an open state does not."""
    window = Window(at(0), at(300), until=at(250))
    spec = timeline_chart(timeline(250), window=window).to_json()
    assert f"datum.ended === null ? {ms(250)} : datum.ended" in spec


@pytest.mark.parametrize(
    "draw",
    [
        lambda: throughput_chart(throughput()),
        lambda: timeline_chart(timeline(), now=at(300)),
        lambda: lag_chart(lag()),
        lambda: stream_chart(throughput(), timeline(), lag(), now=at(300)),
    ],
    ids=["throughput", "timeline", "lag", "all"],
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
