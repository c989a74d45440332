"""A thread for what must not hold up an event loop. It never keeps the interpreter alive."""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import TypeVar

T = TypeVar("T")


NICE = 19


class Worker:
    """Performs jobs one after the other, in the order they were given, on a daemon thread.

    Parameters
    ----------
    name : str
        The thread's.
    yields : bool
        Whether all other threads go first, where the system knows that of threads (Linux).
    """

    def __init__(self, name: str, *, yields: bool = False) -> None:
        self._yields = yields
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Give a job; it is done whether or not anyone waits for its result."""
        done: Future[T] = Future()
        done.set_running_or_notify_cancel()  # from now on it cannot be cancelled
        self._jobs.put(lambda: _perform(job, done))
        return done

    async def run(self, job: Callable[[], T]) -> T:
        """Wait for a job's result; cancelling ends the waiting, and the job is still done."""
        return await asyncio.wrap_future(self.submit(job))

    def close(self) -> None:
        """Let the thread end once its jobs are done."""
        self._jobs.put(None)

    def join(self) -> None:
        """Wait until its jobs are done, once it was closed."""
        self._thread.join()

    def _work(self) -> None:
        if self._yields and sys.platform == "linux":
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        while (job := self._jobs.get()) is not None:
            job()


def _perform(job: Callable[[], T], done: Future[T]) -> None:
    try:
        result = job()
    except Exception as error:  # noqa: BLE001  # carried over to whoever waits
        done.set_exception(error)
    else:
        done.set_result(result)
