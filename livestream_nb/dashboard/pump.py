"""The one writer: a thread that refreshes a view a few times a second.

Whatever a button asks for is done here too, so that no callback waits and no two threads write to
one widget.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue


class Pump:
    """Runs ``work`` every so many real seconds, and what was asked for at once, until closed."""

    def __init__(self, work: Callable[[], None], every: float) -> None:
        self._work = work
        self._every = every
        self._asked: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="livestream-dashboard", daemon=True)
        self._thread.start()

    def ask(self, action: Callable[[], object]) -> None:
        """Do this next, then refresh; returns at once."""
        self._asked.put(action)

    def close(self) -> None:
        """End the thread; no refresh runs any more once this returns."""
        self._asked.put(None)
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        while (action := self._next()) is not None:
            action()
            self._work()

    def _next(self) -> Callable[[], object] | None:
        try:
            return self._asked.get(timeout=self._every)
        except Empty:
            return _nothing


def _nothing() -> None:
    return
