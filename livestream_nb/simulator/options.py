"""From the values that someone chooses for a simulator to what it is made of."""

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Literal

from livestream_nb.checks import check_positive, check_seconds, check_switch
from livestream_nb.errors import InvalidOption
from livestream_nb.simulator.replay import Replay, check_replay
from livestream_nb.simulator.rules import Rules
from livestream_nb.simulator.scenarios import SCENARIOS
from livestream_nb.simulator.traffic import Traffic

LOOPBACK = "127.0.0.1"
IN_SOCKETS = 0.5  # real seconds that bytes may wait in socket buffers


def model_rules(
    notice: float, retention: float, restarts: bool, quiet_after: float | None, speed: float
) -> Rules:
    """Make the numbers of the model from what may be chosen; refuse what is out of its range."""
    check_seconds("notice", notice)
    check_seconds("retention", retention)
    check_switch("restarts", restarts)
    if quiet_after is not None:
        check_positive("quiet_after", quiet_after)
    rules = Rules(notice=notice, retention=retention, restarts=restarts, quiet_after=quiet_after)
    return replace(rules, margin=rules.commit_every + IN_SOCKETS * speed)


def hit_source(
    seed: int,
    rate: float,
    record_size: int | None,
    recorded: tuple[Sequence[bytes], str] | None,
    pace: Literal["original"] | float | None,
    loop: bool,
) -> Traffic | Replay:
    """Make the hits up, or replay records that are named; refuse what is out of its range."""
    check_positive("rate", rate)
    check_replay(recorded is not None, pace, loop)
    if recorded is None:
        return Traffic(seed, rate, record_size)
    return Replay(*recorded, "original" if pace is None else pace, loop=loop)


def check_address(host: object) -> None:
    """Refuse what is no IP address."""
    try:
        ip_address(host if isinstance(host, str) else "")
    except ValueError:
        right = f"give an IP address to listen on, such as {LOOPBACK}"
        raise InvalidOption.value("host", host, right) from None


def check_scenario(scenario: object) -> None:
    """Refuse a scenario that does not exist."""
    if not (isinstance(scenario, str) and scenario in SCENARIOS):
        right = f"give one of {', '.join(SCENARIOS)}"
        raise InvalidOption.value("scenario", scenario, right)
