"""The notebooks run from start to end, headless, with what they need on this machine."""

import asyncio
import re
from base64 import b64decode
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from nbformat import NotebookNode

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
AT_ONCE = 3
LEFT = """
import threading
names = {thread.name for thread in threading.enumerate()}
sorted(names & {"livestream-reader", "livestream-simulator"})
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, NotebookNode | BaseException]:
    """Every notebook, executed in a kernel and an empty folder of its own, three at a time."""

    async def all_of_them() -> list[NotebookNode | BaseException]:
        turn = asyncio.Semaphore(AT_ONCE)
        folders = [tmp_path_factory.mktemp(name) for name in NAMES]
        runs = [execute(*each, turn) for each in zip(NOTEBOOKS, folders, strict=True)]
        return await asyncio.gather(*runs, return_exceptions=True)

    return dict(zip(NAMES, asyncio.run(all_of_them()), strict=True))


async def execute(path: Path, folder: Path, turn: asyncio.Semaphore) -> NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell(LEFT))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=120, resources=resources)
    async with turn:
        await client.async_execute()
    assert list(folder.iterdir()) == [], "it leaves files behind"
    return notebook


@pytest.fixture
def executed(name: str, runs: dict[str, NotebookNode | BaseException]) -> NotebookNode:
    notebook = runs[name]
    if isinstance(notebook, BaseException):
        raise notebook
    return notebook


def outputs(notebook: NotebookNode) -> list[NotebookNode]:
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


def test_there_are_notebooks() -> None:
    """Eight notebooks, each of which has its place in the order."""
    assert [name[:2] for name in NAMES] == ["01", "02", "03", "04", "05", "06", "07", "08"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=NAMES)
def test_notebook_is_light(path: Path) -> None:
    """A notebook is committed without outputs and widget state, and has its question on top."""
    notebook = nbformat.read(path, as_version=4)
    assert "widgets" not in notebook.metadata
    assert outputs(notebook) == []
    assert path.stat().st_size < 60_000
    title = notebook.cells[0].source.splitlines()[0]
    assert re.fullmatch(r"# .+\?", title)
    texts = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert any("## Summary" in text for text in texts)
    assert any("## Exercises" in text for text in texts)


@pytest.mark.parametrize("name", NAMES)
def test_notebook_runs(name: str, executed: NotebookNode) -> None:
    """Every cell runs without a warning, and nothing is left running at the end."""
    assert [output.text for output in outputs(executed) if output.get("name") == "stderr"] == []
    assert executed.cells[-1].outputs[0].data["text/plain"] == "[]"


def test_bars_are_gone(runs: dict[str, NotebookNode | BaseException]) -> None:
    """A bar that showed how far many days were leaves nothing behind."""
    notebook = runs["08-policy-lab"]
    assert isinstance(notebook, NotebookNode)
    bars = [each for each in outputs(notebook) if each.get("data", {}).get("text/html") == ""]
    assert len(bars) >= 5
    assert "<progress" not in nbformat.writes(notebook)


@pytest.mark.parametrize("name", NAMES)
def test_an_executed_notebook_shows_pictures(name: str, executed: NotebookNode) -> None:
    """The dashboard and all charts are pictures, in a file that is small; HTML has them all."""
    data = [output.data for output in outputs(executed) if "data" in output]
    readers = [each for each in data if "<Reader" in each["text/plain"]]
    drawn = [each for each in data if "image/png" in each]
    assert readers
    assert [each for each in readers if each not in drawn] == []
    for each in drawn:
        assert b64decode(each["image/png"]).startswith(b"\x89PNG")
    assert [each for each in data if "application/vnd.jupyter.widget-view+json" in each] == []
    assert len(nbformat.writes(executed)) < 1_000_000
    page, _ = HTMLExporter().from_notebook_node(executed)
    assert page.count("data:image/png;base64,") >= len(drawn)
