"""tests/benchmarks/lab.py: what the README says of the lab's speed can be measured anew."""

from pathlib import Path

from tests.benchmarks import lab

README = Path(__file__).parents[1] / "README.md"


def test_every_row_has_a_figure() -> None:
    """The benchmark measures all that it names, and the README has each row."""
    found = lab.measure(lab.Sizes(rounds=1, hours=1.0, seeds=1, hasty=1.0))
    assert list(found) == list(lab.WORDS)
    assert all(any(character.isdigit() for character in figure) for figure in found.values())
    said = README.read_text("utf-8")
    assert [words for words in lab.WORDS if f"\n{words} " not in said] == []
