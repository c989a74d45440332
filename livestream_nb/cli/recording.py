"""``livestream-nb record``: a stream into a folder, until the time is over or Ctrl-C."""

import asyncio
import os
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from livestream_nb.checks import seconds_in
from livestream_nb.cli.folders import check_writable
from livestream_nb.cli.states import Narrator
from livestream_nb.errors import MissingCredentials
from livestream_nb.reader import Reader
from livestream_nb.status import Status

MASK_KEY = "LIVESTREAM_MASK_KEY"
FAILED = 1
TICK = 0.2
KEPT = 1_000
"""Hits in memory: a recording needs none of them."""

console = Console(highlight=False)


def record(
    stream: Annotated[str, typer.Argument(help="A stream's URL, or its name at Adobe.")],
    to: Annotated[Path, typer.Option(help="The folder: new, or of a recording to go on with.")],
    length: Annotated[
        str | None, typer.Option("--for", help='How long, as in "30s", "10m", "1h". Without end.')
    ] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help="Columns or sets of the sealed hits; may be repeated. Default ones."),
    ] = None,
    raw: Annotated[
        bool, typer.Option("--raw/--no-raw", help="Whether to keep the raw records, too.")
    ] = True,
    mask: Annotated[
        bool, typer.Option("--mask", help=f"Mask what tells persons apart, by the key {MASK_KEY}.")
    ] = False,
    connections: Annotated[int, typer.Option(help="1 to 8 slots of the stream.")] = 1,
    reset: Annotated[
        str | None, typer.Option(help="Where to begin: smallest, earliest, largest or latest.")
    ] = None,
    smoothing: Annotated[
        int | None, typer.Option(help="Have bursts evened out: seconds of the bucket.")
    ] = None,
    proxy: Annotated[str | None, typer.Option(help="The URL of an HTTP proxy.")] = None,
) -> None:
    """Record a stream until the time is over or Ctrl-C; then everything is sealed into Parquet.

    Credentials come from the environment: LIVESTREAM_TOKEN, or LIVESTREAM_CLIENT_ID,
    LIVESTREAM_CLIENT_SECRET and LIVESTREAM_SCOPES. Exit code 0 when it ended as asked and all that
    was received is recorded; 1 when the stream failed, or something could not be recorded; 2 when
    a value is wrong or there are no credentials.
    """
    seconds = None if length is None else seconds_in("for", length)
    reader = Reader(
        stream,
        connections=connections,
        reset=reset,
        smoothing=smoothing,
        columns=columns,
        keep=KEPT,
        proxy=proxy,
        record_to=to,
        raw=raw,
        mask=_key() if mask else None,
    )
    check_writable("to", to)
    reader.start()
    try:
        asyncio.run(_watch(reader, seconds))
    except KeyboardInterrupt:
        pass  # where signals cannot be handled, Ctrl-C comes like this
    finally:
        before = reader.status
        reader.stop()
    status = reader.status
    console.print(_summary(status, to))
    if before.state == "failed":
        console.print(before.reason, style="bold red", soft_wrap=True)
    complete = status.recording is not None and not status.recording.missed
    raise typer.Exit(0 if complete and before.state != "failed" else FAILED)


def _key() -> str:
    key = os.environ.get(MASK_KEY)
    if not key:
        raise MissingCredentials(
            f"--mask needs a key, and {MASK_KEY} is not set: set it to 16 characters or more that "
            "only you know, the same for every recording that is to be compared."
        )
    return key


async def _watch(reader: Reader, seconds: float | None) -> None:
    """Tell what happens until the time is over, somebody ends it, or the stream has failed."""
    asked = asyncio.Event()
    _on_signals(asked)
    clock = reader.clock
    began = clock.monotonic()
    columns = (BarColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        narrator = Narrator(reader, progress)
        while not asked.is_set() and reader.status.state != "failed":
            since = clock.monotonic() - began
            narrator.tick(None if seconds is None else min(1.0, since / seconds))
            if seconds is not None and since >= seconds:
                break
            await asyncio.sleep(TICK)
        narrator.tick(None)


def _on_signals(asked: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(each, asked.set)
        except NotImplementedError:  # Windows
            return


def _summary(status: Status, to: Path) -> Table:
    table = Table(title="Recorded", title_justify="left", show_header=False)
    table.add_column(style="bold")
    table.add_column(justify="right")
    size = sum(path.stat().st_size for path in to.rglob("*") if path.is_file())
    recorded = 0 if status.recording is None else status.recording.hits
    missed = 0 if status.recording is None else status.recording.missed
    facts = {
        "hits": f"{recorded:,}",
        "duplicates left out": f"{status.duplicates:,}",
        "records quarantined": f"{status.quarantined:,}",
        "hits not recorded": f"{missed:,}",
        "connects": f"{status.connects:,}",
        "size of the folder": f"{size / 1e6:,.1f} MB",
        "folder": str(to),
    }
    for name, value in facts.items():
        table.add_row(name, value)
    return table
