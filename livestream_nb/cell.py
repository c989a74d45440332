"""A notebook's cell that is run again ends what it made before.

IPython keeps what a cell has shown (``Out``) for as long as the kernel lives. So a simulator and
its readers would go on unseen, one more with every run of the cell that made them.
"""

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
    module = sys.modules.get("IPython")
    shell: Any = module and module.get_ipython()
    if not hasattr(shell, "kernel"):
        return None
    name = shell.kernel.get_parent("shell").get("metadata", {}).get("cellId")
    return None if name is None else Cell(name, shell.execution_count)


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
