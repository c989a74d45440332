"""``livestream-nb simulate``: a Livestream on this machine, and a line for each event."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.text import Text

from livestream_nb.embedded import SEED, Simulator
from livestream_nb.errors import InvalidOption
from livestream_nb.protocol.request import is_loopback
from livestream_nb.simulator.options import LOOPBACK
from livestream_nb.simulator.scenarios import SCENARIOS

EVENTS_EVERY = 0.2

console = Console(highlight=False)


def simulate(
    port: Annotated[int, typer.Option(help="Where to listen; 0 picks a free port.")] = 0,
    host: Annotated[
        str, typer.Option(help="The IP address to listen on. Beware: others may reach it.")
    ] = LOOPBACK,
    rate: Annotated[float, typer.Option(help="Hits per service second, over a day.")] = 50.0,
    record_size: Annotated[
        int | None, typer.Option(help="Bytes of a made-up record, 2000 to 4000.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Replay a recording, or a file: .ndjson, .gz or .zst.")
    ] = None,
    pace: Annotated[
        str, typer.Option(help="Of a replay: original, or all within so many service seconds.")
    ] = "original",
    loop: Annotated[
        bool, typer.Option("--loop", help="Begin a replay again when it is over.")
    ] = False,
    scenario: Annotated[
        str, typer.Option(help=f"What goes wrong: {', '.join(SCENARIOS)}.")
    ] = "calm",
    stream: Annotated[
        list[str] | None, typer.Option(help="One more stream, by name; may be repeated.")
    ] = None,
    redirect: Annotated[
        bool, typer.Option("--redirect", help="Redirect requests to a second port.")
    ] = False,
    speed: Annotated[float, typer.Option(help="Service seconds in one real second.")] = 1.0,
    seed: Annotated[int, typer.Option(help="What hits and chances are drawn from.")] = SEED,
    notice: Annotated[float, typer.Option(help="How long a ghost holds its slot.")] = 55.0,
    retention: Annotated[float, typer.Option(help="How old a hit may be on a resume.")] = 300.0,
    restarts: Annotated[
        bool, typer.Option(help="Whether attempts make a ghost stay longer.")
    ] = True,
    quiet_after: Annotated[
        float | None, typer.Option(help="Answer 503 after so long without a hit.")
    ] = None,
    token_lifetime: Annotated[float, typer.Option(help="How long a token is valid.")] = 86_399.0,
    records_per_chunk: Annotated[int, typer.Option(help="At the most.")] = 256,
    records_per_member: Annotated[
        int | None, typer.Option(help="A new gzip member begins after so many.")
    ] = None,
    records_per_blank: Annotated[
        int | None, typer.Option(help="An empty record is sent after so many.")
    ] = 500,
) -> None:
    """Serve a Livestream until Ctrl-C, and print what happens to it.

    It is served on this machine only, unless --host says otherwise.

    Durations are service seconds. Tokens are new for each run.
    """
    with Simulator(
        port=port,
        host=host,
        rate=rate,
        record_size=record_size,
        hits=replay,
        loop=loop,
        pace=_pace(pace),
        scenario=scenario,
        speed=speed,
        seed=seed,
        notice=notice,
        retention=retention,
        restarts=restarts,
        quiet_after=quiet_after,
        token_lifetime=token_lifetime,
        records_per_chunk=records_per_chunk,
        records_per_member=records_per_member,
        records_per_blank=records_per_blank,
    ) as simulator:
        others = [simulator.stream(name, rate=rate).stream_url for name in stream or ()]
        if redirect:
            simulator.redirect()
        _warn(host)
        console.print(introduction(simulator, scenario, others), soft_wrap=True)
        try:
            asyncio.run(_print_events(simulator))
        except KeyboardInterrupt:
            console.print("Stopped.")


def introduction(simulator: Simulator, scenario: str, others: Sequence[str] = ()) -> str:
    """What someone needs to read from a simulator, ready to paste."""
    clock, url, token = simulator.clock, simulator.stream_url, simulator.token
    further = "".join(f"\nOne more stream: {other}" for other in others)
    return f"""Serving a Livestream until Ctrl-C. Events are printed as they happen.
Scenario {scenario}: {SCENARIOS[scenario].meaning}{further}

curl:
  curl --no-buffer --location-trusted --compressed -H "Authorization: Bearer {token}" {url}

A token of one's own:
  curl -d client_id={simulator.client_id} -d client_secret={simulator.client_secret} \\
    -d grant_type=client_credentials -d scope=openid,AdobeID {simulator.token_url}

Python:
  import livestream_nb as ls
  clock = ls.Clock(rate={clock.rate!r}, origin={clock.origin!r})
  reader = ls.Reader("{url}", token="{token}", clock=clock).start()
"""


def event_line(row: Mapping[str, Any]) -> Text:
    """One event of the service: when (UTC service time), what, of which connection, its detail."""
    status = f"{row['status']} " if row["status"] else ""
    number = f"#{row['connection']} " if row["connection"] else ""
    return Text(f"{row['time']:%H:%M:%S}  {row['event']:<12} {number}{status}{row['detail']}")


async def _print_events(simulator: Simulator) -> None:
    told = 0
    while True:
        fresh = simulator.log_since(told)
        for row in fresh.iter_rows(named=True):
            if row["event"] != "committed":
                console.print(event_line(row), soft_wrap=True)
        told = max([told, *fresh["number"]])
        await asyncio.sleep(EVENTS_EVERY)


def _pace(pace: str) -> Literal["original"] | float:
    if pace == "original":
        return "original"
    try:
        return float(pace)
    except ValueError:
        right = "give original, or service seconds above 0"
        raise InvalidOption.value("pace", pace, right) from None


def _warn(host: str) -> None:
    if not is_loopback(host):
        text = f"Warning: whoever reaches {host} can reach this service; it speaks plain http."
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text, "bold yellow"))
