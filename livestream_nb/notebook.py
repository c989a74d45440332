"""What there is to know of the notebook that this runs in, if it does.

A cell that is run again ends what it made before: IPython keeps what a cell has shown (``Out``) for
as long as the kernel lives, so a simulator and its readers would go on unseen, one more with every
run of the cell that made them.
"""

import os
import sys
from typing import Any, NamedTuple, Protocol
from weakref import WeakSet


class Ends(Protocol):
    """Something that goes on until it is closed."""

    def close(self) -> None:
        """End it."""


class Cell(NamedTuple):
    """A cell, and which of the kernel's runs this is."""

    id: str
    run: int


_made: dict[str, tuple[int, WeakSet[Ends]]] = {}


def current() -> Cell | None:
    """The cell that is being run; None outside of a notebook, and where it says nothing of cells.

    JupyterLab and Notebook send ``cellId`` with what they ask of a kernel.
    """
    shell = _shell()
    name = _request(shell).get("metadata", {}).get("cellId")
    return None if name is None else Cell(name, shell.execution_count)


def is_watched() -> bool:
    """Whether somebody may look at what is shown: not when a program runs a notebook by itself.

    Such a program (nbconvert, nbclient, papermill) lets a cell ask for no input. So does Voilà, but
    shows people what comes of it.
    """
    asks = _request(_shell()).get("content", {}).get("allow_stdin", True)
    return asks or any(name.startswith("VOILA_") for name in os.environ)


def _shell() -> Any:
    module = sys.modules.get("IPython")
    return module and module.get_ipython()


def _request(shell: Any) -> dict[str, Any]:
    """What the kernel was asked for last; nothing where it is not ipykernel's."""
    module = sys.modules.get("ipykernel.kernelbase")
    kernel = getattr(shell, "kernel", None)
    if module is None or not isinstance(kernel, module.Kernel):
        return {}
    request: dict[str, Any] = kernel.get_parent("shell")
    return request


def made(thing: Ends) -> None:
    """Note that the current cell made this, and close what its runs before made."""
    cell = current()
    if cell is None:
        return
    run, things = _made.get(cell.id, (cell.run, WeakSet()))
    if run != cell.run:
        for old in tuple(things):
            old.close()
        things = WeakSet()
    things.add(thing)
    _made[cell.id] = (cell.run, things)
