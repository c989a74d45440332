"""Fixtures that several test modules share."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.plain import Client, until

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="session", autouse=True)
def state_directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test touches the user's state, nor do the programs and kernels that tests start."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LIVESTREAM_NB_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def interrupts() -> None:
    """Ctrl-C interrupts, also where a shell has begun the tests with ``&`` and it is ignored."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def state_of_its_own(
    state_directory: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No test keeps the minute of an earlier one whose service had the same port."""
    monkeypatch.setenv("LIVESTREAM_NB_STATE", str(tmp_path / "state-of-streams"))


@pytest.fixture(autouse=True)
def nothing_is_left_running() -> Iterator[None]:
    """Each test ends the readers and simulators it began: none is left for a later one to meet."""
    before = set(threading.enumerate())
    yield
    ours = ("livestream-simulator", "livestream-reader")
    until(
        lambda: (
            not [each for each in threading.enumerate() if each not in before and each.name in ours]
        )
    )


@pytest.fixture(scope="session")
def minute(tmp_path_factory: pytest.TempPathFactory) -> Iterator[subprocess.Popen[str]]:
    """A writer and a follower at 2,000 hits/s: for a minute in CI, else for ten seconds.

    It begins with the first test of recordings, and is judged by one of the last.
    """
    seconds = "60" if os.environ.get("CI") else "10"
    command = [sys.executable, "-m", "tests.following", seconds]
    state = {"LIVESTREAM_NB_STATE": str(tmp_path_factory.mktemp("state-of-a-minute"))}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | state, cwd=ROOT
    ) as process:
        yield process
        process.kill()


@pytest.fixture
def clients() -> Iterator[Callable[..., Client]]:
    with contextlib.ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(
            contextlib.closing(Client(*args, **options))
        )
