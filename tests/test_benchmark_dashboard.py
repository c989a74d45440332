"""benchmarks/dashboard.py: all of it once, as little as can be; nothing is timed."""

from math import isfinite

import pytest

from tests.benchmarks.costs import Sizes, lines, report, rows
from tests.benchmarks.dashboard import measure
from tests.lab import needs_browser

pytestmark = [pytest.mark.browser, needs_browser]

TINY = Sizes(
    seconds=90,
    updates=3,
    watched=0.3,
    warm=1,
    grown=2,
    paints=1,
    reruns=1,
    theirs=1,
    theirs_grown=1,
    calm=3,
    peers=("JupyterChart",),
)


def test_every_row_has_a_figure(capsys: pytest.CaptureFixture[str]) -> None:
    """In a real JupyterLab, the live view and a peer are shown, updated and measured."""
    figures = measure(TINY)
    found = {what: value for what, value, _, _ in lines(figures)}
    for name, costs, times in rows(figures):
        found |= {f"{name}: {what}": value for what, value in costs.items()}
        found |= {f"{name}, in ours: {what}": value for what, value in times.items()}
    assert [what for what, value in found.items() if not isfinite(value)] == []
    assert list(figures.shown) == ["the live view", "JupyterChart"]
    report(figures)
    said = capsys.readouterr().out
    assert all(name in said for name in figures.shown)
