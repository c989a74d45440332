"""``livestream-nb compare``: what reconnect policies make of the same days, as a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer
from rich.console import Console

from livestream_nb.errors import InvalidOption
from livestream_nb.lab import ROUGH_DAY, Comparison, Drops, Lab
from livestream_nb.lab.laboratory import SEED

if TYPE_CHECKING:
    from livestream_nb.lab.faults import Fault

DAYS: Mapping[str, tuple[str, "Sequence[Fault]"]] = {
    "drops": ("Lost connections only, forty a day", (Drops(),)),
    "rough": ("Rough days: losses, outages, maintenance, a second consumer", ROUGH_DAY),
}
COLUMNS = (
    *("policy", "hits lost, %", "down, min", "longest outage, min"),
    *("requests", "409", "503", "gave up"),
)
PICTURES = (".png", ".svg", ".html", ".json")

console = Console(highlight=False, markup=False, soft_wrap=True)


def compare(
    seeds: Annotated[int, typer.Option(help="How many days of each kind.")] = 30,
    day: Annotated[list[str] | None, typer.Option(help="drops, rough; both when omitted.")] = None,
    hours: Annotated[float, typer.Option(help="How long a day lasts.")] = 24.0,
    seed: Annotated[int, typer.Option(help="What the first day is drawn from.")] = SEED,
    picture: Annotated[
        Path | None, typer.Option(help="Draw the hits lost, too: a .png, .svg or .html file.")
    ] = None,
) -> None:
    """Compare reconnect policies, ours and those of others, on days of faults in virtual time."""
    for kind in day or DAYS:
        if kind not in DAYS:
            raise InvalidOption.value("day", kind, f"give {' or '.join(DAYS)}")
    if picture is not None and picture.suffix not in PICTURES:
        raise InvalidOption.value("picture", str(picture), f"end it in {', '.join(PICTURES)}")
    found: dict[str, Comparison] = {}
    for kind in day or DAYS:
        meaning, faults = DAYS[kind]
        found[meaning] = Lab(faults=faults, hours=hours, seed=seed).compare(seeds=seeds)
        console.print(f"{meaning}. {seeds} days of {hours:g} h; means and 95 % intervals:\n")
        console.print(_table(found[meaning].summary))
    if picture is not None:
        _draw(found, picture)


def _table(summary: pl.DataFrame) -> str:
    rows = [COLUMNS, ["---"] * len(COLUMNS), *map(_cells, summary.iter_rows(named=True))]
    return "\n".join([*(f"| {' | '.join(cells)} |" for cells in rows), ""])


def _cells(row: Mapping[str, float]) -> list[str]:
    return [
        str(row["policy"]),
        _mean(row, "lost_share", 100.0, ".2f"),
        _mean(row, "downtime", 1 / 60, ",.0f"),
        _mean(row, "longest_outage", 1 / 60, ",.1f"),
        *(f"{row[name]:,.0f}" for name in ("connects", "refused", "unavailable")),
        f"{row['gave_up']:.0%}",
    ]


def _mean(row: Mapping[str, float | None], name: str, factor: float, form: str) -> str:
    mean, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    said = f"{(mean or 0.0) * factor:{form}}"
    if low is None or high is None:
        return said
    return f"{said} ({low * factor:{form}}–{high * factor:{form}})"


def _draw(found: Mapping[str, Comparison], picture: Path) -> None:
    import altair as alt

    charts = [each.lost_chart(title=meaning) for meaning, each in found.items()]
    alt.vconcat(*charts).save(picture, scale_factor=1.5)
    console.print(f"The picture is in {picture}.")
