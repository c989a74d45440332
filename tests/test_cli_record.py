"""``livestream-nb record``: as a person runs it, in processes of its own."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from livestream_nb import Recording, Simulator
from tests.plain import until
from tests.test_cli import COMMAND, counts

KEY = "a key of this test only"


@pytest.fixture
def sim() -> Iterator[Simulator]:
    with Simulator(rate=400) as made:
        yield made


class Run:
    """The command, reading this simulator."""

    def __init__(self, sim: Simulator, folder: Path, *arguments: str, **environment: str) -> None:
        command = [*COMMAND, "record", sim.stream_url, "--to", str(folder), *arguments]
        told = {"COLUMNS": "120", "LIVESTREAM_TOKEN": sim.token} | environment
        self.process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | told,
        )

    def end(self) -> tuple[int, str, str]:
        """Its exit code, and what it said."""
        out, err = self.process.communicate(timeout=60)
        return self.process.returncode, out, err


def recorded(folder: Path, hits: int) -> None:
    """Wait until so many hits are in the folder."""
    until(lambda: (folder / "recording.json").exists(), 20)
    followed = Recording(folder).follow()
    until(lambda: followed.status.hits >= hits, 20)
    followed.close()


def test_for_a_while(sim: Simulator, tmp_path: Path) -> None:
    """It ends when the time is over, and says what it has: what was sent, once, and no token."""
    code, out, err = Run(sim, tmp_path / "rec", "--for", "3s", "--columns", "evar1").end()
    assert code == 0, out + err
    found = Recording(tmp_path / "rec")
    assert counts(out)["hits"] == f"{found.status.hits:,}"
    assert 800 < found.status.hits <= sim.truth().height
    assert counts(out)["hits not recorded"] == "0"
    assert "evar1" in found.hits().columns
    assert "▶ streaming" in out
    written = b"".join(path.read_bytes() for path in found.path.rglob("*") if path.is_file())
    assert sim.token not in out + err
    assert sim.token.encode() not in written


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_clean_end(sent: signal.Signals, sim: Simulator, tmp_path: Path) -> None:
    """Ctrl-C and a service manager's signal end it in good order: sealed, told, exit code 0."""
    run = Run(sim, tmp_path / "rec")
    recorded(tmp_path / "rec", 400)
    run.process.send_signal(sent)
    code, out, err = run.end()
    assert code == 0, out + err
    found = Recording(tmp_path / "rec")
    assert counts(out)["hits"] == f"{found.status.hits:,}"
    assert found.timeline()["reason"].to_list() == ["asked", "opened", "asked"]
    assert [path.name for path in (tmp_path / "rec" / "spool").iterdir()] == ["next"]
    assert "Traceback" not in err


def test_a_stream_that_fails(sim: Simulator, tmp_path: Path) -> None:
    """When the stream stops for good it says why, and ends with exit code 1."""
    code, out, _ = Run(sim, tmp_path / "rec", LIVESTREAM_TOKEN="out-of-date").end()
    assert code == 1
    assert "Get a fresh token" in out
    assert counts(out)["hits"] == "0"


def test_masked(sim: Simulator, tmp_path: Path) -> None:
    """With --mask and a key in the environment nothing is recorded as it came; the key is not."""
    run = Run(sim, tmp_path / "rec", "--mask", "--for", "2s", LIVESTREAM_MASK_KEY=KEY)
    code, out, err = run.end()
    assert code == 0, out + err
    found = Recording(tmp_path / "rec")
    assert found.mask is not None
    ids = ["visIdHigh", "visIdLow"]
    assert found.hits().join(sim.truth(), on=ids, how="semi").height == 0
    assert KEY not in out + err + (tmp_path / "rec" / "recording.json").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--for", "soon"], "for='soon' is not possible: give a duration"),
        (["--columns", "evar251"], "columns='evar251' is not possible"),
        (["--connections", "9"], "connections=9 is not possible"),
        (["--to", "/dev/null/x"], "to='/dev/null/x' is not possible"),
        (["--to", "."], "is not possible: give a new or empty folder"),
        (["--mask"], "LIVESTREAM_MASK_KEY is not set"),
    ],
)
def test_wrong_input(arguments: list[str], words: str, sim: Simulator, tmp_path: Path) -> None:
    """Wrong input is refused before anything is sent, in words, with exit code 2."""
    (tmp_path / "other").write_text("something else")
    command = [*COMMAND, "record", sim.stream_url, "--to", str(tmp_path / "rec"), *arguments]
    told = os.environ | {"LIVESTREAM_TOKEN": sim.token}
    done = subprocess.run(
        command, capture_output=True, text=True, env=told, cwd=tmp_path, timeout=60, check=False
    )
    assert done.returncode == 2
    assert words in done.stderr
    assert sim.log.height == 0


def test_no_credentials(tmp_path: Path) -> None:
    """Without credentials in the environment it says which there may be, with exit code 2."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("LIVESTREAM_")}
    command = [*COMMAND, "record", "demo", "--to", str(tmp_path)]
    done = subprocess.run(
        command, capture_output=True, text=True, env=bare, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "LIVESTREAM_TOKEN" in done.stderr
