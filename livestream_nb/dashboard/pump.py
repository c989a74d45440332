"""The one writer: a thread that refreshes a view a few times a second.

Whatever a button asks for is done here too, so that no callback waits and no two threads write to
one widget.
"""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue


class Pump(threading.Thread):
    """Runs ``work`` every so many real seconds, and what was asked for at once, until closed.

    Parameters
    ----------
    work : callable
        The refresh.
    every : float
        Real seconds between two refreshes.
    failed : callable
        Told the exception that ``work`` or an action has raised; the pump goes on.
    """

    def __init__(
        self, work: Callable[[], None], every: float, failed: Callable[[Exception], None]
    ) -> None:
        super().__init__(name="livestream-dashboard", daemon=True)
        self._work = work
        self._every = every
        self._failed = failed
        self._asked: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._refreshing = threading.RLock()
        self._open = True
        self.start()

    def ask(self, action: Callable[[], object]) -> None:
        """Do this next, then refresh; returns at once."""
        self._asked.put(action)

    def close(self) -> None:
        """End the thread; no refresh runs any more once this returns.

        A pump never waits for another one's action: that may be waiting for its own.
        """
        self._asked.put(None)
        self._open = False
        with self._refreshing:
            pass
        if not isinstance(threading.current_thread(), Pump):
            self.join()

    def run(self) -> None:
        """Do what is asked for, and refresh, until closed."""
        while (action := self._next()) is not None:
            self._try(action)
            with self._refreshing:
                if self._open:
                    self._try(self._work)

    def _try(self, job: Callable[[], object]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001  # a view that stands still would say nothing
            self._failed(error)

    def _next(self) -> Callable[[], object] | None:
        try:
            return self._asked.get(timeout=self._every)
        except Empty:
            return _nothing


def _nothing() -> None:
    return
