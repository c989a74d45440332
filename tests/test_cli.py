"""cli.py and demo.py: the command line as a person runs it, in processes of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import polars as pl
import pytest

from livestream_nb import Clock, Reader, cli
from livestream_nb.cli import lab
from livestream_nb.cli.demonstration import facts
from livestream_nb.cli.lab import open_lab
from livestream_nb.demo import Outcome, distinct, lost, shortest_wait
from livestream_nb.errors import InvalidOption, StreamFailed, WaitTimeout
from livestream_nb.policy.others import POLICIES
from tests.plain import until

COMMAND = [str(Path(sys.executable).with_name("livestream-nb"))]
SAMPLE = Path(__file__).parents[1] / "data/shop-300.ndjson.gz"
REAL_DAY = Path(__file__).parents[2] / "shared/traffic/zwitchdev-2015-07-13.ndjson.gz"


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | {"COLUMNS": "120"},
        check=False,
    )


def counts(output: str) -> dict[str, str]:
    return dict(re.findall(r"│ (\w[^│]*?) +│ +([^│]*?) +│", output))


def test_demo(tmp_path: Path) -> None:
    """The demo ends by itself with exit code 0: one drop, one 409, nothing lost, three files."""
    out = tmp_path / "new" / "out"
    done = run("demo", "--seconds", "8", "--out", str(out))
    assert done.returncode == 0, done.stdout + done.stderr
    found = counts(done.stdout)
    assert found["hits lost"] == found["hits delivered twice"] == "0"
    assert found["hits emitted"] == found["hits received"] != "0"
    assert found["of them refused with 409"] == "1"
    assert found["connects"] == "3"
    assert 60 <= float(found["shortest wait between connections"].split()[0]) <= 80
    assert "409" in done.stdout
    hits = pl.read_parquet(out / "hits.parquet")
    assert f"{hits.height:,}" == found["hits received"]
    states = pl.read_parquet(out / "timeline.parquet")["state"].to_list()
    assert states.count("streaming") == 2
    report = (out / "report.html").read_text("utf-8")
    assert found["hits received"] in report
    assert "default-src 'none'" in report


def test_demo_on_a_recording() -> None:
    """A recording is squeezed into the run, and arrives whole over a drop."""
    done = run("demo", "--seconds", "6", "--replay", str(SAMPLE))
    assert done.returncode == 0, done.stdout + done.stderr
    found = counts(done.stdout)
    assert found["hits emitted"] == found["hits received"] == "300"
    assert found["connects"] == "3"


@pytest.mark.skipif(not REAL_DAY.exists(), reason="the real day of traffic is not in this checkout")
def test_demo_on_a_real_day() -> None:
    """A real day of real traffic arrives whole over a drop: 592 hits, 338 visitors."""
    done = run("demo", "--seconds", "8", "--replay", str(REAL_DAY))
    assert done.returncode == 0, done.stdout + done.stderr
    found = counts(done.stdout)
    assert found["hits emitted"] == found["hits received"] == "592"
    assert found["visitors"] == "338"
    assert "(1436760278)" in found["first timeGMT"]
    assert "(1436846258)" in found["last timeGMT"]
    assert found["connects"] == "3"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--seconds", "1"], "seconds=1.0 is not possible: give 6 to 600"),
        (["demo", "--replay", "nowhere.ndjson"], "nowhere.ndjson"),
        (["demo", "--seconds", "soon"], "--seconds"),
        (["simulate", "--port", "99999"], "port=99999 is not possible"),
        (["simulate", "--rate", "0"], "rate=0.0 is not possible"),
        (["simulate", "--speed", "-1"], "speed=-1.0 is not possible"),
        (["simulate", "--replay", "nowhere.ndjson"], "nowhere.ndjson"),
        (["simulate", "--scenario", "chaos"], "scenario='chaos' is not possible: give one of calm"),
        (["simulate", "--host", "example"], "host='example' is not possible"),
        (["simulate", "--stream", "a/b"], "name='a/b' is not possible"),
        (["simulate", "--pace", "slow"], "pace='slow' is not possible"),
        (["simulate", "--pace", "60"], "pace=60.0 is not possible: a pace needs a recording"),
        (["simulate", "--record-size", "9"], "record_size=9 is not possible"),
        (["simulate", "--records-per-chunk", "0"], "records_per_chunk=0 is not possible"),
        (["dance"], "dance"),
    ],
)
def test_wrong_input(
    arguments: list[str],
    words: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong input is refused at once, in words, with exit code 2."""
    monkeypatch.setattr(sys, "argv", [*COMMAND, *arguments])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


def test_a_refusal_is_one_sentence() -> None:
    """What is refused ends the program in one sentence, without a traceback."""
    done = run("demo", "--out", "/dev/null/x")
    assert done.returncode == 2, done.stdout + done.stderr
    assert "out='/dev/null/x' is not possible" in done.stderr
    assert "Traceback" not in done.stderr


def test_port_in_use() -> None:
    """A port that is taken is named, with what to do, and exit code 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run("simulate", "--port", str(port))
    assert done.returncode == 2
    assert f"Port {port} " in done.stderr
    assert "port=0" in done.stderr


class Simulation:
    """A running ``livestream-nb simulate``, and what it has printed."""

    def __init__(self, *arguments: str) -> None:
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*COMMAND, "simulate", *arguments], stdout=pipe, stderr=pipe, text=True
        )
        self.text = ""

    def until(self, words: str) -> str:
        assert self.process.stdout is not None
        while words not in self.text:
            line = self.process.stdout.readline()
            assert line, self.text
            self.text += line
        return self.text

    def interrupt(self) -> tuple[str, str]:
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=20)

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()


def pasted(command: str) -> str:
    """What a shell prints for a command."""
    run = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    return run.stdout


windows = pytest.mark.skipif(
    sys.platform == "win32", reason="Windows has no SIGINT for child processes"
)


@windows
def test_simulate() -> None:
    """simulate prints what a reader needs, serves it, tells events, and ends at Ctrl-C."""
    with Simulation("--speed", "20", "--rate", "100") as run:
        found = re.search(
            r'Clock\(rate=(.*), origin=(.*)\)\n.*Reader\("(.*)", token="(.*)", ',
            run.until("reader = "),
        )
        assert found is not None, run.text
        clock = Clock(float(found[1]), origin=float(found[2]))
        with Reader(found[3], token=found[4], clock=clock) as reader:
            reader.wait(hits=200, timeout=20)
            late = reader.hits().select(pl.col("arrived") - pl.col("receivedTimeGMT"))
            assert 0 <= late.to_series().mean().total_seconds() < 120
        assert re.search(r"\d\d:\d\d:\d\d  connected +#1 200 slot 0 of 1", run.until("connected"))
        out, err = run.interrupt()
    assert run.process.returncode == 0
    assert out.endswith("Stopped.\n")
    assert err == ""


@windows
def test_simulate_is_ready_to_paste() -> None:
    """What simulate prints for curl works as it stands: a token of one's own, and the stream."""
    options = ("--speed", "20", "--redirect", "--scenario", "churn-trap", "--stream", "second")
    with Simulation(*options) as run:
        text = run.until("reader = ")
        assert "Scenario churn-trap: Every ten minutes" in text
        assert re.search(r"One more stream: http://127\.0\.0\.1:\d+/api/1/stream/second\n", text)
        commands = re.findall(r"^  (curl (?:.*\\\n)?.*)$", text, re.MULTILINE)
        stream, token = (f"{command} --silent --max-time 3" for command in commands)
        granted = pasted(token)
        assert set(json.loads(granted)) == {"access_token", "token_type", "expires_in"}
        read = pasted(stream)
        assert json.loads(read.splitlines()[0])["reportSuite"] == "examplecomprod"
        run.until("redirecting")


@windows
def test_simulate_for_others() -> None:
    """Listening beyond this machine is possible, and warned of."""
    with Simulation("--host", "0.0.0.0") as run:
        assert 'Reader("http://127.0.0.1:' in run.until("reader = ")
        _, err = run.interrupt()
    assert err.startswith("Warning: whoever reaches 0.0.0.0 can reach this service")


@pytest.mark.parametrize(
    ("error", "code"),
    [(StreamFailed("It ended.", cause="refused"), 1), (WaitTimeout("Late."), 1),
     (InvalidOption("Wrong."), 2)],
)  # fmt: skip
def test_exit_codes(error, code, monkeypatch, capsys) -> None:
    """A stream that failed is not a wrong option: each has an exit code, and a sentence."""

    def fail() -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == code
    assert capsys.readouterr().err == f"Error: {error}\n"


@windows
def test_demo_interrupted() -> None:
    """Ctrl-C ends a demo at once, without a traceback, and nothing is judged."""
    with subprocess.Popen(
        [*COMMAND, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        while "streaming" not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "nothing is judged" in out
    assert err == ""


def test_columns_are_listed() -> None:
    """All columns with type, meaning, place in the record and set; a family is one line."""
    said = run("columns").stdout
    for line in (
        r"hitIdHigh +UInt64 +first half of the hit's identity +always there",
        r"campaign +String +tracking code +evars\.evars\.campaign +default",
        r"browserWidth +Int32 .*\(px\) +documented",
        r"event1 to event1000 +Float64 +custom event +events\.eventN",
    ):
        assert re.search(rf"^{line} *$", said, re.MULTILINE), line
    assert "evar7 " not in said


def test_columns_that_were_asked_for_are_listed() -> None:
    """Named columns and sets as a frame has them; of a wrong name the message says what to do."""
    said = run("columns", "evar7", "pageName").stdout
    assert re.findall(r"^(\w+) +String", said, re.MULTILINE) == ["evar7", "pageName"]
    refused = run("columns", "evar251")
    assert refused.returncode == 2
    assert refused.stderr == (
        "Error: columns='evar251' is not possible: there are evar1 to evar250.\n"
    )


def test_hits_without_ids_are_judged_by_number() -> None:
    """A hit without an id is neither lost nor delivered twice for being like another."""
    schema = {"hitIdHigh": pl.UInt64, "hitIdLow": pl.UInt64}
    truth = pl.DataFrame([(1, 1), (2, 2), (None, None), (None, None)], schema, orient="row")
    assert (distinct(truth), lost(truth, truth)) == (4, 0)
    assert lost(truth, truth[1:]) == 1
    assert lost(truth, truth[:3]) == 1
    assert lost(truth, truth[[0, 1, 1, 2, 3, 3]]) == 0


def outcome(**changes) -> Outcome:
    sound = dict.fromkeys(Outcome.__dataclass_fields__, 0) | {
        "first": None,
        "last": None,
        "shortest_wait": 60.0,
    }
    return Outcome(**(sound | changes))


@pytest.mark.parametrize(
    "changes", [{"lost": 1}, {"twice": 1}, {"shortest_wait": 59.9}], ids=lambda c: next(iter(c))
)
def test_what_is_not_sound(changes) -> None:
    """A lost hit, one delivered twice, and a wait below the floor each make a run unsound."""
    assert outcome().sound
    assert outcome(shortest_wait=None).sound
    assert not outcome(**changes).sound


def test_facts_of_an_empty_run() -> None:
    """A run without a single hit has facts, too."""
    assert facts(outcome(shortest_wait=None))["first timeGMT"] == "none"


def test_shortest_wait() -> None:
    """It counts from the end of a connection, or a refusal, to the next request."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    story = [
        (0, "connected"),
        (10, "dropped"),
        (75, "refused"),
        (76, "committed"),
        (136, "connected"),
    ]
    log = pl.DataFrame([{"time": start + timedelta(seconds=s), "event": e} for s, e in story])
    assert shortest_wait(log) == 61.0
    assert shortest_wait(log.head(2)) is None


def test_demo_opens_the_lab(tmp_path: Path) -> None:
    """``demo --lab`` copies the notebooks, keeps changed ones, and serves the quickstart."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = {"open_browser": False, "allow_root": True, "port": port, "ip": "127.0.0.1"}
    config = {"ServerApp": server, "IdentityProvider": {"token": "of-this-test"}}
    (tmp_path / "jupyter_server_config.json").write_text(json.dumps(config))
    changed = tmp_path / "livestream-notebooks" / "02-why-sixty-seconds.ipynb"
    changed.parent.mkdir()
    changed.write_text("changed")
    with subprocess.Popen(
        [*COMMAND, "demo", "--lab"],
        cwd=tmp_path,
        env=os.environ | {"JUPYTER_CONFIG_DIR": str(tmp_path), "COLUMNS": "200"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as command:
        path = "/api/contents/01-quickstart.ipynb?content=0&token=of-this-test"
        until(lambda: _status(f"http://127.0.0.1:{port}{path}") == 200, patience=60.0)
        os.killpg(command.pid, signal.SIGTERM)
    assert changed.read_text() == "changed"
    names = {notebook.name for notebook in changed.parent.glob("*.ipynb")}
    assert names == {each.name for each in (Path(__file__).parents[1] / "notebooks").glob("*")}


def test_demo_without_jupyterlab_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where JupyterLab is missing, the command says how to get it, and copies nothing."""
    monkeypatch.setattr("livestream_nb.cli.lab.find_spec", lambda _: None)
    with pytest.raises(InvalidOption, match=r"pip install 'livestream_nb\[lab\]'"):
        open_lab(tmp_path / "notebooks")
    assert list(tmp_path.iterdir()) == []


class Lab:
    """A JupyterLab that is interrupted twice before it ends, with this exit code."""

    def __init__(self, command: list[str]) -> None:
        self.command = command
        self.returncode: int | None = None
        self.interrupts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self.returncode is not None, "nobody has waited for it"

    def wait(self) -> None:
        if self.interrupts == 2:
            self.returncode = 3
            return
        self.interrupts += 1
        raise KeyboardInterrupt


def test_the_lab_has_its_ctrl_c_to_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """JupyterLab decides what Ctrl-C means, and its exit code is the command's."""
    started: list[list[str]] = []

    def start(command: list[str]) -> Lab:
        started.append(command)
        return Lab(command)

    monkeypatch.setattr("livestream_nb.cli.lab.subprocess.Popen", start)
    folder = tmp_path / "deep" / "notebooks"
    assert open_lab(folder) == open_lab(folder) == 3
    wanted = [sys.executable, "-m", "jupyterlab", str(folder / "01-quickstart.ipynb")]
    assert started == [wanted, wanted]
    assert Path(wanted[-1]).exists()
    assert f"The notebooks are in {folder};" in capsys.readouterr().out


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    """Where the notebooks cannot be copied to, the folder is named, with the reason."""
    (tmp_path / "file").touch()
    with pytest.raises(InvalidOption, match=r"lab='.*file/notebooks'.*Not a directory"):
        open_lab(tmp_path / "file" / "notebooks")


def test_notebooks_come_from_the_package_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed package has them inside; a checkout has them beside it."""
    package = tmp_path / "livestream_nb"
    (package / "cli").mkdir(parents=True)
    monkeypatch.setattr(lab, "__file__", str(package / "cli" / "lab.py"))
    assert lab._notebooks() == tmp_path / "notebooks"
    (package / "notebooks").mkdir()
    assert lab._notebooks() == package / "notebooks"


def _status(address: str) -> int | None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(address, timeout=5) as answer:
            return int(answer.status)
    except OSError:
        return None


def test_compare(tmp_path: Path) -> None:
    """Policies are compared on both kinds of days, as tables, and drawn where that is asked for."""
    picture = tmp_path / "lost.svg"
    done = run("compare", "--seeds", "2", "--hours", "0.5", "--picture", str(picture))
    assert done.returncode == 0, done.stdout + done.stderr
    tables = re.findall(r"^\| policy \|.*\n\| --- .*\n((?:\|.*\n)+)", done.stdout, re.MULTILINE)
    assert [len(table.splitlines()) for table in tables] == [len(POLICIES)] * 2
    assert {line.split(" | ")[0][2:] for line in tables[0].splitlines()} == set(POLICIES)
    assert picture.read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        (("--day", "sunny"), "give drops or rough"),
        (("--seeds", "0"), "1 or more"),
        (("--hours", "0"), "above 0"),
        (("--picture", "lost.bmp"), ".png"),
    ],
)
def test_compare_refuses(wrong: tuple[str, str], right: str) -> None:
    """A wrong value is named with the right ones, and the exit code is 2."""
    done = run("compare", *wrong)
    assert done.returncode == 2
    assert wrong[1] in done.stderr
    assert right in done.stderr
