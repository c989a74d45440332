"""README.md says what is true."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copyfile

import nbformat
import polars as pl
import pyarrow as pa
import pytest

import livestream_nb
from livestream_nb import analysis
from livestream_nb.policy.others import POLICIES
from livestream_nb.simulator.scenarios import SCENARIOS
from tests.benchmarks.figures import WORDS
from tests.benchmarks.peers import PEERS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")


def blocks(language: str, section: str = "") -> list[str]:
    """All blocks, or those of a section."""
    text = README.split(f"\n## {section}\n")[1].split("\n## ")[0] if section else README
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def shape(printed: str) -> str:
    """What is printed, less the numbers that differ from run to run."""
    words = re.findall(r"[^\s\d.,─═┬┴┼╪╞╡┌┐└┘]+|\d[\d.,]*", printed)
    return " ".join("#" if word[0].isdigit() else word for word in words)


def test_ten_lines_print_what_is_said() -> None:
    """The example in the README runs, and prints what stands below it but for the numbers."""
    program, said = blocks("python")[0], blocks("text")[0]
    assert len(program.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    assert shape(done.stdout) == shape(said)


def test_what_is_said_of_hits() -> None:
    """Every line on hits and their analysis runs as it stands there."""
    with livestream_nb.Simulator(speed=60) as simulator:
        scope = {"ls": livestream_nb, "pyarrow": pa, "simulator": simulator}
        for block in blocks("python", "Hits"):
            exec(block, scope)
        scope["reader"].stop()
        assert scope["hits"].height >= 2_000
        assert analysis.orders(scope["hits"]).height
        assert scope["steps"]["visits"][0] > 0


def test_what_is_said_of_charts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line on charts and the report runs as it stands there."""
    monkeypatch.chdir(tmp_path)
    with livestream_nb.Simulator(speed=60) as simulator, simulator.reader() as reader:
        reader.wait(hits=500, timeout=20)
        for block in blocks("python", "What you see"):
            exec(block, {"reader": reader})
    assert (tmp_path / "report.html").stat().st_size > 500_000


def test_what_is_said_of_recordings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every line on recordings runs as it stands there."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "days").mkdir()
    copyfile(ROOT / "data/shop-300.ndjson.gz", tmp_path / "days" / "shop.ndjson.gz")
    (program,) = blocks("python", "Recording")
    with livestream_nb.Simulator(speed=60) as simulator:
        scope = {"ls": livestream_nb, "pl": pl, "simulator": simulator}
        exec(program, scope)
        scope["simulator"].stop()
        assert scope["recording"].status.hits >= 2_000
        scope["recording"].close()


def test_every_notebook_is_told() -> None:
    """The README has every notebook, with its question."""
    told = re.findall(r"^\| \[([\w-]+)\]\(notebooks/\1\.ipynb\) \| ", README, re.MULTILINE)
    assert told == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_benchmark_is_as_said() -> None:
    """Whoever runs the benchmark gets the table that stands in the README, with other figures."""
    said = blocks("text", "Speed")[0]
    known = [*WORDS.values(), *(f"ours / {name}" for name in (*PEERS, "limit"))]
    assert [words for words in known if f"\n{words} " not in said] == []
    assert "python -m tests.benchmarks.throughput" in README


def test_verbs_are_as_said() -> None:
    """Each verb of the simulator that the README names can be called as it stands there."""
    scope: dict[str, object] = {"ls": livestream_nb}
    exec(blocks("python")[-1], scope)
    simulator = scope["simulator"]
    assert isinstance(simulator, livestream_nb.Simulator)
    simulator.stop()


def test_every_scenario_is_told() -> None:
    """The README tells of every scenario there is."""
    assert re.findall(r"^\| `([a-z-]+)` \|", README, re.MULTILINE) == list(SCENARIOS)


def test_commands_come_first() -> None:
    """The first two commands run the demo and the tests, and CI runs the second as it stands."""
    demo, tests = blocks("bash")[:2]
    assert demo.strip().endswith(".venv/bin/livestream-nb demo")
    assert tests.strip().endswith(".venv/bin/pytest")
    assert "grep -m 1" in (ROOT / ".ci/run").read_text()


def test_links_and_pictures_exist() -> None:
    """Every file that the README points to is there."""
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_what_is_said_of_the_lab() -> None:
    """Every line on the lab runs as it stands there."""
    scope: dict[str, object] = {}
    for block in blocks("python", "The policy lab"):
        exec(block.replace("seeds=10", "seeds=2"), scope)
    assert scope["result"].summary.delivered == 1.0
    assert scope["sweep"].runs.height == 4 * 4 * 5


def test_the_comparison_stands_in_both_places() -> None:
    """The tables of README and notebook are the same, of all policies; one command made them."""
    table = re.compile(r"^\| policy \|.*\n\| --- .*\n(?:\|.*\n)+", re.MULTILINE)
    found = table.findall(README)
    notebook = nbformat.read(ROOT / "notebooks/08-policy-lab.ipynb", as_version=4)
    told = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown") + "\n"
    assert table.findall(told) == found
    assert len(found) == 2
    for each in found:
        names = [line.split(" | ")[0][2:] for line in each.splitlines()[2:]]
        assert sorted(names) == sorted(POLICIES)
    assert "livestream-nb compare --picture .readme/policies.png" in README
