"""Many days side by side: policies on the same days, or the values of parameters."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from livestream_nb.errors import InvalidOption
from livestream_nb.lab.intervals import mean_of
from livestream_nb.lab.lanes import lanes
from livestream_nb.lab.result import Result
from livestream_nb.lab.summary import NAMES, Summary

if TYPE_CHECKING:
    import altair as alt

SHOWN = (
    *("lost_share", "downtime", "longest_outage", "connects"),
    *("refused", "unavailable", "gave_up"),
)
MEASURES = ("lost_share", *(name for name in NAMES if name != "gave_up"), "gave_up")


class Comparison:
    """Several policies on the same days.

    Attributes
    ----------
    results : dict of str to Result
        The first day of each policy.
    runs : DataFrame
        A row per policy and day: ``policy`` (String), ``seed`` (UInt64), ``lost_share`` (Float64:
        ``lost`` of ``hits``), and the attributes of `Summary`.
    """

    def __init__(
        self,
        results: Mapping[str, Result],
        found: Iterable[tuple[tuple[str, int], Summary]],
    ) -> None:
        self.results = dict(results)
        self.runs = _runs(
            {"policy": name, "seed": seed} | _of(each) for (name, seed), each in found
        )

    @property
    def summary(self) -> pl.DataFrame:
        """What each policy came to, the best first: by hits lost, then by downtime.

        Returns
        -------
        DataFrame
            ``policy`` (String), ``days`` (UInt32), and of each measure the mean (Float64) and the
            limits of its 95 % confidence interval, ``…_low`` and ``…_high`` (null of one day);
            ``gave_up`` is the share of days on which it stopped for good.
        """
        return _summary(self.runs, ["policy"]).sort("lost_share", "downtime", "policy")

    def lost_chart(self, title: str = "Hits lost by policy") -> "alt.LayerChart":
        """The share of hits that each policy lost, with its confidence interval."""
        from livestream_nb.charts.policies import lost_chart

        return lost_chart(self.summary, title)

    def timelines_chart(self, last: str | timedelta | None = None) -> "alt.LayerChart":
        """The first day of each policy as a lane: when it was connected, and what it did else.

        A policy may be in several states within a step of the chart: they share its height.

        Parameters
        ----------
        last : str or timedelta, optional
            Only the last "30m", "2h" of the day.
        """
        from livestream_nb.charts.policies import timelines_chart

        order = [name for name in self.summary["policy"] if name in self.results]
        drawn, start, end = lanes({name: self.results[name] for name in order}, last)
        faults = self.results[order[0]].faults()
        return timelines_chart(drawn, faults, order, start, end)

    def __repr__(self) -> str:
        days = self.runs["seed"].n_unique()
        shown = self.summary.select("policy", *SHOWN)
        return f"<Comparison of {len(self.results)} policies on {days} days>\n{shown}"

    def _repr_html_(self) -> str:
        return self.summary.select("policy", *SHOWN)._repr_html_()


class Sweep:
    """Every combination of some values, on the same days.

    Attributes
    ----------
    parameters : list of str
        What was varied.
    runs : DataFrame
        A row per combination and day: the parameters (Float64; Boolean; String where a value is
        neither), ``seed``, ``lost_share``, and the attributes of `Summary`.
    """

    def __init__(
        self,
        parameters: Sequence[str],
        found: Iterable[tuple[tuple[Mapping[str, Any], int], Summary]],
    ) -> None:
        self.parameters = list(parameters)
        pairs = list(found)
        values = _columns([dict(point) for (point, _), _ in pairs])
        rest = _runs({"seed": seed} | _of(each) for (_, seed), each in pairs)
        self.runs = pl.concat([values, rest], how="horizontal")

    @property
    def summary(self) -> pl.DataFrame:
        """What each combination came to, in the order of the values: as `Comparison.summary`."""
        return _summary(self.runs, self.parameters)

    def chart(self, measure: str = "lost_share") -> "alt.LayerChart":
        """One parameter: the measure against it, with its confidence interval. Two: a heat map.

        Parameters
        ----------
        measure : str
            What to show: ``lost_share``, ``delivered``, ``downtime``, ``longest_outage``,
            ``connects`` or another column of :attr:`runs`.

        Raises
        ------
        InvalidOption
            When there is no such measure, or there are more than two parameters.
        """
        from livestream_nb.charts.policies import heat_chart, sweep_chart

        if measure not in MEASURES:
            raise InvalidOption.value("measure", measure, f"give one of {', '.join(MEASURES)}")
        if len(self.parameters) == 1:
            return sweep_chart(self.summary, self.parameters[0], measure)
        if len(self.parameters) == 2:
            across, up = self.parameters
            return heat_chart(self.summary, across, up, measure)
        right = "a chart shows one parameter or two: filter summary for the others"
        raise InvalidOption.value("parameters", self.parameters, right)

    def __repr__(self) -> str:
        shown = self.summary.select(*self.parameters, *SHOWN)
        return f"<Sweep of {', '.join(self.parameters)}>\n{shown}"

    def _repr_html_(self) -> str:
        return self.summary.select(*self.parameters, *SHOWN)._repr_html_()


def _of(summary: Summary) -> dict[str, Any]:
    lost = summary.lost / summary.hits if summary.hits else 0.0
    return {"lost_share": lost} | asdict(summary)


def _runs(rows: Iterable[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame(list(rows)).cast({"seed": pl.UInt64})


def _columns(points: list[dict[str, Any]]) -> pl.DataFrame:
    """Values as columns: numbers and switches as they are, what else there is in words."""
    names = points[0]
    columns = []
    for name in names:
        values = [point[name] for point in points]
        if all(isinstance(value, bool) for value in values):
            columns.append(pl.Series(name, values))
        elif all(isinstance(value, int | float) for value in values):
            columns.append(pl.Series(name, values, dtype=pl.Float64))
        else:
            columns.append(pl.Series(name, [_words(value) for value in values]))
    return pl.DataFrame(columns)


def _words(value: object) -> str:
    if isinstance(value, tuple) and all(isinstance(each, int | float) for each in value):
        return " to ".join(f"{each:g}" for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _summary(runs: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    rows = []
    for key, days in runs.group_by(by, maintain_order=True):
        row: dict[str, Any] = dict(zip(by, key, strict=True)) | {"days": days.height}
        for measure in MEASURES:
            mean, low, high = mean_of(days[measure].cast(pl.Float64).to_list())
            row |= {measure: mean, f"{measure}_low": low, f"{measure}_high": high}
        rows.append(row)
    types: dict[str, pl.DataType] = {"days": pl.UInt32()}
    for measure in MEASURES:
        types |= dict.fromkeys((measure, f"{measure}_low", f"{measure}_high"), pl.Float64())
    return pl.DataFrame(rows, schema_overrides=types)
