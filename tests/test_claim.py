"""livestream_nb.connection.claim, state, floor: who reads a stream, and when it was last read."""

import errno
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from platformdirs import user_state_dir

from livestream_nb.clock import Clock
from livestream_nb.connection import claim as module
from livestream_nb.connection.claim import Claim
from livestream_nb.connection.state import Store, file_name, state_directory
from livestream_nb.errors import StreamBusy

STREAM = "livestream.adobe.net/my-stream"
EPOCH = 1_800_000_000.0
DAY = 86_400.0

INTERPRETER = """
import sys
from livestream_nb.clock import Clock
from livestream_nb.connection.claim import Claim
from livestream_nb.errors import StreamBusy
clock = Clock()
print("ready", flush=True)
for line in sys.stdin:
    try:
        print(repr(eval(line)), flush=True)
    except StreamBusy as busy:
        print(repr(busy), flush=True)
"""

ROUNDS = """
import os, sys
from pathlib import Path
from livestream_nb.clock import Clock
from livestream_nb.connection.claim import Claim
from livestream_nb.errors import StreamBusy
stream, me, rounds = sys.argv[1], sys.argv[2], int(sys.argv[3])
state = Path(os.environ["LIVESTREAM_NB_STATE"])
inside, turns, clock, done = state / "inside", state / "turns", Clock(), 0
print("ready", flush=True)
sys.stdin.readline()
while done < rounds:
    try:
        claim = Claim.take(stream, clock)
    except StreamBusy:
        continue
    inside.touch(exist_ok=False)
    with turns.open("a") as book:
        book.write(me)
    claim.began(1)
    for path in state.glob("*.json"):
        os.utime(path, (0, 0))
    inside.unlink()
    claim._let_go()
    done += 1
    while (book := turns.read_text()).endswith(me) and len(book) - book.count(me) < rounds:
        Claim.take(me, clock).release()
print("done", flush=True)
"""

FORK = """
import os, sys
from livestream_nb.clock import Clock
from livestream_nb.connection.claim import Claim
claim = Claim.take(sys.argv[1], Clock())
claim.began(1)
done, tell = os.pipe()
child = os.fork()
if child == 0:
    claim.began(2)
    claim.ended(1, holds=True)
    claim.refresh()
    claim.release()
    del claim
    os.write(tell, b"x")
else:
    os.read(done, 1)
    print(child, flush=True)
sys.stdin.read()
"""


class Watch(Clock):
    """A clock that is moved by hand, in real seconds."""

    now: float

    def __init__(self, rate: float = 1.0, now: float = 1000.0) -> None:
        super().__init__(rate, EPOCH)
        self.move_to(now)

    def move_to(self, now: float) -> None:
        object.__setattr__(self, "now", now)

    def monotonic(self) -> float:
        return self.now * self.rate

    def wall(self) -> float:
        return EPOCH + self.now


class Other:
    """A Python process that can be told to take a claim, and killed."""

    def __init__(self, program: str = INTERPRETER, *args: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", program, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.greeting = self.hear()

    def hear(self) -> str:
        return self.process.stdout.readline().strip()

    def say(self, line: str) -> None:
        self.process.stdin.write(f"{line}\n")
        self.process.stdin.flush()

    def ask(self, line: str) -> str:
        self.say(line)
        return self.hear()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def __exit__(self, *_: object) -> None:
        self.kill()
        self.process.stdin.close()
        self.process.stdout.close()

    def __enter__(self) -> "Other":
        return self


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LIVESTREAM_NB_STATE", str(tmp_path / "state"))
    forget(monkeypatch)
    return tmp_path / "state"


@pytest.fixture
def take() -> Iterator[Callable[..., Claim]]:
    with ExitStack() as stack:

        def taken(clock: Clock, stream: str = STREAM, **options: bool) -> Claim:
            claim = Claim.take(stream, clock, **options)
            stack.callback(claim.release)
            return claim

        yield taken


def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Know as little as a new process does."""
    monkeypatch.setattr(module, "_floors", {})
    monkeypatch.setattr(module, "_warned", set())


def die(claim: Claim, monkeypatch: pytest.MonkeyPatch) -> None:
    """End as a killed process does: the lock goes, and nothing more is written."""
    claim._let_go()
    forget(monkeypatch)


def path_of(state: Path, stream: str = STREAM) -> Path:
    return state / f"{file_name(stream)}.json"


def content(state: Path, stream: str = STREAM) -> dict[str, Any]:
    return json.loads(path_of(state, stream).read_bytes())


def spell(claim: Claim, clock: Watch, ended: float, slot: int = 1, *, holds: bool = True) -> None:
    claim.began(slot)
    clock.move_to(ended)
    claim.ended(slot, holds=holds)


def test_first_reader_knows_of_no_end(take) -> None:
    """A stream that was never read here may be asked for at once."""
    assert take(Watch()).last_end(1) is None


def test_each_slot_has_its_end(take) -> None:
    """Within a process a slot counts from its own last connection."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0, slot=1)
    spell(claim, clock, 1020.0, slot=2)
    claim.release()
    again = take(clock)
    assert [again.last_end(slot) for slot in (1, 2, 3)] == [1010.0, 1020.0, None]


def test_streams_are_apart(take) -> None:
    """What one stream's connection did says nothing of another stream."""
    clock = Watch()
    spell(take(clock), clock, 1010.0)
    assert take(clock, "livestream.adobe.net/other").last_end(1) is None


def test_memory_is_the_same_for_clocks_of_any_rate(take) -> None:
    """Ten real seconds ago are a thousand service seconds ago at a hundredfold rate."""
    clock = Watch(rate=2.0)
    claim = take(clock)
    spell(claim, clock, 1010.0)
    assert claim.last_end(1) == 2020.0
    claim.release()
    fast = Watch(rate=100.0, now=1020.0)
    assert fast.monotonic() - take(fast).last_end(1) == pytest.approx(1000.0)


def test_next_process_counts_from_the_end(take, monkeypatch) -> None:
    """After a clean stop, every slot of the next process counts from the last end."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0, slot=2)
    spell(claim, clock, 1020.0, slot=1)
    claim.release()
    forget(monkeypatch)
    successor = take(Watch(rate=10.0, now=1030.0))
    assert [successor.last_end(slot) for slot in (1, 7)] == pytest.approx([10_200.0] * 2)


def test_next_process_may_have_another_monotonic_clock(take, monkeypatch) -> None:
    """What is handed on does not depend on when the machine was started."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0)
    claim.release()
    forget(monkeypatch)
    rebooted = Watch(now=5.0)
    monkeypatch.setattr(Watch, "wall", lambda _: EPOCH + 1030.0)
    assert take(rebooted).last_end(1) == pytest.approx(5.0 - 20.0)


def test_killed_process_ended_an_interval_after_its_last_word(take, monkeypatch) -> None:
    """Without an end, the successor counts from the last refresh plus one interval."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    clock.move_to(1005.0)
    claim.refresh()
    die(claim, monkeypatch)
    clock.move_to(1050.0)
    assert take(clock).last_end(1) == pytest.approx(1010.0)


def test_killed_process_did_not_end_in_the_future(take, monkeypatch) -> None:
    """A process killed a moment ago ended now at the latest."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    die(claim, monkeypatch)
    clock.move_to(1002.0)
    assert take(clock).last_end(1) == pytest.approx(1002.0)


def test_forked_child_of_a_killed_owner(take) -> None:
    """Who was forked while a connection was open does not take its parent's record for its own."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    claim._let_go()
    clock.move_to(1050.0)
    assert take(clock).last_end(1) == pytest.approx(1005.0)


def test_end_never_moves_back(take, state: Path) -> None:
    """A record with an earlier end, of a machine whose clock is behind, shortens no wait."""
    clock = Watch()
    state.mkdir()
    path_of(state).write_bytes(b"?")
    take(clock).release()
    found = {"stream": STREAM, "host": "h", "pid": 1, "open": False, "interval": 5.0}
    path_of(state).write_text(json.dumps(found | {"seen": EPOCH + 900.0}))
    assert take(clock).last_end(1) == 1000.0


def test_killed_before_its_first_request(take, monkeypatch) -> None:
    """A process that only waited leaves the end that it found."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0)
    claim.release()
    for _ in range(2):
        forget(monkeypatch)
        waiting = take(clock)
        clock.move_to(clock.now + 10.0)
        die(waiting, monkeypatch)
    assert take(clock).last_end(1) == pytest.approx(1010.0)


def test_request_is_on_disk_before_it_is_sent(take, state: Path) -> None:
    """Once began() returns, a successor would know of the request."""
    claim = take(Watch())
    claim.began(1)
    assert content(state) == {
        "stream": STREAM,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "open": True,
        "seen": EPOCH + 1000.0,
        "interval": 5.0,
    }


def test_refresh_writes_while_something_is_open(take, state: Path) -> None:
    """Every refresh moves the last word on; none is written once nothing is open any more."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    claim.began(2)
    clock.move_to(1005.0)
    claim.ended(1, holds=True)
    claim.refresh()
    assert (content(state)["open"], content(state)["seen"]) == (True, EPOCH + 1005.0)
    clock.move_to(1006.0)
    claim.ended(2, holds=True)
    clock.move_to(1010.0)
    claim.refresh()
    assert (content(state)["open"], content(state)["seen"]) == (False, EPOCH + 1006.0)
    before = path_of(state).stat().st_ino
    claim.refresh()
    assert path_of(state).stat().st_ino == before


def test_end_writes_nothing_by_itself(take, state: Path) -> None:
    """ended() touches no file, since it is called where nothing may block."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0)
    assert content(state)["open"]
    claim.release()
    assert not content(state)["open"]


def test_request_that_held_nothing_leaves_the_end_before(take, state: Path) -> None:
    """A host that could not be reached has no ghost: the earlier end still counts."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0)
    spell(claim, clock, 1020.0, holds=False)
    claim.refresh()
    assert claim.last_end(1) == 1010.0
    assert content(state)["seen"] == EPOCH + 1010.0


def test_nothing_ever_held(take, monkeypatch) -> None:
    """Requests that held nothing leave the stream free for the next process."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0, holds=False)
    claim.release()
    forget(monkeypatch)
    assert take(clock).last_end(1) is None


def test_release_ends_what_is_open(take) -> None:
    """A slot whose end nobody told counts as held until the release."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    clock.move_to(1030.0)
    claim.release()
    assert take(clock).last_end(1) == 1030.0


def test_released_claim_writes_no_more(take, state: Path) -> None:
    """What a late refresh or request says of a claim that was let go reaches no file."""
    clock = Watch()
    claim = take(clock)
    spell(claim, clock, 1010.0)
    claim.release()
    successor = take(clock)
    successor.began(1)
    before = content(state)
    clock.move_to(1020.0)
    claim.ended(1, holds=True)
    claim.refresh()
    claim.began(2)
    claim.release()
    assert content(state) == before


@pytest.mark.parametrize("open_", [False, True])
def test_time_in_the_future_counts_as_now(take, state: Path, monkeypatch, open_: bool) -> None:
    """A clock that was set back makes nobody wait for hours."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    claim._let_go() if open_ else claim.release()
    forget(monkeypatch)
    clock.move_to(400.0)
    successor = take(clock)
    assert successor.last_end(1) == 400.0
    assert content(state)["seen"] == EPOCH + 400.0


@pytest.mark.parametrize(
    "found",
    [
        b"",
        b"{",
        b"\xff\x00",
        b'{"hello": 1}',
        b'{"stream":"other","host":"h","pid":1,"open":false,"seen":1.0,"interval":5.0}',
        f'{{"stream":"{STREAM}","host":"h","pid":1,"open":true,"seen":1,"interval":-5}}'.encode(),
        f'{{"stream":"{STREAM}","host":"h","pid":1,"open":true,"seen":null,"interval":5}}'.encode(),
    ],
)
def test_unreadable_state_counts_as_ended_now(take, state: Path, found: bytes) -> None:
    """Who cannot know when the stream was last read waits the whole cooldown, once."""
    state.mkdir()
    path_of(state).write_bytes(found)
    clock = Watch()
    assert take(clock).last_end(1) == 1000.0
    assert content(state)["seen"] == EPOCH + 1000.0


@pytest.mark.parametrize(("rate", "interval"), [(1.0, 5.0), (50.0, 5.0), (600.0, 60.0)])
def test_interval(take, state: Path, rate: float, interval: float) -> None:
    """Five service seconds, and never more than ten writes a real second."""
    claim = take(Watch(rate))
    assert claim.interval == interval
    assert content(state)["interval"] == pytest.approx(interval / rate)


def test_live_holder_is_named(state: Path) -> None:
    """A stream that another process reads is refused with host, process id and the override."""
    with Other() as other:
        other.ask(f"globals().update(claim=Claim.take({STREAM!r}, clock))")
        with pytest.raises(StreamBusy) as refused:
            Claim.take(STREAM, Clock())
        message = str(refused.value)
        for part in (STREAM, f"Process {other.process.pid} ", socket.gethostname(), "exclusive="):
            assert part in message
        other.ask("claim.release()")
        Claim.take(STREAM, Clock()).release()


def test_second_claim_of_one_process(take) -> None:
    """A process is not told that some other process is in its way when it is itself."""
    take(Watch())
    with pytest.raises(StreamBusy, match=rf"^This process \({os.getpid()}\) already reads"):
        take(Watch())


def test_holder_without_a_name(take, state: Path) -> None:
    """A held stream is refused although nobody can read who holds it."""
    take(Watch())
    path_of(state).write_bytes(b"?")
    with pytest.raises(StreamBusy, match=r"^Another process already reads"):
        take(Watch())


def test_beside_another_owner(take, state: Path, monkeypatch) -> None:
    """exclusive=False reads beside a live owner, remembers its own ends, and writes nothing."""
    clock = Watch()
    owner = take(clock)
    owner.began(1)
    before = content(state)
    forget(monkeypatch)
    beside = take(clock, exclusive=False)
    assert beside.last_end(1) is None
    spell(beside, clock, 1010.0)
    beside.refresh()
    beside.release()
    assert beside.last_end(1) == 1010.0
    assert content(state) == before


def test_override_without_another_owner(take, state: Path) -> None:
    """exclusive=False on a free stream is a claim like any other."""
    take(Watch(), exclusive=False).began(1)
    assert content(state)["open"]
    with pytest.raises(StreamBusy):
        take(Watch())


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this platform")
def test_sigkill(take) -> None:
    """The successor of a process killed by SIGKILL counts from its last refresh."""
    with Other() as other:
        other.ask(f"globals().update(claim=Claim.take({STREAM!r}, clock))")
        other.ask("claim.began(1)")
        before = time.monotonic()
        other.ask("claim.refresh()")
        after = time.monotonic()
        os.kill(other.process.pid, signal.SIGKILL)
        other.process.wait()
        earliest = time.monotonic()
        claim = take(Clock())
        latest = time.monotonic()
        low, high = min(earliest, before + claim.interval), min(latest, after + claim.interval)
        assert low - 0.01 <= claim.last_end(1) <= high + 0.01


def test_race(state: Path) -> None:
    """Of processes that claim a stream at once, one has it and names itself to the others."""
    with Other() as first, Other() as second, Other() as third:
        racers = (first, second, third)
        for _ in range(4):
            for racer in racers:
                racer.say(f"globals().update(claim=Claim.take({STREAM!r}, clock))")
            answers = {racer: racer.hear() for racer in racers}
            winners = [racer for racer, answer in answers.items() if answer == "None"]
            assert len(winners) == 1
            named = [f"Process {winners[0].process.pid} " in text for text in answers.values()]
            assert named.count(True) == 2
            winners[0].ask("claim.release()")


def test_interleaved_owners(state: Path) -> None:
    """Over 200 turns of two processes, while old state is cleared away, never two are inside."""
    state.mkdir()
    with Other(ROUNDS, STREAM, "a", "100") as first, Other(ROUNDS, STREAM, "b", "100") as second:
        for program in (first, second):
            program.say("go")
        assert [first.hear(), second.hear()] == ["done", "done"]
    turns = (state / "turns").read_text()
    assert len(turns) == 200
    assert turns.count("ab") > 90


def test_removed_lock_file_locks_nothing(take, state: Path, monkeypatch) -> None:
    """Who locks a file that was cleared away under it locks the one in its place instead."""
    flock = pytest.importorskip("fcntl").flock
    lock = path_of(state).with_suffix(".lock")

    with monkeypatch.context() as once:

        def late(fd: int, operation: int) -> None:
            once.undo()
            lock.unlink()
            flock(fd, operation)

        once.setattr("fcntl.flock", late)
        take(Watch())
    with pytest.raises(StreamBusy):
        take(Watch())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this platform")
def test_fork(take, state: Path) -> None:
    """A forked child neither writes, nor lets go, nor holds on to what its parent claimed."""
    with Other(FORK, STREAM) as parent:
        child = int(parent.greeting)
        try:
            assert content(state)["pid"] == parent.process.pid
            assert content(state)["open"]
            with pytest.raises(StreamBusy):
                take(Clock())
            parent.kill()
            take(Clock())
        finally:
            os.kill(child, signal.SIGKILL)


def test_no_directory(take, state: Path) -> None:
    """Where no state can be kept, one warning says what is lost, and memory still serves."""
    state.write_text("a file in its place")
    clock = Watch()
    with pytest.warns(RuntimeWarning, match=r"known to this process only.*LIVESTREAM_NB_STATE"):
        claim = take(clock)
    spell(claim, clock, 1010.0)
    claim.refresh()
    claim.release()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert take(clock).last_end(1) == 1010.0


@pytest.mark.parametrize("error", [NotImplementedError("no locks"), OSError(errno.ENOLCK, "none")])
def test_no_locks(take, monkeypatch, error: Exception) -> None:
    """A file system without locks serves as one that keeps no state."""

    def refuse(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(FileLock, "acquire", refuse)
    with pytest.warns(RuntimeWarning, match=type(error).__name__):
        assert take(Watch()).last_end(1) is None


def test_unwritable_directory(take, state: Path) -> None:
    """A directory that can be locked but not written is let go of again, with the warning."""
    path_of(state).with_suffix(".new").mkdir(parents=True)
    with pytest.warns(RuntimeWarning, match="No state can be kept"):
        take(Watch())
    path_of(state).with_suffix(".new").rmdir()
    with Other() as other:
        assert other.ask(f"Claim.take({STREAM!r}, clock).release()") == "None"


def test_disk_full(take, state: Path, caplog) -> None:
    """A write that fails later is told once in the log, and made good by a later refresh."""
    clock = Watch()
    claim = take(clock)
    blocked = path_of(state).with_suffix(".new")
    blocked.mkdir()
    with caplog.at_level(logging.WARNING, "livestream_nb"):
        spell(claim, clock, 1010.0)
        claim.refresh()
    assert [record.name for record in caplog.records] == ["livestream_nb"]
    assert STREAM in caplog.text
    assert content(state)["seen"] is None
    blocked.rmdir()
    claim.refresh()
    assert content(state)["seen"] == EPOCH + 1010.0


def test_file_held_open_elsewhere(take, state: Path, monkeypatch) -> None:
    """A record that cannot be replaced just now (Windows) is replaced by a later refresh."""
    clock = Watch()
    with monkeypatch.context() as scanner:

        def refuse(*_: object) -> None:
            raise PermissionError(errno.EACCES, "being scanned")

        scanner.setattr(Path, "replace", refuse)
        claim = take(clock)
        assert not path_of(state).exists()
    claim.refresh()
    assert content(state)["stream"] == STREAM


def test_end_during_a_write_is_no_failure(take, state: Path, monkeypatch, caplog) -> None:
    """An end that comes while a refresh writes is written by the next, without a complaint."""
    clock = Watch()
    claim = take(clock)
    claim.began(1)
    replace = Path.replace

    def slow(path: Path, target: Path) -> Path:
        claim.ended(1, holds=True)
        return replace(path, target)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(Path, "replace", slow)
        claim.refresh()
    assert content(state)["open"]
    claim.refresh()
    assert not content(state)["open"]
    assert not caplog.records


def test_old_state_is_cleared_away(take, state: Path) -> None:
    """A stream that nobody has read for a day leaves nothing; younger and held ones stay."""
    for stream in ("old", "young"):
        Claim.take(stream, Clock()).release()
    take(Clock(), "held")
    for stream in ("old", "held"):
        os.utime(path_of(state, stream), (time.time() - DAY - 60,) * 2)
    take(Clock(), "new")
    names = {path.name for path in state.iterdir()}
    assert names == {
        f"{file_name(stream)}{kind}"
        for stream in ("young", "held", "new")
        for kind in (".json", ".lock")
    }


def test_state_in_use_again_is_not_cleared_away(take, state: Path) -> None:
    """A stream that was read while its state was being cleared keeps what was written then."""
    Claim.take(STREAM, Clock()).release()
    Store(state, STREAM).clear(time.time())
    assert path_of(state).exists()
    Store(state, STREAM).clear(time.time() + DAY + 60)
    assert not path_of(state).exists()


def test_files_of_others_are_not_cleared_away(take, state: Path) -> None:
    """However old, a file that no claim has written stays where it is."""
    state.mkdir()
    Claim.take("old", Clock()).release()
    copied = path_of(state, "old").read_bytes()
    files = {"package.json": b"{}", "copy.json": copied, "list.json": b"[1]", "x.txt": b""}
    for name, found in files.items():
        (state / name).write_bytes(found)
        os.utime(state / name, (0, 0))
    take(Clock(), "new")
    assert {name: (state / name).read_bytes() for name in files} == files


def test_directory_is_read_when_a_claim_is_taken(take, tmp_path: Path, monkeypatch) -> None:
    """LIVESTREAM_NB_STATE may change between claims, and may be relative or begin with ~."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LIVESTREAM_NB_STATE", "here")
    claim = take(Watch())
    monkeypatch.chdir("/")
    claim.began(1)
    assert content(tmp_path / "here")["open"]
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("LIVESTREAM_NB_STATE", "~/there")
    assert state_directory() == tmp_path / "there"


@pytest.mark.parametrize("unset", [True, False])
def test_directory_of_the_platform(monkeypatch, unset: bool) -> None:
    """Without LIVESTREAM_NB_STATE, or with an empty one, the platform's place is used."""
    if unset:
        monkeypatch.delenv("LIVESTREAM_NB_STATE")
    else:
        monkeypatch.setenv("LIVESTREAM_NB_STATE", "")
    assert state_directory() == Path(user_state_dir("livestream_nb", appauthor=False))


@pytest.mark.parametrize(
    ("stream", "readable"),
    [
        (STREAM, "livestream.adobe.net_my-stream"),
        ("127.0.0.1:43123/demo", "127.0.0.1_43123_demo"),
        ("../../etc/passwd", "etc_passwd"),
        ('a<b>"c"|?*\\d', "a_b_c_d"),
        ("con", "con"),
        ("ß 流", "stream"),
        ("x" * 500, "x" * 60),
    ],
)
def test_file_names(stream: str, readable: str) -> None:
    """A file's name shows the stream, and no file system takes offence at it."""
    name = file_name(stream)
    assert name.rpartition("-")[0] == readable
    assert len(name) <= 80


def test_file_names_differ() -> None:
    """Streams that look alike to a file system have files of their own."""
    streams = ["a/b", "a:b", "A/b", "a_b", "x" * 80, "x" * 81]
    assert len({file_name(stream).lower() for stream in streams}) == len(streams)


def test_wall_time_has_no_rate() -> None:
    """Clocks of all rates agree on the wall's time."""
    assert Clock(1000.0, origin=0.0).wall() == pytest.approx(time.time(), abs=5.0)


def test_release_may_be_repeated(take) -> None:
    """A claim that is let go twice does not let go of its successor's."""
    claim = take(Watch())
    claim.release()
    take(Watch())
    claim.release()
    with pytest.raises(StreamBusy):
        take(Watch())
