"""charts/renderer.py and charts/painter.py: pictures that a process of their own draws."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from livestream_nb import Reader
from livestream_nb.charts import painter
from livestream_nb.charts.painter import painted, repacked
from livestream_nb.charts.renderer import Renderer

BAR = {"type": "rect", "encode": {"enter": {"width": {"value": 50}, "height": {"value": 20}}}}
SPEC = json.dumps({"width": 60, "height": 30, "marks": [BAR], "background": "white"})


@pytest.fixture
def renderer() -> Iterator[Renderer]:
    made = Renderer()
    made.begin()
    yield made
    made.close()


def test_another_process_draws_the_same(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pictures of the other process are those that would be drawn here, one after the other."""
    here = painted(SPEC)
    monkeypatch.setattr(painter, "painted", None)
    assert renderer.draw(SPEC) == renderer.draw(SPEC) == here
    assert repacked(here) == here


def test_an_interrupt_of_the_kernel_does_not_end_it(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGINT goes to all processes of a kernel; the one that draws goes on."""
    monkeypatch.setattr(painter, "painted", None)
    here = renderer.draw(SPEC)
    renderer._process.send_signal(signal.SIGINT)
    assert renderer.draw(SPEC) == here


def test_draws_here_when_the_other_process_is_gone(renderer: Renderer) -> None:
    """When it was killed, this picture and all that follow are drawn here."""
    renderer._process.kill()
    renderer._process.wait()
    assert renderer.draw(SPEC) == renderer.draw(SPEC) == painted(SPEC)
    assert renderer._process is None


def test_draws_here_when_the_other_process_ends_within_an_answer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Half a picture is none: it is drawn here, whole."""
    program = tmp_path / "ends.py"
    half = painter.LENGTH.pack(1_000) + b"half"
    program.write_text(f"import sys; sys.stdin.buffer.read(4); sys.stdout.buffer.write({half})")
    monkeypatch.setattr(painter, "__file__", str(program))
    assert Renderer().draw(SPEC) == painted(SPEC)


def test_draws_here_when_no_other_process_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the program cannot be run, nothing fails."""
    monkeypatch.setattr(sys, "executable", "/no/python")
    renderer = Renderer()
    renderer.begin()
    assert renderer.draw(SPEC) == painted(SPEC)


def test_an_interrupted_picture_is_not_taken_for_the_next(
    renderer: Renderer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever interrupts a picture gets the right one the next time, of a process made anew."""
    first, ask = renderer._process, renderer._ask

    def interrupted(spec: bytes) -> bytes:
        ask(spec)
        raise KeyboardInterrupt

    monkeypatch.setattr(renderer, "_ask", interrupted)
    with pytest.raises(KeyboardInterrupt):
        renderer.draw(SPEC)
    monkeypatch.undo()
    assert first.poll() is not None
    assert renderer.draw(SPEC) == painted(SPEC)
    assert renderer._process is not first


def test_the_program_ends_with_its_input() -> None:
    """When the kernel is gone, however it went, the program ends by itself."""
    program = [sys.executable, "-P", painter.__file__]
    ended = subprocess.run(program, input=b"", capture_output=True, timeout=60, check=True)
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_ends_with_the_kernel() -> None:
    """A process that has drawn ends without a warning, and leaves no other behind."""
    script = (
        "from livestream_nb.charts.renderer import renderer\n"
        f"assert renderer().draw({SPEC!r})\n"
        "print(renderer()._process.pid)"
    )
    program = [sys.executable, "-W", "error", "-c", script]
    ended = subprocess.run(program, capture_output=True, timeout=60, check=True, text=True)
    assert ended.stderr == ""
    with pytest.raises(ProcessLookupError):
        os.kill(int(ended.stdout), 0)


def test_a_notebook_is_ready_to_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a notebook's kernel the process begins with a reader; elsewhere none is begun."""
    begun: list[str] = []
    monkeypatch.setattr(Renderer, "begin", lambda _: begun.append("begun"))
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    Reader("demo", token="t")
    assert begun == []
    monkeypatch.setitem(sys.modules, "ipykernel", sys)
    Reader("demo", token="t")
    assert begun == ["begun"]
