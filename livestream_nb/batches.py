"""Every hit once, in frames, for a pipeline: with a thread or with a coroutine.

There is no queue: each iterator is a place in the reader's buffer. Whoever is slow costs no memory,
and misses what the buffer had to let go before it was asked for: that is counted, and said once.
"""

import asyncio
import threading
import warnings
from collections.abc import Iterable
from functools import partial
from typing import Self

import polars as pl

from livestream_nb.checks import check_count
from livestream_nb.connection.timeline import Phase
from livestream_nb.errors import StreamFailed, WaitTimeout
from livestream_nb.session import Session
from livestream_nb.status import status_of


class _Place:
    def __init__(
        self, session: Session, rows: int = 10_000, columns: str | Iterable[str] | None = None
    ) -> None:
        check_count("rows", rows, "hits")
        self.missed = 0
        self._session = session
        self._buffer = session.intake.buffer
        self._rows = rows
        self._columns = self._buffer.names(columns)
        _, self._next, _ = self._buffer.after(0, 0)
        self._warned = False
        self._ended = False
        if not (session.running or session.timeline.entries()):
            reason = status_of(session).reason
            raise WaitTimeout(f"{reason} There is nothing to wait for: call start() first.")

    def _take(self) -> pl.DataFrame | None:
        """The next rows, without any at the end; None while there are none yet."""
        if self._ended:
            return pl.DataFrame()
        running = self._session.running  # asked first, so that the last rows are in the buffer
        self._buffer.expire(self._session.plan.clock.utc())
        frame, after, missed = self._buffer.after(self._next, self._rows)
        if missed:
            self._tell(missed)
        self._next = after
        self.missed += missed
        if not (frame.height or running):
            self._end()
        return None if running and not frame.height else frame.select(self._columns)

    def _tell(self, missed: int) -> None:
        if self._warned:
            return
        self._warned = True
        text = (
            f"{missed:,} hits left the reader's buffer before this iterator came to them, because "
            "it takes them more slowly than they arrive. Later ones are counted in its missed. "
            "Do less with each batch, or let the reader keep more."
        )
        warnings.warn(text, RuntimeWarning, stacklevel=4)

    def _end(self) -> None:
        status = status_of(self._session)
        if status.state == Phase.FAILED:
            raise StreamFailed(status.reason, cause=status.cause, status=status.http_status)
        self._ended = True

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self._session.plan.request.name}: at hit {self._next:,}, "
            f"{self.missed:,} missed>"
        )


class Batches(_Place):
    """Iterates over the hits of a reader: first those that it holds, then each as it arrives.

    Every hit comes once, in the order of arrival; the next frame is waited for as long as it takes.
    The iteration ends when the reader has been stopped and the rest was given. Each iterator is for
    one thread; there may be several.

    Parameters
    ----------
    session : Session
        The stream being read, or that was.
    rows : int
        Rows of a frame at most; it has at least 1.
    columns : str or iterable of str, optional
        Only these columns.

    Attributes
    ----------
    missed : int
        Hits that the reader had to let go before this iterator came to them. The first time, a
        `RuntimeWarning` says so.

    Raises
    ------
    InvalidOption
        When ``rows`` is not a whole number of at least 1.
    UnknownColumn
        When the reader does not keep such a column.
    WaitTimeout
        When the stream was never started.
    StreamFailed
        By the iteration: when the stream stopped for good, once the rest was given.
    """

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> pl.DataFrame:
        changed = threading.Event()
        unlisten = self._session.listen(changed.set)
        try:
            while (frame := self._take()) is None:
                changed.wait()
                changed.clear()
        finally:
            unlisten()
        if not frame.height:
            raise StopIteration
        return frame


class AsyncBatches(_Place):
    """The same as :class:`Batches` for ``async for``: the event loop stays free meanwhile."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> pl.DataFrame:
        await asyncio.sleep(0)  # while there is always more, others get their turn
        changed = asyncio.Event()
        wake = partial(asyncio.get_running_loop().call_soon_threadsafe, changed.set)
        unlisten = self._session.listen(wake)
        try:
            while (frame := self._take()) is None:
                await changed.wait()
                changed.clear()
        finally:
            unlisten()
        if not frame.height:
            raise StopAsyncIteration
        return frame
