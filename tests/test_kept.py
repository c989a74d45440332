"""charts/kept.py: what is slow to make is made once, by whichever process comes first."""

from pathlib import Path

import pytest

from livestream_nb.charts.kept import kept


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "livestream_nb"


def never() -> str:
    raise AssertionError("It is made again.")


def test_is_made_once(cache: Path) -> None:
    """What was made is found again, letter by letter, in one file that says what it is."""
    text = "grün – 日本\n"
    assert kept("note.txt", ("a", "b"), lambda: text) == text
    assert kept("note.txt", ("a", "b"), never) == text
    (file,) = cache.iterdir()
    assert file.name.endswith("-note.txt")
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("name", "made_of"),
    [("note.txt", ("a", "c")), ("note.txt", ("ab",)), ("note.txt", ("b", "a")), ("x", ("a", "b"))],
)
def test_of_something_else_is_something_else(name: str, made_of: tuple[str, ...]) -> None:
    """Another name, part or order of the parts is not what was made before."""
    kept("note.txt", ("a", "b"), lambda: "first")
    assert kept(name, made_of, lambda: "second") == "second"
    assert kept("note.txt", ("a", "b"), never) == "first"


def test_is_kept_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no cache folder is named it is the usual one."""
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path))
    kept("note.txt", ("a",), lambda: "made")
    (file,) = (tmp_path / ".cache" / "livestream_nb").iterdir()
    assert file.read_text() == "made"


def test_half_a_file_is_never_found(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file has its name only once it is whole; one that cannot get it costs nothing else."""

    def refuse(part: Path, target: Path) -> None:
        assert part.parent == target.parent
        assert part.read_text() == "made"
        assert not target.exists()
        raise PermissionError

    monkeypatch.setattr(Path, "replace", refuse)
    assert kept("note.txt", ("a",), lambda: "made") == "made"
    assert [file.name for file in cache.iterdir() if file.name.endswith("note.txt")] == []


def test_a_file_that_cannot_be_read_is_made_again(cache: Path) -> None:
    """A text that another program has spoiled is made anew, and then found."""
    kept("note.txt", ("a",), lambda: "made")
    (file,) = cache.iterdir()
    file.write_bytes(b"\xff\xfe\xfd")
    assert kept("note.txt", ("a",), lambda: "made") == "made"
    assert kept("note.txt", ("a",), never) == "made"
