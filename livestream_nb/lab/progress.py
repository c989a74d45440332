"""How far many days are: a bar in a notebook or a terminal, and nothing anywhere else."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

Found = TypeVar("Found")

STEPS = 100


def shown(found: Iterable[Found], many: int) -> Iterator[Found]:
    """Pass on what is found, and show how much of it is there; at the end the bar is gone."""
    return _in_notebook(found, many) if _is_notebook() else _in_terminal(found, many)


def _is_notebook() -> bool:
    python = sys.modules.get("IPython")
    return python is not None and hasattr(python.get_ipython(), "kernel")


def _in_notebook(found: Iterable[Found], many: int) -> Iterator[Found]:
    from IPython.display import display

    handle: Any = display(_bar(0, many), raw=True, display_id=True)  # type: ignore[no-untyped-call]
    try:
        for done, each in enumerate(found, start=1):
            yield each
            if done % max(1, many // STEPS) == 0:
                handle.update(_bar(done, many), raw=True)
    finally:
        handle.update({"text/html": "", "text/plain": ""}, raw=True)


def _bar(done: int, many: int) -> dict[str, str]:
    words = f"{done:,} of {many:,} days"
    bar = f'<progress max="{many}" value="{done}" aria-label="{words}"></progress> {words}'
    return {"text/html": bar, "text/plain": words}


def _in_terminal(found: Iterable[Found], many: int) -> Iterator[Found]:
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        yield from bar.track(found, total=many, description="Days")
