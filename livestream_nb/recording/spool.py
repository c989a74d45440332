"""The spool: what was received, as it came, before anything is made of it.

A segment is one file of frames that is only ever appended to. Each frame says how long it is and
carries a checksum, so that whoever reads a segment whose writer was killed, or is at work, takes
whole frames only. A damaged stretch in the middle is passed over, and counted.
"""

import os
import sys
import weakref
from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from struct import Struct
from threading import Lock
from typing import NamedTuple

from isal.isal_zlib import crc32

from livestream_nb.recording.files import sync_folder

MAGIC = b"\xf5LS1"
_HEAD = Struct("<4sIIBBdd")
_AFTER_SUM = 8
HEAD = _HEAD.size
LONGEST = 64 * 1024 * 1024
SUFFIX = ".spool"
AT_ONCE = 16
"""Parts that any system writes in one call; Linux takes 1,024, and refuses more."""
_BINARY = getattr(os, "O_BINARY", 0)


class Kind(IntEnum):
    """What a frame holds."""

    BLOCK = 1
    """Records, one per line."""
    REJECTED = 2
    """A record that was refused before: why (JSON text, then a zero byte), and its bytes."""
    ENTRY = 3
    """A connection enters a state (JSON)."""
    BEAT = 4
    """Nothing: the writer was alive."""
    MISSED = 5
    """What could not be recorded (JSON)."""


class Frame(NamedTuple):
    """One thing that was received, or happened.

    Attributes
    ----------
    kind : Kind
        What ``payload`` is.
    connection : int
        Number of the connection, 0 to 255.
    opened, arrived : float
        When the connection was opened, and when this came: Unix seconds of service time.
    payload : bytes
        What came.
    """

    kind: Kind
    connection: int
    opened: float
    arrived: float
    payload: bytes = b""

    def parts(self) -> tuple[bytes, bytes]:
        """The frame as it stands in a segment, in two parts: no payload is copied."""
        kind, connection, opened, arrived, payload = self
        size = len(payload)
        head = _HEAD.pack(MAGIC, 0, size, kind, connection, opened, arrived)
        checksum = crc32(payload, crc32(head[_AFTER_SUM:]))
        return b"".join((MAGIC, checksum.to_bytes(4, "little"), head[_AFTER_SUM:])), payload


class Writer:
    """Appends frames to a segment: one thread appends, any syncs.

    Parameters
    ----------
    path : Path
        The segment, which must not be there yet.

    Raises
    ------
    OSError
        When the file cannot be made, written or synced; what was appended before stays whole.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        self._torn = False
        self._dirty = False
        self._named = False
        self._open = True
        self._lock = Lock()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o666)

    def append(self, *frames: Frame) -> int:
        """Append frames, all or none of them; return where in the file the first payload begins."""
        parts = [part for frame in frames for part in frame.parts()]
        if self._torn:
            self._cut()
        self._torn = True
        try:
            _write(self._file, parts)
        except OSError:
            self._cut()
            raise
        self._torn = False
        self._dirty = True
        begin = self.size + HEAD
        self.size += sum(map(len, parts))
        return begin

    def _cut(self) -> None:
        """Take back half a frame: what is appended next must follow a whole one."""
        os.ftruncate(self._file, self.size)
        os.lseek(self._file, self.size, os.SEEK_SET)
        self._torn = False

    def sync(self) -> None:
        """Have the system write everything to the disk; nothing happens once it is closed."""
        with self._lock:
            if self._open and self._dirty:
                self._dirty = False
                os.fsync(self._file)
                if not self._named:
                    sync_folder(self.path.parent)
                    self._named = True

    def close(self) -> None:
        """Sync and close; idempotent."""
        try:
            self.sync()
        finally:
            with self._lock:
                if self._open:
                    self._open = False
                    os.close(self._file)


def _write(file: int, parts: list[bytes]) -> None:
    """Write all of it, in one call where the system has that, and there are few parts."""
    written = os.writev(file, parts[:AT_ONCE]) if sys.platform != "win32" else 0
    if written == sum(map(len, parts)):
        return
    rest = memoryview(b"".join(parts))[written:]
    while rest:
        rest = rest[os.write(file, rest) :]


class Reader:
    """Reads a segment's frames, also while it is being written, and after it was removed.

    Parameters
    ----------
    path : Path
        The segment.

    Attributes
    ----------
    damaged : int
        Bytes that were passed over, because they are no frames.

    Raises
    ------
    OSError
        When it cannot be opened or read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = 0
        self._file = path.open("rb", buffering=0)
        self._finalizer = weakref.finalize(self, self._file.close)
        self._at = 0

    def frames(self, *, final: bool = False) -> Iterator[tuple[int, Frame]]:
        """The frames that have come since the last call, each with where its payload begins.

        Parameters
        ----------
        final : bool
            Whether nothing more is to come: then half a frame at the end counts as damage.
        """
        begin = self._at
        data = self._rest()
        at = 0
        while at < len(data):
            found = _frame(data, at)
            if found is None:
                after = _resumed(data, at)
                if after < 0:
                    if final:
                        self.damaged += len(data) - at
                        at = len(data)
                    break
                self.damaged += after - at
                at = after
                continue
            payload = begin + at + HEAD
            at += HEAD + len(found.payload)
            self._at = begin + at
            yield payload, found
        self._at = begin + at

    def _rest(self) -> bytes:
        self._file.seek(self._at)
        return self._file.readall()

    def bytes(self) -> bytes:
        """The whole segment as it is now."""
        self._file.seek(0)
        return self._file.readall()

    def close(self) -> None:
        """Close the file; that happens, too, when nobody refers to this any more."""
        self._finalizer()


def _frame(data: bytes, at: int) -> Frame | None:
    """The frame that begins here; None when none does, or not yet wholly."""
    if len(data) - at < HEAD:
        return None
    magic, checksum, size, kind, connection, opened, arrived = _HEAD.unpack_from(data, at)
    end = at + HEAD + size
    if magic != MAGIC or size > LONGEST or end > len(data):
        return None
    payload = data[at + HEAD : end]
    if crc32(payload, crc32(data[at + _AFTER_SUM : at + HEAD])) != checksum or kind not in KINDS:
        return None
    return Frame(Kind(kind), connection, opened, arrived, payload)


def _resumed(data: bytes, at: int) -> int:
    """Where the next whole frame begins; -1 when there is none."""
    while (at := data.find(MAGIC, at + 1)) >= 0:
        if _frame(data, at) is not None:
            return at
    return -1


KINDS = frozenset(Kind)
