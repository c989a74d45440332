"""livestream_nb.recording.sealer"""

from collections.abc import Iterator
from errno import ENOSPC
from pathlib import Path
from threading import Semaphore, Thread

import pytest

from livestream_nb.recording import sealer as module
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.sealer import MOST_WAITING, Sealer
from livestream_nb.recording.segment import Segment
from livestream_nb.recording.spool import Writer
from tests.plain import until

SOON = 30.0


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Semaphore:
    """Lets a segment be sealed each time it is released."""
    gate = Semaphore(0)
    monkeypatch.setattr(module, "seal", lambda *_, raw: gate.acquire())
    return gate


@pytest.fixture
def sealer(gate: Semaphore, tmp_path: Path) -> Iterator[Sealer]:
    made = Sealer(Folder(tmp_path), raw=True)
    yield made
    gate.release(2 * MOST_WAITING)
    made.close()


def give(sealer: Sealer, path: Path, numbers: range) -> None:
    for number in numbers:
        sealer.give(Writer(path / f"{number}"), Segment(number, {}))


def test_some_segments_may_wait(sealer: Sealer, tmp_path: Path) -> None:
    """Whoever brings them goes on, though none is sealed."""
    give(sealer, tmp_path, range(MOST_WAITING))


def test_with_one_more_whoever_brings_it_waits_until_one_is_sealed(
    sealer: Sealer, gate: Semaphore, tmp_path: Path
) -> None:
    """It goes on then, though the others wait still."""
    give(sealer, tmp_path, range(MOST_WAITING))
    giver = Thread(target=give, args=(sealer, tmp_path, range(MOST_WAITING, MOST_WAITING + 1)))
    giver.start()
    gate.release()
    giver.join(SOON)
    assert not giver.is_alive()


def test_what_cannot_be_sealed_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing can be sealed, segments beyond those that may wait are left in the spool."""
    tried: list[int] = []

    def refuse(_: Folder, segment: Segment, *, raw: bool) -> None:
        tried.append(segment.number)
        raise OSError(ENOSPC, "No space left on device")

    monkeypatch.setattr(module, "seal", refuse)
    sealer = Sealer(Folder(tmp_path), raw=True)
    give(sealer, tmp_path, range(1))
    until(lambda: sealer.trouble)
    give(sealer, tmp_path, range(1, 3 * MOST_WAITING))
    sealed: list[int] = []
    monkeypatch.setattr(module, "seal", lambda _, segment, raw: sealed.append(segment.number))
    sealer.close()
    assert set(tried) == {0}
    assert sealed == list(range(MOST_WAITING + 1))
    assert all((tmp_path / f"{number}").exists() for number in range(3 * MOST_WAITING))
