"""The lab: try any reconnect policy on a day of faults, in virtual time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from itertools import product
from typing import Any

from livestream_nb.checks import check_count, check_positive, check_whole, is_number
from livestream_nb.errors import InvalidOption
from livestream_nb.lab.comparison import Comparison, Sweep
from livestream_nb.lab.faults import HOUR, Drops, Fault, checked_faults, day
from livestream_nb.lab.result import Result
from livestream_nb.lab.run import Setting, live
from livestream_nb.lab.summary import Summary
from livestream_nb.lab.workers import spread
from livestream_nb.policy import Policy, ReconnectPolicy
from livestream_nb.policy.others import POLICIES
from livestream_nb.simulator.options import model_rules

DEFAULT = ReconnectPolicy()
SEED = 16_598


@dataclass(frozen=True, kw_only=True)
class Lab:
    """A Livestream service in virtual time, and a day of faults: to try reconnect policies on.

    It joins the simulator's model of the service with any policy, without sockets and without
    waiting: a day takes milliseconds, and the same seed always gives the same day. The model is our
    own (Adobe publishes no internals), so what a lab says holds under the assumptions that are
    given here. A policy runs in a `Reader` as it runs here.

    Parameters
    ----------
    hours : float
        How long a day lasts, in service time.
    rate : float
        Hits per second, evenly, of all connections together.
    connections : int
        How many slots the client reads, 1 to 8.
    faults : fault, or sequence of them, or str
        What goes wrong: `livestream_nb.lab` has `Drops`, `Outages`, `Maintenance`,
        `SecondConsumer`, `TokenExpiry`, `Quiet`, and ``ROUGH_DAY`` with all of them; or the name of
        one of the simulator's scenarios.
    seed : int
        What faults, waits and notices are drawn from.
    notice : float or pair of float
        Seconds for which a slot stays taken after its client has vanished; of a pair, drawn anew
        for each loss. The support article KA-16598 says "about 60 seconds".
    restarts : bool
        Whether an attempt that meets such a slot makes it stay taken for as long again.
    retention : float
        Seconds for which a hit is kept for a client that comes back.
    quiet_after : float, optional
        After so many seconds without a hit new connections get 503; None: never.
    latency : float
        Seconds from a request to its answer.

    Raises
    ------
    InvalidOption
        When a value is out of its range.
    """

    hours: float = 24.0
    rate: float = 50.0
    connections: int = 1
    faults: Fault | Sequence[Fault] | str = (Drops(),)
    seed: int = SEED
    notice: float | tuple[float, float] = 55.0
    restarts: bool = True
    retention: float = 300.0
    quiet_after: float | None = None
    latency: float = 0.5

    def __post_init__(self) -> None:
        for name in ("hours", "rate", "latency"):
            check_positive(name, getattr(self, name))
        check_whole("connections", self.connections, 1, 8)
        check_whole("seed", self.seed, 0, 2**63 - 1)
        object.__setattr__(self, "faults", checked_faults(self.faults))
        _check_notice(self.notice)
        self._setting()

    def run(self, policy: Policy = DEFAULT) -> Result:
        """Live through a day with a policy.

        Raises
        ------
        InvalidOption
            When the policy answers what is not possible.
        """
        setting = self._setting()
        calls = day(checked_faults(self.faults), self.seed, setting.seconds, self.connections)
        found = live(setting, calls, policy, self.seed)
        return Result(policy, self.seed, setting.seconds, found, calls)

    def compare(
        self,
        policies: Mapping[str, Policy] | None = None,
        *,
        seeds: int = 1,
        workers: int | None = None,
        progress: bool = True,
    ) -> Comparison:
        """Live through the same days with several policies.

        Parameters
        ----------
        policies : mapping of str to Policy, optional
            By name; when omitted those of `livestream_nb.policy.others`, and the default one.
        seeds : int
            How many days: of this lab's seed, and of those that follow it.
        workers : int, optional
            How many processes; as many as there are cores when omitted.
        progress : bool
            Whether to show a bar.

        Raises
        ------
        InvalidOption
            When there is no policy, one has no ``start`` and ``step`` or answers what is not
            possible, or a number is out of its range.
        """
        chosen = dict(POLICIES if policies is None else policies)
        for name, policy in chosen.items():
            _check_policy(name, policy)
        check_count("policies", len(chosen), "policies")
        labs = self._days(seeds)
        tasks = [(lab, policy, lab is labs[0]) for lab in labs for policy in chosen.values()]
        found = spread(_keep, tasks, workers=workers, progress=progress)
        names = [(name, lab.seed) for lab in labs for name in chosen]
        results = [result for _, result in found if result is not None]
        summaries = [summary for summary, _ in found]
        return Comparison(
            dict(zip(chosen, results, strict=True)), zip(names, summaries, strict=True)
        )

    def sweep(
        self,
        policy: Policy = DEFAULT,
        *,
        seeds: int = 5,
        workers: int | None = None,
        progress: bool = True,
        **values: Iterable[Any],
    ) -> Sweep:
        """Live through days with every combination of values.

        Parameters
        ----------
        policy : Policy
            The one to begin with: a dataclass, for its own parameters to be varied.
        seeds, workers, progress
            As for :meth:`compare`: each combination meets the same days.
        **values
            For each parameter of the policy or of the lab, its values: ``cooldown=[30, 60]``,
            ``notice=[20, 55, (20, 180)]``. A ``longest`` below a cooldown is raised to it.

        Raises
        ------
        InvalidOption
            When a parameter is neither the policy's nor the lab's, or has no value or a wrong one.
        """
        _check_policy("policy", policy)
        grid = {name: list(several) for name, several in values.items()}
        _check_grid(grid, policy)
        points = [dict(zip(grid, point, strict=True)) for point in product(*grid.values())]
        each = [(point, lab) for point in points for lab in self._days(seeds)]
        tasks = [(_varied(lab, point), _varied(policy, point)) for point, lab in each]
        found = spread(_count, tasks, workers=workers, progress=progress)
        keys = [(point, lab.seed) for point, lab in each]
        return Sweep(list(grid), zip(keys, found, strict=True))

    def _setting(self) -> Setting:
        drawn = self.notice if isinstance(self.notice, tuple) else None
        notice = self.notice[0] if isinstance(self.notice, tuple) else self.notice
        rules = model_rules(notice, self.retention, self.restarts, self.quiet_after, 1.0)
        seconds = self.hours * HOUR
        return Setting(seconds, self.rate, self.connections, self.latency, rules, drawn)

    def _days(self, seeds: int) -> "list[Lab]":
        check_count("seeds", seeds, "days")
        return [replace(self, seed=self.seed + place) for place in range(seeds)]


def _count(task: tuple[Lab, Policy]) -> Summary:
    lab, policy = task
    return lab.run(policy).summary


def _keep(task: tuple[Lab, Policy, bool]) -> tuple[Summary, Result | None]:
    lab, policy, kept = task
    result = lab.run(policy)
    return result.summary, result if kept else None


def _varied(thing: Any, point: Mapping[str, Any]) -> Any:
    if not is_dataclass(thing) or isinstance(thing, type):
        return thing
    known = {field.name for field in fields(thing)}
    mine = {name: value for name, value in point.items() if name in known}
    if isinstance(thing, ReconnectPolicy) and "cooldown" in mine:
        longest = mine.get("longest", thing.longest)
        mine["longest"] = max(longest, mine["cooldown"])
    return replace(thing, **mine)


def _check_grid(grid: Mapping[str, Sequence[Any]], policy: Policy) -> None:
    of_lab = [field.name for field in fields(Lab) if field.name != "seed"]
    of_policy: list[str] = [field.name for field in fields(policy)] if is_dataclass(policy) else []
    if not grid:
        raise InvalidOption("Nothing to vary: name a parameter, as in sweep(cooldown=[30, 60]).")
    for name, several in grid.items():
        if name not in of_lab + of_policy:
            right = f"vary one of {', '.join(of_policy + of_lab)}"
            raise InvalidOption.value(name, several, right)
        check_count(name, len(several), "values")


def _check_policy(name: str, policy: object) -> None:
    if not (callable(getattr(policy, "start", None)) and callable(getattr(policy, "step", None))):
        right = "a policy has start(now) and step(state, event, now): help(livestream_nb.policy)"
        raise InvalidOption.value(name, policy, right)


def _check_notice(notice: object) -> None:
    pair = notice if isinstance(notice, tuple) else (notice, notice)
    if (
        len(pair) != 2
        or not all(is_number(each) and each >= 0 for each in pair)
        or pair[0] > pair[1]
    ):
        right = "give seconds, 0 or more, or a pair of them to draw between, the shorter one first"
        raise InvalidOption.value("notice", notice, right)
