"""``livestream-nb demo``: the main job, told line by line, and judged at its end."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from livestream_nb.cli.folders import check_writable
from livestream_nb.cli.lab import FOLDER, open_lab
from livestream_nb.cli.states import Narrator
from livestream_nb.demo import COOLDOWN, Demo, Outcome

UNSOUND = 1
INTERRUPTED = 130

console = Console(highlight=False)


def demo(
    seconds: Annotated[float, typer.Option(help="How long the run lasts, 6 to 600.")] = 20.0,
    replay: Annotated[
        Path | None, typer.Option(help="Replay a recording, or a file of records.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Write hits, timeline and a report to this folder.")
    ] = None,
    lab: Annotated[
        bool,
        typer.Option("--lab", help=f"Instead, open JupyterLab on the quickstart, in ./{FOLDER}."),
    ] = False,
) -> None:
    """Stream, lose the connection, wait, meet a 409, recover; then count what was lost.

    Exit code 1 when a hit was lost or delivered twice, or a wait was shorter than the cooldown.
    """
    if lab:
        raise typer.Exit(open_lab(Path(FOLDER)))
    run = Demo(seconds, replay)
    if out is not None:
        check_writable("out", out)
    console.print(
        f"A simulated Livestream on this machine, {run.simulator.clock.rate:.0f} times as fast as "
        f"real time, so that the default cooldown of {COOLDOWN:.0f} s lasts "
        f"{run.simulator.clock.real(COOLDOWN):.1f} s. The connection will be dropped once.\n"
    )
    outcome = _watched(run)
    console.print(summary(outcome))
    if out is not None:
        _write(run, outcome, out)
    console.print(_verdict(outcome))
    raise typer.Exit(0 if outcome.sound else UNSOUND)


def summary(outcome: Outcome) -> Table:
    """The table at the end of a demo."""
    table = Table(title="What came of it", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    for label, value in facts(outcome).items():
        table.add_row(label, value)
    return table


def facts(outcome: Outcome) -> dict[str, str]:
    """What the summary and the report say, in words and numbers."""
    wait = outcome.shortest_wait
    return {
        "hits emitted": f"{outcome.emitted:,}",
        "hits received": f"{outcome.received:,}",
        "hits lost": f"{outcome.lost:,}",
        "hits delivered twice": f"{outcome.twice:,}",
        "duplicates dropped": f"{outcome.duplicates:,}",
        "records quarantined": f"{outcome.quarantined:,}",
        "visitors": f"{outcome.visitors:,}",
        "first timeGMT": _time(outcome.first),
        "last timeGMT": _time(outcome.last),
        "connects": f"{outcome.connects:,}",
        "of them refused with 409": f"{outcome.refusals:,}",
        "shortest wait between connections": "none" if wait is None else f"{wait:.1f} service s",
    }


def _time(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC ({moment.timestamp():.0f})" if moment else "none"


def _watched(run: Demo) -> Outcome:
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        try:
            narrator = Narrator(run.reader, progress)
            return run.run(lambda: narrator.tick(run.done))
        except KeyboardInterrupt:
            progress.stop()
            console.print("Stopped before its end: nothing is judged.")
            raise typer.Exit(INTERRUPTED) from None


def _verdict(outcome: Outcome) -> Text:
    if outcome.sound:
        return Text("Nothing lost, nothing twice, and every wait was long enough.", "bold green")
    broken = {
        "hits were lost": outcome.lost > 0,
        "hits were delivered twice": outcome.twice > 0,
        f"a wait was shorter than {COOLDOWN:.0f} s": not outcome.floor_held,
    }
    return Text(f"Not sound: {', '.join(what for what in broken if broken[what])}.", "bold red")


def _write(run: Demo, outcome: Outcome, out: Path) -> None:
    # altair takes a second or two to import: only whoever asks for a report waits for it
    from livestream_nb.views import page

    reader = run.reader
    reader.hits().write_parquet(out / "hits.parquet")
    reader.timeline().write_parquet(out / "timeline.parquet")
    title = "Livestream: a drop, a ghost, a 409, and the recovery"
    (out / "report.html").write_text(page(reader, title, facts(outcome)), encoding="utf-8")
    console.print(f"Written to {out}: hits.parquet, timeline.parquet, report.html")
