"""The command ``livestream-nb``: ``demo``, ``record``, ``simulate``, ``compare``, ``columns``."""

import sys

import typer
from rich.console import Console
from rich.text import Text

from livestream_nb.cli.columns import columns
from livestream_nb.cli.comparison import compare
from livestream_nb.cli.demonstration import UNSOUND, demo
from livestream_nb.cli.recording import record
from livestream_nb.cli.simulation import simulate
from livestream_nb.errors import LivestreamError, StreamFailed, WaitTimeout

__all__ = ["main"]

WRONG_INPUT = 2

app = typer.Typer(
    help="Adobe Analytics Livestream: record it, or try it on the embedded simulator.",
    no_args_is_help=True,
    add_completion=False,
)
app.command()(demo)
app.command()(record)
app.command()(simulate)
app.command()(compare)
app.command()(columns)


def main() -> None:
    """Run the command line; an error is one sentence, and for a refused value exit code 2."""
    try:
        app()
    except LivestreamError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"Error: {error}"))
        sys.exit(UNSOUND if isinstance(error, StreamFailed | WaitTimeout) else WRONG_INPUT)
