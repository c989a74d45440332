"""Places that have no room, or must not be written to, for as long as a test says so."""

import errno
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65_534
SIZE = 2 * 1024 * 1024


class Disk:
    """A small file system of its own: see :func:`disk`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filling = path / "filling"

    def fill(self, leave: int = 0) -> None:
        """Leave room for so many bytes, in whole pages."""
        with self._filling.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"\0" * 4_096)
            except OSError:
                pass
            file.truncate(max(0, file.tell() - leave))

    def free(self) -> None:
        """Make room again."""
        self._filling.unlink()


class Limit:
    """A limit to the size of every file that this process writes, where nothing may be mounted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill(self, leave: int = 0) -> None:
        """No file becomes longer than that."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (leave, self._before[1]))

    def free(self) -> None:
        """Lift the limit."""
        resource.setrlimit(resource.RLIMIT_FSIZE, self._before)


@contextmanager
def disk(path: Path, size: int = SIZE) -> Iterator[Disk]:
    """A disk of that size; the test is skipped where none can be mounted."""
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here")
    try:
        yield Disk(path)
    finally:
        subprocess.run(["umount", "--lazy", str(path)], check=True)


@contextmanager
def limit(path: Path) -> Iterator[Limit]:
    """A folder whose files can be limited."""
    path.mkdir()
    limited = Limit(path)
    try:
        yield limited
    finally:
        limited.free()


def little_room(patch: pytest.MonkeyPatch, left: int) -> None:
    """As if the disk had room for so many bytes, for whoever writes by ``os``."""
    room, write = [left], os.write

    def limited(file: int, content: bytes) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = write(file, bytes(content)[: room[0]])
        room[0] -= written
        return written

    patch.setattr(os, "write", limited)
    patch.setattr(os, "writev", lambda file, parts: limited(file, b"".join(parts)))


@contextmanager
def plain_folder() -> Iterator[Path]:
    """A folder of that user, in a place that it can reach."""
    path = Path(tempfile.mkdtemp())
    if os.geteuid() == 0:
        os.chown(path, NOBODY, -1)
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def plain_user() -> Iterator[None]:
    """Rights to files count, also when root runs the tests."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
