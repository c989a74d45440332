"""connection/watch.py, in virtual time"""

from livestream_nb.connection.watch import Moment, Watch
from livestream_nb.protocol.status import Cause


class Look:
    """A watch that is looked at each second; wall time may run ahead, and bytes may come."""

    def __init__(self, stall_after: float | None = None, rate: float = 1.0) -> None:
        self.now = self.heard = 1000.0
        self.ahead = 0.0
        self.watch = Watch(self.moment(), stall_after, rate)

    def moment(self) -> Moment:
        return Moment(self.now, 5e8 + self.now + self.ahead, self.heard)

    def after(self, seconds: float, *, hears: bool = False) -> tuple[Cause, float] | None:
        self.now += seconds
        if hears:
            self.heard = self.now
        return self.watch.look(self.moment())

    def seconds(self, count: int) -> list[tuple[Cause, float] | None]:
        """What is seen that is something, in so many seconds."""
        return [seen for _ in range(count) if (seen := self.after(1)) is not None]


def test_quiet_is_no_error() -> None:
    """Without a limit a silent connection is left alone for ever."""
    assert Look().seconds(10_000) == []


def test_stalled_once() -> None:
    """With a limit its silence is told once, when it has lasted so long; it is never given up."""
    assert Look(stall_after=90).seconds(89) == []
    assert Look(stall_after=90).seconds(5_000) == [(Cause.SILENT, 90.0)]


def test_bytes_end_a_stall() -> None:
    """When bytes come again that is told, and the next silence counts anew."""
    look = Look(stall_after=90)
    look.seconds(100)
    assert look.after(1, hears=True) == (Cause.HEARD, 11.0)
    assert look.seconds(89) == []
    assert look.seconds(1) == [(Cause.SILENT, 90.0)]


def test_a_jump_makes_doubtful() -> None:
    """Wall time that runs ahead by half a minute or more is a suspend; less is a correction."""
    look = Look()
    look.ahead = 29.0
    assert look.after(1) is None
    look.ahead += 3600.0
    assert look.after(1) == (Cause.SUSPENDED, 3600.0)
    assert look.after(1) is None


def test_a_late_look_makes_doubtful() -> None:
    """Where monotonic time goes on during a sleep, as on Windows, the late look tells."""
    assert Look().after(3600) == (Cause.SUSPENDED, 3600.0)


def test_a_clock_that_is_set_back() -> None:
    """Wall time that goes back is no suspend."""
    look = Look()
    look.ahead = -7200.0
    assert look.after(1) is None


def test_doubtful_and_alive() -> None:
    """Bytes after a suspend show that the connection lives."""
    look = Look()
    look.ahead = 3600.0
    look.after(1)
    assert look.after(1, hears=True) == (Cause.HEARD, 1.0)
    assert look.seconds(1_000) == []


def test_a_doubt_that_was_settled() -> None:
    """A connection that proved alive is stalled by a later silence, and not given up."""
    look = Look(stall_after=90)
    look.ahead = 3600.0
    look.after(1)
    look.after(1, hears=True)
    assert look.seconds(1_000) == [(Cause.SILENT, 90.0)]


def test_doubtful_and_dead() -> None:
    """Two minutes of silence after a suspend mean that the connection is lost."""
    look = Look(stall_after=30)
    look.ahead = 3600.0
    look.after(1)
    assert look.seconds(119) == []
    assert look.after(1) == (Cause.DROPPED, 120.0)


def test_real_seconds() -> None:
    """Jump and doubt are real seconds, whatever the clock's rate; the limit is service time."""
    look = Look(stall_after=90, rate=600.0)
    look.ahead = 10_000.0
    assert look.seconds(90) == [(Cause.SILENT, 90.0)]
    look.ahead += 20_000.0
    assert look.after(1) == (Cause.SUSPENDED, 20_000.0)
    assert [look.after(7_200) for _ in range(9)] == [None] * 9
    assert look.after(7_200) == (Cause.DROPPED, 72_000.0)
