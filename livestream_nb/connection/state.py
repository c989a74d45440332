"""A stream's state on disk: what the processes of one user leave for each other, and the lock.

One small JSON file per stream, always replaced as a whole, and beside it a lock file. The lock is
the operating system's and goes with its owner, however that ends. A lock file that was removed
while another process waited for it locks nothing: `filelock` looks at the file behind the name
again once it holds the lock, so old state can be cleared away without letting two owners in.
"""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated

from msgspec import Meta, MsgspecError, Struct, json
from platformdirs import user_state_dir

PATIENCE = 0.5
"""Real seconds to try for a lock: one that is only being cleared away is free again long before."""

OLD = 86_400.0
UNUSABLE = (OSError, NotImplementedError)
"""What a directory that cannot be made, written or locked raises."""


class Record(Struct, frozen=True):
    """What is known of a stream's connections, in real seconds. Nothing in it is secret.

    Attributes
    ----------
    stream : str
        The stream's key.
    host, pid : str, int
        Who wrote this.
    open : bool
        Whether a connection was open, or being asked for.
    seen : float or None
        The Unix time until when a slot is known to have been held; None when none was.
    interval : float
        How long after `seen` the writer would have written again while it held a slot.
    """

    stream: str
    host: str
    pid: int
    open: bool
    seen: float | None
    interval: Annotated[float, Meta(ge=0)]

    def end(self, now: float) -> float | None:
        """Until when a slot may have been held, as far as the next owner can tell."""
        if self.seen is None:
            return now if self.open else None
        return min(now, self.seen + self.interval if self.open else self.seen)


class Store:
    """The record and the lock of one stream, in a directory of such."""

    def __init__(self, directory: Path, stream: str) -> None:
        self._stream = stream
        self._path = directory / f"{file_name(stream)}.json"
        self._aside = self._path.with_suffix(".new")
        self._lock_path = self._path.with_suffix(".lock")
        # Loaded when a stream is first read: not everyone who imports the package reads one.
        from filelock import FileLock

        self._lock = FileLock(self._lock_path, thread_local=False, fallback_to_soft=False)

    def acquire(self, patience: float = PATIENCE) -> None:
        """Become the owner, for as long as this process lives or until :meth:`release`.

        Raises
        ------
        TimeoutError
            When another owner holds the lock.
        OSError, NotImplementedError
            When the directory cannot be made, or nothing in it can be locked.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._lock.acquire(timeout=patience, poll_interval=0.02)

    def release(self) -> None:
        """Let the next owner in."""
        self._lock.release()

    def read(self) -> Record | None:
        """The record; None when there is none.

        Raises
        ------
        ValueError
            When the file holds something else.
        OSError
            When it cannot be read.
        """
        try:
            record = _decode(self._path.read_bytes())
        except FileNotFoundError:
            return None
        if record.stream != self._stream:
            raise ValueError("the record of another stream")
        return record

    def write(self, record: Record) -> bool:
        """Replace the record; False when it is held open just now, as scanners on Windows do.

        Raises
        ------
        OSError
            When nothing can be written here.
        """
        self._aside.write_bytes(json.encode(record))
        try:
            self._aside.replace(self._path)
        except PermissionError:
            return False
        return True

    def clear(self, now: float) -> None:
        """Remove the record and the lock if nobody holds it and the record is old even then."""
        with self._owned():
            if now - self._path.stat().st_mtime > OLD and self.read() is not None:
                self._path.unlink()
                self._aside.unlink(missing_ok=True)
                self._lock_path.unlink(missing_ok=True)

    @contextmanager
    def _owned(self) -> Iterator[None]:
        self.acquire(patience=0)
        try:
            yield
        finally:
            self.release()


def clear_away(directory: Path, now: float) -> None:
    """Clear what streams that nobody has read for a day left behind; other files stay."""
    for path in directory.glob("*.json"):
        with suppress(*UNUSABLE, ValueError):
            if now - path.stat().st_mtime > OLD:
                stream = _decode(path.read_bytes()).stream
                Store(directory, stream).clear(now)


def _decode(written: bytes) -> Record:
    try:
        return json.decode(written, type=Record)
    except MsgspecError as error:  # in older versions of msgspec no ValueError
        raise ValueError(str(error)) from None


def state_directory() -> Path:
    """Where state is kept: ``LIVESTREAM_NB_STATE``, or the platform's place for it."""
    chosen = os.environ.get("LIVESTREAM_NB_STATE")
    place = chosen or user_state_dir("livestream_nb", appauthor=False)
    return Path(os.path.expanduser(place)).absolute()  # noqa: PTH111  # an unknown ~user is a name


def file_name(stream: str) -> str:
    """A name that every file system takes, that people recognise, and that no two streams share."""
    readable = re.sub(r"[^A-Za-z0-9.-]+", "_", stream)[:60].strip("._-")
    return f"{readable or 'stream'}-{sha256(stream.encode()).hexdigest()[:12]}"
