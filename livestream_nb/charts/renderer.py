"""Pictures are drawn by a process of their own: V8 starts beside what else there is to do.

Drawing takes a second at first and some tenths later; in the kernel's process no other thread would
run meanwhile. Where that process cannot be started, or has ended, it is done here all the same.
"""

import atexit
import os
import subprocess
import sys
from contextlib import suppress
from functools import cache
from threading import Lock
from typing import IO

from livestream_nb.charts import painter


class Renderer:
    """Draws in a process that is begun once; where it is gone, it draws here."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._gone = False
        atexit.register(self.close)

    def begin(self) -> None:
        """Begin the process, if there is none; returns at once."""
        with self._lock, suppress(OSError):
            self._begun()

    def draw(self, spec: str) -> bytes:
        """Return a Vega specification (JSON) as a PNG."""
        with self._lock:
            try:
                return self._ask(spec.encode())
            except OSError:
                self._gone = True
                self._end()
            except BaseException:
                self._end()
                raise
        return painter.painted(spec)

    def close(self) -> None:
        """End the process, if there is one; the next picture begins another."""
        with self._lock:
            self._end()

    def _ask(self, spec: bytes) -> bytes:
        process = self._begun()
        if process.stdin is None or process.stdout is None:
            raise BrokenPipeError
        process.stdin.write(painter.LENGTH.pack(len(spec)) + spec)
        process.stdin.flush()
        head = _read(process.stdout, painter.LENGTH.size)
        return _read(process.stdout, *painter.LENGTH.unpack(head))

    def _begun(self) -> subprocess.Popen[bytes]:
        if self._gone:
            raise BrokenPipeError
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-P", painter.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        with suppress(OSError), process:
            pass


def _read(answers: IO[bytes], size: int) -> bytes:
    """So many bytes; `BrokenPipeError` when the process has ended before them."""
    read = answers.read(size)
    if len(read) < size:
        raise BrokenPipeError
    return read


def renderer() -> Renderer:
    """The one of this process: one that was forked has another."""
    return _of(os.getpid())


@cache
def _of(_: int) -> Renderer:
    return Renderer()
