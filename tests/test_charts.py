"""What the charts draw, from the rows to the pixels."""

import re
import struct
import zlib
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert

from livestream_nb.charts import rows as made
from livestream_nb.charts import states
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
from livestream_nb.charts.rows import ceiling, latest
from livestream_nb.charts.runs import Spells
from livestream_nb.charts.window import Window
from livestream_nb.errors import InvalidOption
from tests.fake_reader import REFUSED, STATES, STORY, at, lag, throughput, timeline

HOUR = 3_600_000


def throughput_rows(*frames: Any) -> pl.DataFrame:
    return runs(made.throughput_rows(*frames))


def delay_rows(*frames: Any) -> pl.DataFrame:
    return runs(made.delay_rows(*frames))


def runs(rows: Any) -> pl.DataFrame:
    """Rows with the number of their run: after each row at which the line breaks there is another.

    These rows themselves are left out; they have no values, and all others have.
    """
    frame = pl.DataFrame([row._asdict() for row in rows])
    connection = "connection" if "connection" in frame.columns else pl.lit(1)
    breaks = pl.col("until") < pl.col("time")
    numbered = frame.with_columns(run=breaks.cast(pl.Int64).cum_sum().over(connection))
    assert (frame.select(pl.last().is_null() == breaks).to_series()).all()
    return numbered.filter(~breaks)


def state_rows(*frames: Any, **how: Any) -> pl.DataFrame:
    return pl.DataFrame([state._asdict() for state in states.state_rows(*frames, **how)])


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


def test_a_connection_within_another_ends_nothing() -> None:
    """Where one connection comes and goes while another is open, a step ends with the latter."""
    spells = Spells([(0, 100), (10, 20), (200, 300)])
    assert [spells.cut(*step) for step in ((90, 120), (150, 250))] == [(90, 100), (200, 250)]


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


def test_the_longest_states_are_drawn_first() -> None:
    """So a short state lies on its long neighbours, and is seen."""
    rows = state_rows(timeline(), WINDOW)
    story = timeline()
    lasted = dict(zip(story["started"].dt.epoch("ms"), story["seconds"], strict=True))
    drawn = [lasted[time] for time in rows["time"]]
    assert drawn == sorted(lasted.values(), reverse=True)


def test_a_minute_may_be_a_little_short() -> None:
    """Half a second less than the minute is a clock's grain; more is a wait that was not kept."""
    kept = []
    for waited in (59.4, 59.6):
        story = (
            (0, "cooldown", "dropped", None, 1, "Waiting."),
            (waited, "connecting", "waited", None, 2, "Connecting."),
        )
        kept.append(state_rows(timeline(story=story), WINDOW).sort("time")["waited"][0])
    assert kept == ["59 of 60 s", "60 s"]


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
        ("two\u2028lines\u2029\ud800", "two�lines��"),
        ("\u2067gnp.exe\u2069", "�gnp.exe�"),
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
    few = pl.DataFrame({"value": ["b", "a"], "hits": [1_234, 1], "share": [0.99, 0.01]})
    drawn = re.findall(r"<text[^>]*translate\([^,]*,([\d.]+)\)[^>]*>([^<]*)<", svg(top_chart(few)))
    at_height = [text for _, text in sorted((float(y), text) for y, text in drawn)]
    assert at_height[1:] == ["1,234", "99.0%", "b", "1", "1.0%", "a"]
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
    named = {part["name"]: part for part in (*chart["data"], *chart["signals"])}
    rows = [named[name] for name in ("throughput", "states", "delay")]
    assert not any(part.keys() & {"values", "url", "source"} for part in rows)
    assert {"window_start", "window_end", "now", "ink", "faint"} <= named.keys()
    assert {"note", "ceiling", "latest"} <= named.keys()


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


def test_no_line_goes_over_a_gap() -> None:
    """Areas and lines of hits, and of delays, break between two unbroken runs."""
    hits, delays = svg(throughput_chart(throughput())), svg(lag_chart(lag()))
    assert [path.count("M") for path in paths("area", hits)] == [2]
    assert [path.count("M") for path in paths("line", hits)] == [2]
    assert [path.count("M") for path in paths("area", delays)] == [3]
    assert [path.count("M") for path in paths("line", delays)] == [3, 3]  # edges and medians
    areas = "".join(paths("area", delays))
    assert max(map(float, re.findall(r",([\d.]+)", areas))) < 50  # from the median on, not from 0


def test_the_second_area_stands_on_the_first() -> None:
    """Of two connections, the area of the second does not reach down to the ground."""
    two = pl.concat([throughput(90), throughput(90, connection=2)]).filter(pl.col("hits") > 0)
    areas = [part for path in paths("area", svg(throughput_chart(two))) for part in path.split("M")]
    heights = [[150 - float(y) for y in re.findall(r",(-?[\d.]+)", area)] for area in areas if area]
    lower = [area for area in heights if min(area) == 0]
    upper = [area for area in heights if min(area) > 0]
    assert len(lower) == len(upper) == 2
    assert max(map(max, upper)) == pytest.approx(2 * max(map(max, lower)))


def paths(mark: str, drawn: str) -> list[str]:
    """The paths of all marks of that kind."""
    return re.findall(rf'mark-{mark} role-mark.*? d="([^"]*)"', drawn, re.DOTALL)


def test_panels_are_as_high_as_what_they_show() -> None:
    """The axes reach to the usual hits and to the longest delays; of a burst the height is told."""
    assert {"60", "80"} & set(texts(throughput_chart(throughput())))
    assert "40" in texts(lag_chart(lag()))
    both = texts(stream_chart(throughput(), timeline(), lag(), now=at(300)))
    assert {"60", "50"} <= set(both)
    assert not [text for text in both if "▲" in text]
    second = pl.col("time")
    burst = pl.when(second == at(250)).then(1_000).when(second == at(270)).then(900)
    hits = burst.otherwise("hits").cast(pl.UInt64)
    cut = texts(throughput_chart(throughput().with_columns(hits=hits)))
    assert [text for text in cut if "▲" in text] == ["▲ 1,000"]
    assert "1,000" not in cut


def test_charts_end_with_their_last_step() -> None:
    """The time axis reaches to the end of the last step, and to now."""
    assert domain(throughput_chart(throughput())) == f"[{ms(1)}, {ms(300)}]"
    assert domain(lag_chart(lag(step=10))) == f"[{ms(10)}, {ms(300)}]"
    assert domain(timeline_chart(timeline(), now=at(400))) == f"[{ms(0)}, {ms(400)}]"


def test_a_state_is_named_where_there_is_room() -> None:
    """Short states have neither word nor shape; one that began before the window has both in it."""
    assert svg(timeline_chart(timeline(), now=at(300))).count('roledescription="point"') == 4
    assert states_named(timeline_chart(timeline(), now=at(300))) == [
        "cooldown",
        "cooldown",
        "streaming",
        "streaming",
    ]
    assert states_named(timeline_chart(timeline(), window=Window(at(250), at(300)))) == [
        "streaming"
    ]
    assert "connecting" in states_named(timeline_chart(timeline(), window=Window(at(155), at(157))))


HASTY = (
    *STORY[:3],
    (93, "connecting", "waited", None, 2, "Again."),
    (94, "cooldown", "refused", 409, 2, REFUSED),
)


def test_what_goes_wrong_again_and_again_is_one_flag() -> None:
    """Equal flags of a lane that leave no room for words are one, with their number."""
    moments = [*range(60, 180, 2), 190]
    refused = [(at_, "cooldown", "unavailable", 503, 1, "No.") for at_ in moments]
    churning = timeline(story=(*refused, (200, "streaming", "opened", 200, 1, "Yes.")))
    lanes = pl.concat([churning, churning.with_columns(connection=pl.lit(2, pl.UInt8))])
    assert flags(timeline_chart(churning, now=at(300))) == ["▼ 503", "▼ 503 ×60"]
    assert flags(timeline_chart(lanes, now=at(300))) == 2 * ["▼ 503"] + 2 * ["▼ 503 ×60"]
    assert "▼ 503 ×2" in flags(timeline_chart(churning, window=Window(at(175), at(300))))
    near = flags(timeline_chart(churning, window=Window(at(60), at(80))))
    assert set(near) == {"▼ 503", "▼"}
    in_turn = tuple((*each[:3], 409 + n % 2, *each[4:]) for n, each in enumerate(refused))
    mixed = flags(timeline_chart(timeline(story=in_turn), now=at(300)))
    assert (len(mixed), set(mixed)) == (61, {"▼", "▼ 409", "▼ 410"})


def test_flags_keep_clear_of_each_other() -> None:
    """A flag has its word where the next one of its lane leaves room; at the edge, before it."""
    assert flags(timeline_chart(timeline(story=HASTY), now=at(300))) == ["▼", "▼ 409"]
    assert flags(timeline_chart(timeline(story=HASTY), window=Window(at(80), at(120)))) == [
        "▼ 409",
        "▼ dropped",
    ]
    other = ((0, "streaming", "opened", 200, 1, "x"), (92, "cooldown", "dropped", None, 1, "x"))
    lanes = pl.concat([timeline(story=STORY[:3]), timeline(story=other, connection=2)])
    assert flags(timeline_chart(lanes, now=at(300))) == ["▼ dropped", "▼ dropped"]
    assert flags(timeline_chart(timeline(story=STORY[:3]), now=at(95))) == ["dropped ▼"]
    assert flags(timeline_chart(timeline(95, story=HASTY), now=at(95))) == ["dropped ▼", "▼"]
    assert flags(timeline_chart(timeline(), window=Window(at(100), at(150)))) == []


def test_the_bracket_tells_how_much_was_waited() -> None:
    """The minute after a loss is named where there is room, and has an end if it was kept."""
    whole = timeline_chart(timeline(), now=at(300))
    assert brackets(whole) == (["60 s", "60 s"], 4)
    far = timeline_chart(timeline(story=HASTY), window=Window(at(80), at(160)))
    assert brackets(far) == (["60 s"], 3)
    near = timeline_chart(timeline(story=HASTY), window=Window(at(88), at(100)))
    assert brackets(near) == (["3 of 60 s", "60 s"], 2)
    within = timeline_chart(timeline(story=STORY[:3]), window=Window(at(100), at(200)))
    assert brackets(within) == (["60 s"], 1)


def test_bands_tell_why_there_is_a_gap() -> None:
    """Behind the hits each state but streaming has a band, the open one until now."""
    drawn = svg(stream_chart(throughput(), timeline(), now=at(300)))
    assert drawn.count(">12:01:00<") == 1  # below the lowest panel only
    (behind, *_) = drawn.split("mark-area")
    assert behind.count('aria-roledescription="rect mark"') == 5


def test_connections_have_names_when_there_are_several() -> None:
    """Lanes and areas are numbered as soon as there are two connections."""
    one, two = throughput(), pl.concat([throughput(), throughput(connection=2)])
    states = pl.concat([timeline(), timeline(connection=2)])
    assert "2" not in texts(stream_chart(one, timeline(), now=at(300)))
    assert texts(stream_chart(one, states, now=at(300))).count("2") == 2
    assert texts(throughput_chart(two)).count("2") == 1


@pytest.mark.parametrize(
    ("zone", "day", "named"),
    [
        ("UTC", 1, "UTC"),
        ("America/St_Johns", 1, "America/St_Johns, UTC−03:30"),
        ("Asia/Kolkata", 1, "Asia/Kolkata, UTC+05:30"),
        ("Europe/Zurich", 29, "Europe/Zurich, UTC+02:00"),
    ],
)
def test_zones_in_words(zone: str, day: int, named: str) -> None:
    """A zone is named with its offset; when the clocks are changed, with that of the end."""
    end = at(0).replace(day=day)
    assert Window(end - timedelta(hours=12), end, zone).zone == named


@pytest.mark.parametrize(
    ("hours", "like"), [(0.4, r"\d\d:\d\d:\d\d"), (24, r"\d\d:\d\d"), (200, r"\d\d Mar \d\d:00")]
)
def test_long_spans_have_short_times(hours: float, like: str) -> None:
    """The time axis has seconds within half an hour, and days once it is longer than one."""
    labels = texts(timeline_chart(timeline(), window=Window(at(0), at(hours * 3_600))))
    assert [text for text in labels if re.fullmatch(like, text)]


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


def svg(chart: alt.TopLevelMixin) -> str:
    return str(vl_convert.vegalite_to_svg(chart.to_dict(validate=False)))


def texts(chart: alt.TopLevelMixin) -> list[str]:
    """Return every text that is drawn."""
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg(chart))


def states_named(chart: alt.TopLevelMixin) -> list[str]:
    """Return the words on the bars, without those of the legend."""
    placed = re.findall(r"<text[^>]*translate\((-?[\d.]+),[^>]*>([^<]*)<", svg(chart))
    found = [text for x, text in placed if text in LOOKS and float(x) >= 0]
    for named in LOOKS:
        found.remove(named)
    return sorted(found)


def flags(chart: alt.TopLevelMixin) -> list[str]:
    return sorted(text for text in texts(chart) if "▼" in text)


def brackets(chart: alt.TopLevelMixin) -> tuple[list[str], int]:
    """Return the words of brackets, and how many ends they have; these are 6 px high."""
    drawn = svg(chart)
    return sorted(re.findall(r">([^<]*60 s)<", drawn)), len(re.findall(r"h1v6h-1Z", drawn))


def domain(chart: alt.TopLevelMixin) -> str:
    (only,) = {
        part["scale"]["domain"]["expr"]
        for part in parts(chart.to_dict())
        if part.get("scale", {}).get("type") == "utc"
    }
    return str(only)


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
