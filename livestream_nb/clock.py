"""Service time: the only module that reads the clock.

Everything else is told the time. A clock may run faster than the machine's, so that a minute of
cooldown can be watched in a second with nothing else changed.
"""

import asyncio
import time
from dataclasses import dataclass

from livestream_nb.checks import check_positive, is_number
from livestream_nb.errors import InvalidOption


@dataclass(frozen=True, init=False)
class Clock:
    """Monotonic and UTC service time.

    Parameters
    ----------
    rate : float
        Service seconds that pass in one real second. 1.0 is real time.
    origin : float, optional
        The Unix time at which service time and real time agree; now, when omitted. Two processes
        that are given the same rate and origin agree on :meth:`utc`.

    Raises
    ------
    InvalidOption
        When the rate is not a positive number.
    """

    rate: float
    origin: float

    def __init__(self, rate: float = 1.0, origin: float | None = None) -> None:
        check_positive("rate", rate)
        if not (origin is None or is_number(origin)):
            raise InvalidOption.value("origin", origin, "give Unix seconds, or None for now")
        object.__setattr__(self, "rate", rate)
        object.__setattr__(self, "origin", time.time() if origin is None else origin)

    def monotonic(self) -> float:
        """Service seconds since some fixed moment; never goes backwards."""
        return time.monotonic() * self.rate

    def utc(self) -> float:
        """Service time in Unix seconds."""
        return self.origin + (time.time() - self.origin) * self.rate

    def wall(self) -> float:
        """Real time in Unix seconds, which clocks of every rate have in common."""
        return time.time()

    def real(self, seconds: float) -> float:
        """How many real seconds so many service seconds last."""
        return seconds / self.rate

    async def sleep(self, seconds: float) -> None:
        """Wait for so many service seconds; at once when there is nothing to wait for."""
        await asyncio.sleep(max(0.0, self.real(seconds)))


def duration(seconds: float) -> str:
    """Say a duration as a person does: ``42 s``, ``4 min 10 s``, ``2 h 5 min``, ``3 d 2 h``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60} min"
    return f"{whole // 86_400} d {whole % 86_400 // 3_600} h"
