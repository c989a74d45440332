"""charts/policies.py: what the lab draws."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import altair as alt
import polars as pl
import pytest
import vl_convert

from livestream_nb.errors import InvalidOption
from livestream_nb.lab import ROUGH_DAY, Comparison, Lab, Sweep
from livestream_nb.lab.lanes import lanes
from livestream_nb.policy import ReconnectPolicy, others


@pytest.fixture(scope="module")
def compared() -> Comparison:
    policies = {
        "ours": ReconnectPolicy(),
        "at once": others.ImmediateRetry(),
        "<script>\n": others.Websockets(),
    }
    return Lab(faults=ROUGH_DAY, hours=6, latency=2.0).compare(policies, seeds=2, progress=False)


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return Lab(hours=2).sweep(
        cooldown=[30, 60, 90], notice=[55, (20, 180)], seeds=3, progress=False
    )


def rows(spec: dict[str, Any], layer: int = 0) -> list[dict[str, Any]]:
    """The rows that a layer draws, wherever altair has put them."""
    data = spec["layer"][layer].get("data", spec.get("data"))
    found: list[dict[str, Any]] = (
        spec["datasets"][data["name"]] if "name" in data else data["values"]
    )
    return found


@pytest.mark.parametrize(
    "draw",
    [
        lambda compared, _: compared.lost_chart(),
        lambda compared, _: compared.timelines_chart(),
        lambda compared, _: compared.timelines_chart(last="2h"),
        lambda compared, _: compared.results["ours"].timeline_chart(),
        lambda compared, _: compared.results["ours"].throughput_chart(),
        lambda _, swept: swept.chart(),
        lambda _, swept: swept.chart("downtime"),
        lambda _, __: Lab(hours=2).sweep(cooldown=[30, 60], seeds=2).chart("delivered"),
        lambda _, __: Lab(hours=2).sweep(restarts=[True, False], seeds=1).chart(),
    ],
)
def test_charts_can_be_drawn(
    draw: Callable[[Comparison, Sweep], alt.TopLevelMixin], compared: Comparison, swept: Sweep
) -> None:
    """Every chart becomes a picture, from a few thousand rows at most, by altair's own rules."""
    chart = draw(compared, swept)
    picture = vl_convert.vegalite_to_svg(chart.to_dict())
    assert picture.count("<path") + picture.count("<rect") > 10


def test_the_best_stands_on_top(compared: Comparison) -> None:
    """Policies stand in their rank, with share and limits in words, and names as plain text."""
    drawn = compared.lost_chart().to_dict()
    names = [row["policy"] for row in rows(drawn)]
    assert names == drawn["layer"][0]["encoding"]["y"]["sort"]
    assert [name.replace("�", "\n") for name in names] == compared.summary["policy"].to_list()
    assert "�" in "".join(names)
    assert all("%" in row["said"] for row in rows(drawn))


def test_lanes_are_full(compared: Comparison) -> None:
    """Each step of a lane is shared out among states, all of it, and few rows tell of many."""
    drawn, start, end = lanes(compared.results)
    assert end - start == timedelta(hours=6)
    step = (end - start) / 240
    steps = (pl.col("end") - pl.col("start")) / step
    share = (steps * (pl.col("high") - pl.col("low"))).sum()
    filled = drawn.group_by("policy").agg(share)["end"].to_list()
    assert filled == pytest.approx([240.0] * 3)
    states = compared.results["at once"].timeline().height
    assert drawn.height < 1_500 < states


def test_what_went_wrong_is_above_the_lanes(compared: Comparison) -> None:
    """Every fault of the day is marked."""
    spec = compared.timelines_chart().to_dict()
    marked = [row["fault"] for row in rows(spec, 1)]
    assert marked == compared.results["ours"].faults()["fault"].to_list()


def test_a_heat_map_has_every_combination(swept: Sweep) -> None:
    """Each cell has its number, in the order of the values."""
    spec = swept.chart().to_dict()
    cells = rows(spec)
    assert [(cell["cooldown"], cell["notice"]) for cell in cells] == [
        (cooldown, notice) for cooldown in ("30", "60", "90") for notice in ("55", "20 to 180")
    ]
    assert spec["layer"][0]["encoding"]["y"]["sort"] == ["20 to 180", "55"]


def test_three_parameters_are_too_many() -> None:
    """A chart shows one parameter or two; who wants more is told to filter."""
    sweep = Lab(hours=1).sweep(cooldown=[60], notice=[55], latency=[0.5], seeds=1)
    with pytest.raises(InvalidOption, match="filter summary"):
        sweep.chart()
