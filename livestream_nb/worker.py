"""A thread for what must not hold up an event loop. It never keeps the interpreter alive."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


class Worker:
    """Performs jobs one after the other, in the order they were given, on a daemon thread."""

    def __init__(self, name: str) -> None:
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    async def run(self, job: Callable[[], T]) -> T:
        """Wait for a job's result; cancelling ends the waiting, and the job is still done."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[T] = loop.create_future()
        self._jobs.put(lambda: _perform(job, loop, done))
        return await done

    def close(self) -> None:
        """Let the thread end once its jobs are done."""
        self._jobs.put(None)

    def join(self) -> None:
        """Wait until its jobs are done, once it was closed."""
        self._thread.join()

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            job()


def _perform(
    job: Callable[[], T], loop: asyncio.AbstractEventLoop, done: asyncio.Future[T]
) -> None:
    try:
        result = job()
    except Exception as error:  # noqa: BLE001  # carried over to whoever waits
        _tell(loop, done, partial(done.set_exception, error))
    else:
        _tell(loop, done, partial(done.set_result, result))


def _tell(
    loop: asyncio.AbstractEventLoop, done: asyncio.Future[T], settle: Callable[[], None]
) -> None:
    with suppress(RuntimeError):  # nobody waits any more when the loop has ended
        loop.call_soon_threadsafe(lambda: None if done.done() else settle())
