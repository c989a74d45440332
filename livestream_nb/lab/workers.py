"""Many days at once, on all cores. The result does not depend on how many those are.

Workers are processes that load the package themselves; policies written in a notebook reach them
by value (cloudpickle, within loky), so that nothing has to be importable.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from livestream_nb.checks import check_count
from livestream_nb.lab.progress import shown

Task = TypeVar("Task")
Found = TypeVar("Found")

FEW = 8
AHEAD = 4


def spread(
    live: Callable[[Task], Found],
    tasks: Sequence[Task],
    *,
    workers: int | None,
    progress: bool,
) -> list[Found]:
    """Do all tasks, and give what was found in their order.

    Parameters
    ----------
    live : callable
        Does one; it and what it gives can be pickled.
    tasks : sequence
        What is to be done.
    workers : int or None
        How many processes; None: as many as there are cores, or none beside this one for few tasks.
    progress : bool
        Whether to show a bar.

    Raises
    ------
    InvalidOption
        When ``workers`` is no count.
    """
    if workers is not None:
        check_count("workers", workers, "processes")
    many = workers or (1 if len(tasks) < FEW else _cores())
    found = map(live, tasks) if many == 1 else _in_processes(live, tasks, many)
    return list(shown(found, len(tasks)) if progress and len(tasks) >= FEW else found)


def _cores() -> int:
    from loky import cpu_count

    return int(cpu_count())


def _in_processes(
    live: Callable[[Task], Found], tasks: Sequence[Task], many: int
) -> Iterator[Found]:
    from loky import get_reusable_executor

    executor = get_reusable_executor(max_workers=many, timeout=60)
    waiting = iter(tasks)
    ahead = [executor.submit(live, task) for task in islice(waiting, AHEAD * many)]
    while ahead:
        found = ahead.pop(0).result()
        ahead += [executor.submit(live, task) for task in islice(waiting, 1)]
        yield found
