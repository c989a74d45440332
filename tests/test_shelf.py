"""dashboard/shelf.py: of a stream, the views that live, and one at rest"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from livestream_nb.dashboard import shelf


@dataclass(eq=False)
class View:
    """A view whose reader is in this state, and what became of it."""

    state: str = "stopped"
    ended: bool = False
    closed: bool = False
    told: list[str] = field(default_factory=list)

    @property
    def reader(self) -> SimpleNamespace:
        return SimpleNamespace(status=SimpleNamespace(state=self.state))

    def close(self) -> None:
        self.told.append("close")
        self.ended = self.closed = True

    def rest(self) -> None:
        self.told.append("rest")
        self.ended = True


@pytest.fixture(autouse=True)
def empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "_views", {})
    monkeypatch.setattr(shelf, "_latest", {})


def put(*views: View, key: str = "demo") -> list[list[str]]:
    for view in views:
        shelf.put(key, view)
    return [view.told for view in views]


@pytest.mark.parametrize("state", ["stopped", "failed"])
def test_the_last_that_ended_rests(state: str) -> None:
    """A view whose reader has ended rests when the next one comes; one that rested before goes."""
    views = [View(state), View(state), View(state)]
    assert put(*views) == [["rest", "close"], ["rest"], []]
    assert shelf._views["demo"] == views[1:]


@pytest.mark.parametrize("state", ["connecting", "streaming", "stalled", "cooldown"])
def test_what_lives_stays(state: str) -> None:
    """The view of a reader that reads, or waits, is left alone, and takes no one's place."""
    assert put(View(), View(state), View(), View()) == [["rest", "close"], [], ["rest"], []]


def test_a_view_at_rest_counts_whatever_its_reader_does() -> None:
    """A view at rest stays as it is when its reader is started again, until the next one rests."""
    first, second = View(), View()
    put(first, second)
    first.state = "streaming"
    put(View())
    assert (first.told, second.told) == (["rest", "close"], ["rest"])


def test_a_closed_view_takes_no_place() -> None:
    """What was closed by hand is neither laid to rest nor closed again."""
    first, second = View(), View()
    put(first, second)
    second.closed = second.ended = True
    put(View("streaming"))
    assert (first.told, second.told) == (["rest"], [])
    assert second not in shelf._views["demo"]


def test_streams_do_not_disturb_each_other() -> None:
    """Views of another stream are none of this one's."""
    first, other = View(), View()
    put(first)
    put(other, key="other")
    assert (first.told, other.told) == ([], [])
    assert (shelf.last("demo"), shelf.last("other"), shelf.last("new")) == (first, other, None)


def test_the_view_that_was_made_last_is_known() -> None:
    """Also a view that is gone tells what its viewer chose."""
    first, second = View(), View()
    put(first, second)
    second.close()
    assert shelf.last("demo") is second
