"""The fault matrix: all that can happen to a reader, on real sockets, held against the truth.

One table drives it. Each row says what is done and what is expected; `tests/matrix.py` plays it and
checks the same claims for every row. Service time runs 120 times as fast as real time, and the
policy is the default one.
"""

import gzip
import signal
import socket
import threading
from collections.abc import Callable
from itertools import chain, repeat
from typing import Any

import pytest

from livestream_nb import Clock, ReconnectPolicy
from livestream_nb.connection import watch
from livestream_nb.errors import StreamFailed
from livestream_nb.hits.intake import Intake
from tests.matrix import SOON, Row, Scene, play
from tests.plain import until
from tests.scripted import HEAD, chunk, hits, hold, lines, record, refuse, stream

Story = Callable[[Scene], object]

STREAMING = "streaming:opened:200"
OPEN = f"connecting:asked {STREAMING}"
AGAIN = f"connecting:waited {STREAMING}"
LOST = f"{OPEN} cooldown:dropped"
DAMAGED = f"{OPEN} cooldown:corrupt"
BACK = f"{LOST} {AGAIN}"
REFUSED = "(cooldown:refused:409 connecting:waited )"
HELD = "(connecting:waited cooldown:refused:409 |cooldown:queued )"
QUEUED = f"cooldown:queued {OPEN}"
COVERED = ("covered",)
LATE = ("(uncertain)?",)  # told when a connection comes three minutes after the first one
OPEN_GAP = ("uncertain|likely lost",)
EVERY_KIND = 6
REAL = {"clock": Clock()}


def meanwhile(verb: str, *given: Any, **named: Any) -> Story:
    """Read, have the simulator do something, and read on."""

    def story(scene: Scene) -> None:
        scene.read()
        getattr(scene.sim, verb)(*given, **named)
        scene.more().wait(hits=scene.reader.status.hits + 500, timeout=SOON)

    return story


def lost_by(verb: str, *given: Any, **named: Any) -> Story:
    """Read, have the simulator end the connection, and be back."""

    def story(scene: Scene) -> None:
        scene.read()
        getattr(scene.sim, verb)(*given, **named)
        scene.opened(2)
        scene.more()

    return story


def lost_while(verb: str, *given: Any, lost: str = "drop", **named: Any) -> Story:
    """Read, have something begin and the connection end, and be back when all is well again."""

    def story(scene: Scene) -> None:
        scene.read()
        getattr(scene.sim, verb)(*given, **named)
        getattr(scene.sim, lost)()
        scene.opened(2)
        scene.more()

    return story


def redirected_badly(to: str) -> Story:
    """Read, and be redirected to where the token must not go when coming back."""

    def story(scene: Scene) -> None:
        scene.read()
        scene.sim.redirect(to)
        scene.sim.drop()
        scene.reached("failed:misdirected")

    return story


def redirected_well(scene: Scene) -> None:
    scene.sim.redirect("second")
    lost_by("drop")(scene)


def silence(scene: Scene) -> None:
    """Nothing at all for ten minutes, and then hits again."""
    scene.read()
    scene.sim.go_quiet(600)
    until(lambda: (scene.reader.status.silent_for or 0) > 500, SOON)
    scene.more()


def churn_trap(scene: Scene) -> None:
    """The ghost of this scenario outlives the cooldown: it is met once, and no more."""
    scene.start()
    scene.opened(2)
    scene.more()


def churning_neighbour(scene: Scene) -> None:
    """Another client connects again and again until the service answers everybody 503."""
    scene.read()
    assert [scene.client().status for _ in range(3)][-1] == 503
    scene.sim.drop(ghost=0)
    scene.opened(2)
    scene.more()


def another_reader(scene: Scene) -> None:
    """Another consumer is refused, later takes the place of a lost connection, and goes."""
    scene.read()
    assert scene.client().status == 409
    scene.pass_time(61)
    scene.more()
    scene.sim.drop(ghost=0)
    other = scene.client()
    while scene.count("cooldown:refused") < 2:
        assert other.read()
    other.close()
    scene.opened(2)
    scene.more()


def brief_neighbour(scene: Scene) -> None:
    """Another consumer takes the place of a lost connection, and is gone at the second attempt."""
    scene.read()
    scene.pass_time(61)
    scene.sim.drop(ghost=0)
    other, since = scene.client(), scene.clock.monotonic()
    while scene.clock.monotonic() < since + 100:
        assert other.read()
    other.close()
    scene.opened(2)
    scene.more()


def uneven_connections(scene: Scene) -> None:
    """A consumer with another maxConnections keeps the reader out, and is then kept out itself."""
    other = scene.client(connections=2)
    scene.start()
    scene.reached("cooldown:refused")
    other.close()
    scene.opened(1)
    scene.more()
    assert scene.client(connections=2).status == 409
    scene.more()


def one_of_three(scene: Scene) -> None:
    """One of three slots is lost, and comes back, while the others read on."""
    scene.start()
    scene.opened(3)
    scene.more()
    scene.sim.drop(connection=2)
    scene.opened(4)
    scene.more()


def three_ghosts(scene: Scene) -> None:
    """All of three slots are lost, and their ghosts outlive the cooldown: one attempt meets one."""
    scene.start()
    scene.opened(3)
    scene.more()
    scene.sim.drop(ghost=80)
    scene.opened(6)
    scene.more()
    assert scene.count("refused") == 1


def taken_slot(scene: Scene) -> None:
    """Another consumer has one of three slots, and later leaves it."""
    other = scene.client(connections=3)
    scene.start()
    scene.reached("cooldown:refused")
    scene.more()
    other.close()
    scene.opened(3)
    scene.more()


def stale_token(scene: Scene) -> None:
    """The first token has expired before it is sent."""
    stale = scene.sim.token
    scene.sim.expire_tokens()
    tokens = chain([stale], repeat(scene.sim.token))
    scene.read(token=lambda: next(tokens))


def expired_while_open(scene: Scene) -> None:
    """A token's end does not end an open stream."""
    scene.read(credentials=scene.credentials(), token=None)
    scene.sim.expire_tokens()
    scene.more()


def ended_at_expiry(scene: Scene) -> None:
    """The token expires, and its connection ends with it: `expire_tokens` and `drop`."""
    scene.read(credentials=scene.credentials(), token=None)
    scene.sim.expire_tokens()
    scene.sim.drop()
    scene.opened(2)
    scene.more()


def no_token_at_first(scene: Scene) -> None:
    scene.sim.fail_tokens(10)
    scene.read(credentials=scene.credentials(), token=None)


def token_service_down(scene: Scene) -> None:
    """The token expires while the token service fails, and the connection ends."""
    scene.read(credentials=scene.credentials(), token=None)
    scene.sim.expire_tokens()
    scene.sim.fail_tokens(90)
    scene.sim.drop()
    scene.opened(2)
    scene.more()


def slow_consumer(scene: Scene) -> None:
    """Digesting stands still until receiving has to pause."""
    go_on, take = threading.Event(), Intake.take

    def slow(*given: Any, **named: Any) -> Any:
        go_on.wait(SOON)
        return take(*given, **named)

    scene.patch.setattr(Intake, "take", slow)
    scene.start()
    until(lambda: scene.reader.status.behind, SOON)
    go_on.set()
    until(lambda: not scene.reader.status.behind, SOON)
    scene.more()


def arrived(scene: Scene) -> None:
    """Let all that the scripted service has arrive."""
    scene.start().wait(hits=len(scene.row.ids), state="streaming", timeout=SOON)


def blanks(scene: Scene) -> None:
    """Records come, and every one is empty."""
    scene.start().wait(state="streaming", timeout=SOON)
    until(lambda: scene.reader._session.heard, SOON)
    heard = scene.reader._session.heard
    until(lambda: scene.reader._session.heard > heard, SOON)
    assert scene.reader.status.silent_for is not None


def hostile_names(scene: Scene) -> None:
    """Every name comes as it was sent."""
    arrived(scene)
    assert scene.reader.hits()["pageName"].to_list() == NAMES


def interrupted(scene: Scene) -> None:
    """Ctrl-C ends a wait() to which nothing comes, and nothing else."""
    scene.read()
    scene.sim.go_quiet(60)
    waiting, here = scene.reader._session._listeners, threading.get_ident()
    # Programs that a shell runs in the background ignore Ctrl-C.
    scene.at_end(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
    signal.signal(signal.SIGINT, signal.default_int_handler)

    def interrupt() -> None:
        until(lambda: waiting, SOON)
        signal.pthread_kill(here, signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        scene.reader.wait(hits=10**9, timeout=SOON)
    thread.join()
    scene.more()


class Jumping(Clock):
    """A clock whose wall time can be set."""

    ahead = 0.0

    def utc(self) -> float:
        return super().utc() + self.ahead


def jump(scene: Scene, seconds: float) -> None:
    """Set wall time, by so many service seconds."""
    scene.patch.setattr(Jumping, "ahead", seconds)


def read_by_a_jumping_clock(scene: Scene) -> None:
    scene.read(clock=Jumping(scene.clock.rate, scene.clock.origin))


def jumps_ahead(scene: Scene) -> None:
    """As after a sleep that the connection survived."""
    read_by_a_jumping_clock(scene)
    jump(scene, 10_000)
    scene.reached("streaming:heard")
    scene.more()


def set_back(scene: Scene) -> None:
    read_by_a_jumping_clock(scene)
    jump(scene, -10_000)
    scene.more()


def half_open(scene: Scene) -> None:
    """After the jump nothing comes by the old connection any more."""
    scene.patch.setattr(watch, "DOUBT", 0.2)
    read_by_a_jumping_clock(scene)
    scene.sim.stall(10_000)
    until(lambda: (scene.reader.status.silent_for or 0) > 20, SOON)
    jump(scene, 10_000)
    scene.opened(2)
    scene.more()


def paused(scene: Scene) -> None:
    """stop(), and start() at once."""
    scene.read().stop()
    scene.reader.start()
    scene.opened(2)
    scene.more()


def asked_for(scene: Scene) -> None:
    """Wait for the first request."""
    scene.start()
    until(lambda: scene.script.requests, SOON)


def until_state(state: str, times: int = 1) -> Story:
    def story(scene: Scene) -> None:
        scene.start()
        scene.reached(state, times)

    return story


def while_token_is_fetched(scene: Scene) -> None:
    asked, release = threading.Event(), threading.Event()
    scene.at_end(release.set)

    def token() -> str:
        asked.set()
        release.wait(SOON)
        return "late"

    scene.start(token=token)
    assert asked.wait(SOON)


def until_failed(scene: Scene) -> None:
    with pytest.raises(StreamFailed):
        scene.start().wait(hits=1, timeout=SOON)


def stopped(scene: Scene) -> None:
    arrived(scene)
    scene.reader.stop()


def packed(*records: dict | bytes) -> bytes:
    return gzip.compress(lines(*records))


def blank_records(connection: socket.socket, _: str) -> None:
    """Empty records without end."""
    connection.sendall(HEAD)
    packer = gzip.compress(b"\r\n")
    while True:
        connection.sendall(chunk(packer))
        threading.Event().wait(0.01)


def plain_text(text: bytes) -> Callable[[socket.socket, str], None]:
    """A 200 that is no gzip at all."""

    def answer(connection: socket.socket, _: str) -> None:
        length = b"Content-Length: %d\r\n" % len(text)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + length + b"\r\n" + text)

    return answer


NAMES = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\u202eevil\u2066 bidi\u2069",
    "\x1b[2J\x1b]0;title\x07 bell \x00 nul \x7f",
    "line\nbreak\r\nand\u2028separators\u2029\x85\x0b",
    "{name:%s} {0} $(touch x) `x` =cmd|' /C calc'!A0",
    "\U0001f469\u200d\U0001f4bb\ufeff",
    "x" * 1_000_000,
    "",
]
WORDS = "\x1b[31m<b>no</b>\u202e\r\nwait canary".encode()
ERROR = b'{"error":"Internal Server Error","error_description":"The stream was interrupted."}'

BURST = stream(packed(*(record(n, pageName="x" * 1_000) for n in range(4_000))))

MATRIX = [
    Row("clean end", lost_by("drop"), BACK, COVERED, duplicates=1),
    Row(
        "clean end after a burst that is not repeated",
        arrived,
        BACK,
        ("covered",),
        script=(BURST, hits(4000, end="hold")),
        ids=tuple(range(4001)),
    ),
    Row("cut in the middle of a chunk", lost_by("cut"), BACK, COVERED, duplicates=1, quarantined=1),
    Row("TCP reset", lost_by("reset"), BACK, COVERED, duplicates=1),
    Row("corrupt gzip", lost_by("corrupt"), f"{DAMAGED} {AGAIN}", COVERED, duplicates=1),
    Row("second gzip member", meanwhile("new_member"), OPEN, service={"records_per_member": 7}),
    Row("sliced bytes", meanwhile("slice", 60), OPEN),
    Row("silence", silence, OPEN, service={"speed": 300}),
    Row(
        "silence that is watched",
        meanwhile("stall", 200),
        f"{OPEN} stalled:silent streaming:heard",
        reader={"policy": ReconnectPolicy(stall_after=60)},
    ),
    Row("blank records only", blanks, OPEN, script=(blank_records,)),
    Row(
        "ghost slot",
        lost_by("drop", ghost=80),
        f"{LOST} connecting:waited {REFUSED}{STREAMING}",
        COVERED,
        duplicates=1,
    ),
    Row(
        "churn trap",
        churn_trap,
        f"{LOST} connecting:waited {REFUSED}{STREAMING}",
        COVERED,
        duplicates=1,
        service={"scenario": "churn-trap"},
    ),
    Row(
        "a neighbour that churns",
        churning_neighbour,
        f"{LOST} (connecting:waited cooldown:unavailable:503 )?{AGAIN}",
        COVERED,
        company=True,
    ),
    Row(
        "two readers",
        another_reader,
        f"{LOST} connecting:waited {REFUSED}{{2,3}}{STREAMING}",
        OPEN_GAP,
        loses="taken",
        company=True,
    ),
    Row(
        "two readers, the other one briefly",
        brief_neighbour,
        f"{LOST} connecting:waited {REFUSED}{STREAMING}",
        OPEN_GAP,
        loses="taken",
        company=True,
        service={"notice": 5, "speed": 60},
    ),
    Row(
        "uneven maxConnections",
        uneven_connections,
        f"connecting:asked {REFUSED}+{STREAMING}",
        company=True,
    ),
    Row(
        "partial fleet: one of three is lost",
        one_of_three,
        (OPEN, BACK.replace("connecting:asked", "cooldown:queued connecting:asked", 1), QUEUED),
        COVERED,
        duplicates=1,
        reader={"connections": 3},
    ),
    Row(
        "the whole fleet meets its ghosts",
        three_ghosts,
        tuple(f"({QUEUED}|{OPEN}) cooldown:dropped {HELD}*{AGAIN}" for _ in range(3)),
        ("covered|uncertain",) * 3,
        duplicates=1,
        reader={"connections": 3},
    ),
    Row(
        "partial fleet: another consumer has one of three",
        taken_slot,
        (
            OPEN,
            QUEUED,
            f"cooldown:queued connecting:asked {REFUSED}+{STREAMING}",
        ),
        LATE,
        reader={"connections": 3},
        company=True,
    ),
    Row(
        "migration",
        lost_while("migrate", 90),
        f"{LOST} connecting:waited cooldown:unavailable:503 {AGAIN}",
        COVERED,
        duplicates=1,
    ),
    Row(
        "migration that says how long",
        lost_while("migrate", 180, retry_after=True),
        f"{LOST} connecting:waited cooldown:unavailable:503 {AGAIN}",
        ("covered|uncertain",),
        duplicates=1,
    ),
    Row(
        "token expired at connect", stale_token, f"connecting:asked connecting:renewed {STREAMING}"
    ),
    Row("token expires while the stream is open", expired_while_open, OPEN),
    Row(
        "token expiry as text mid-stream, packed",
        arrived,
        BACK,
        COVERED,
        duplicates=1,
        quarantined=1,
        script=(
            stream(packed(record(1), b"not authorized")),
            hits(1, 2, end="hold"),
        ),
        ids=(1, 2),
    ),
    Row(
        "token expiry as text mid-stream, bare",
        arrived,
        f"{DAMAGED} {AGAIN}",
        COVERED,
        duplicates=1,
        script=(stream(packed(record(1)), b"not authorized"), hits(1, 2, end="hold")),
        ids=(1, 2),
    ),
    Row(
        "end at the token's expiry",
        ended_at_expiry,
        f"{LOST} connecting:waited connecting:renewed {STREAMING}",
        COVERED,
        duplicates=1,
    ),
    Row(
        "token service down at first",
        no_token_at_first,
        f"connecting:asked cooldown:tokenless (connecting:waited cooldown:tokenless )*{AGAIN}",
    ),
    Row(
        "token service down after a loss",
        token_service_down,
        f"{LOST} connecting:waited connecting:renewed cooldown:tokenless "
        f"(connecting:waited cooldown:tokenless )*{AGAIN}",
        COVERED,
        duplicates=1,
    ),
    Row("good redirect", redirected_well, BACK, COVERED, duplicates=1),
    *(
        Row(
            f"{to} redirect",
            redirected_badly(to),
            f"{LOST} connecting:waited failed:misdirected",
            OPEN_GAP,
            final="failed",
        )
        for to in ("foreign", "downgraded", "loop")
    ),
    Row("duplicates while reading", meanwhile("duplicate", 200), OPEN, duplicates=100),
    Row("reordering", meanwhile("reorder", 200), OPEN),
    Row(
        "long outage",
        lost_while("refuse", 502, seconds=350, lost="reset"),
        f"{LOST} (connecting:waited cooldown:failing:502 )+{AGAIN}",
        ("likely lost",),
        loses="expired",
        service={"speed": 240},
    ),
    Row("slow consumer", slow_consumer, OPEN, service={"rate": 50.0}),
    Row("bad records of every kind", meanwhile("malform"), OPEN, quarantined=EVERY_KIND),
    Row(
        "JSON error in a 200, packed",
        arrived,
        BACK,
        COVERED,
        quarantined=1,
        duplicates=1,
        script=(stream(packed(record(1), ERROR)), hits(1, 2, end="hold")),
        ids=(1, 2),
    ),
    Row(
        "JSON error in a 200, bare",
        arrived,
        f"{DAMAGED} {AGAIN}",
        ("covered",),
        script=(plain_text(ERROR), hits(1, 2, end="hold")),
        ids=(1, 2),
    ),
    Row("drift", meanwhile("drift", 120), OPEN),
    Row("gzip bomb", meanwhile("bomb", 100), OPEN, quarantined=1),
    Row(
        "hostile names, and words",
        hostile_names,
        f"connecting:asked cooldown:failing:500 {AGAIN}",
        script=(
            refuse(500, WORDS),
            stream(packed(*(record(n, pageName=name) for n, name in enumerate(NAMES))), end="hold"),
        ),
        ids=tuple(range(len(NAMES))),
    ),
    Row("interrupt", interrupted, OPEN),
    Row("clock jumps ahead", jumps_ahead, f"{OPEN} stalled:suspended streaming:heard"),
    Row("clock is set back", set_back, OPEN),
    Row(
        "half open after a sleep",
        half_open,
        f"{OPEN} stalled:suspended cooldown:dropped {AGAIN}",
        COVERED,
        duplicates=1,
    ),
    Row(
        "stop and start",
        paused,
        f"{OPEN} stopped:asked cooldown:asked {AGAIN}",
        COVERED,
        duplicates=1,
    ),
    Row(
        "stop while connecting",
        asked_for,
        "connecting:asked",
        final="connecting",
        script=(hold,),
        reader=REAL,
    ),
    Row(
        "stop while streaming",
        arrived,
        OPEN,
        script=(hits(1, 2, end="hold"),),
        ids=(1, 2),
        reader=REAL,
    ),
    Row(
        "stop while stalled",
        until_state("stalled"),
        f"{OPEN} stalled:silent",
        final="stalled",
        script=(hits(1, end="hold"),),
        ids=(1,),
        reader={"policy": ReconnectPolicy(stall_after=30)},
    ),
    Row(
        "stop while cooling down",
        until_state("cooldown"),
        LOST,
        OPEN_GAP,
        final="cooldown",
        script=(hits(1),),
        ids=(1,),
        reader=REAL,
    ),
    Row(
        "stop while queued",
        until_state("queued", 2),
        ("connecting:asked", "cooldown:queued", "cooldown:queued"),
        final="cooldown",
        script=(hold,),
        reader=REAL | {"connections": 3},
    ),
    Row(
        "stop while a token is fetched",
        while_token_is_fetched,
        "connecting:asked",
        final="connecting",
        script=(hold,),
    ),
    Row(
        "stop after a failure",
        until_failed,
        "connecting:asked failed:missing:404",
        final="failed",
        script=(refuse(404),),
    ),
    Row(
        "stop once more",
        stopped,
        f"{OPEN} stopped:asked",
        final="stopped",
        script=(hits(1, end="hold"),),
        ids=(1,),
    ),
]


@pytest.mark.parametrize("row", MATRIX, ids=lambda row: row.name)
def test_fault_matrix(row: Row, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens, every claim of the row's line in the table holds."""
    play(row, monkeypatch)
