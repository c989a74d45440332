"""notebook.py: what a cell made ends when it is run again; whether anybody looks."""

import gc
import sys
import threading
from types import SimpleNamespace
from weakref import ref

import pytest
from ipywidgets.widgets.widget import _instances

from livestream_nb import Reader, Simulator
from livestream_nb.dashboard import side_by_side
from livestream_nb.notebook import Cell, current, is_watched, made


class Asked:
    """A kernel, and what it was asked for."""

    def __init__(self) -> None:
        self.request: dict[str, dict[str, object]] = {"metadata": {}, "content": {}}

    def get_parent(self, channel: str) -> dict[str, dict[str, object]]:
        assert channel == "shell"
        return self.request


class Kernel:
    """What IPython knows of the cell that is being run."""

    def __init__(self) -> None:
        self.execution_count = 0
        self.kernel = Asked()

    def runs(self, cell: str) -> None:
        self.execution_count += 1
        self.kernel.request["metadata"] = {"cellId": cell}


class Thing:
    closed = 0

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> Kernel:
    found = Kernel()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: found))
    monkeypatch.setitem(sys.modules, "ipykernel.kernelbase", SimpleNamespace(Kernel=Asked))
    monkeypatch.setattr("livestream_nb.notebook._made", {})
    return found


def test_what_a_run_made_ends_with_the_next_run(kernel: Kernel) -> None:
    """A cell that is run again closes what its run before made, once, and nothing else."""
    things = [Thing() for _ in range(5)]
    closed = []
    for cell, *of_it in (("a", things[0], things[1]), ("b", things[2]), ("a", *things[3:])):
        kernel.runs(str(cell))
        for thing in of_it:
            made(thing)
        closed.append([thing.closed for thing in things])
    kernel.runs("a")
    made(Thing())
    assert closed == [[0] * 5, [0] * 5, [1, 1, 0, 0, 0]]
    assert [thing.closed for thing in things] == [1, 1, 0, 1, 1]


def test_nothing_is_kept_alive(kernel: Kernel) -> None:
    """What nobody refers to any more is not referred to here."""
    kernel.runs("a")
    thing = Thing()
    made(thing)
    known = ref(thing)
    del thing
    gc.collect()
    assert known() is None


def test_where_nothing_is_said_of_cells(monkeypatch: pytest.MonkeyPatch, kernel: Kernel) -> None:
    """Without IPython, without a kernel, and where a kernel is asked without a cell, none is it."""
    assert current() is None
    kernel.runs("a")
    assert current() == Cell("a", 1)
    for module in (
        None,
        SimpleNamespace(get_ipython=lambda: None),
        SimpleNamespace(get_ipython=dict),
    ):
        monkeypatch.setitem(sys.modules, "IPython", module)
        assert current() is None
    monkeypatch.delitem(sys.modules, "IPython")
    assert current() is None
    other = SimpleNamespace(kernel=SimpleNamespace(get_parent=lambda: {"metadata": {}}))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: other))
    assert current() is None
    assert is_watched()
    made(Thing())


def test_a_program_that_runs_a_notebook_sees_a_picture(
    monkeypatch: pytest.MonkeyPatch, kernel: Kernel
) -> None:
    """Where a cell may ask for no input nobody looks, but for Voilà; there is no widget then."""
    assert is_watched()
    kernel.kernel.request["content"] = {"allow_stdin": True}
    assert is_watched()
    kernel.kernel.request["content"] = {"allow_stdin": False}
    assert not is_watched()
    widgets = len(_instances)
    reader = Reader("demo", token="t")
    kinds = {"text/plain", "text/html", "image/png"}
    assert set(reader._repr_mimebundle_()) == kinds
    assert set(side_by_side(reader, reader)._repr_mimebundle_()) == kinds
    assert len(_instances) == widgets
    assert set(reader.dashboard()._repr_mimebundle_()) == kinds
    monkeypatch.setenv("VOILA_KERNEL_ID", "1")
    assert is_watched()
    assert "application/vnd.jupyter.widget-view+json" in reader._repr_mimebundle_()
    reader.close()


def test_a_simulator_ends_with_its_readers(kernel: Kernel) -> None:
    """Simulator and readers of a cell's run before are over, threads and all; others go on."""
    before = set(threading.enumerate())
    kernel.runs("elsewhere")
    other = Simulator()
    kernel.runs("here")
    first = Simulator()
    readers = [first.reader().start(), first.stream("more").reader().start()]
    kernel.runs("here")
    second = Simulator()
    assert [reader.status.state for reader in readers] == ["stopped", "stopped"]
    assert "stopped" in repr(first)
    assert "serving" in repr(other)
    assert "serving" in repr(second)
    for simulator in (other, second):
        simulator.close()
    assert set(threading.enumerate()) <= before
