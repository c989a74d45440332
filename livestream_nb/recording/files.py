"""Files that are written whole or not at all, and stay written when the power goes."""

import os
from contextlib import suppress
from pathlib import Path
from shutil import disk_usage

from livestream_nb.errors import LivestreamError

ASIDE = ".aside"
UNWRITABLE = (OSError, NotImplementedError)
"""What a folder raises that cannot be made, written or locked."""


def said(error: Exception) -> str:
    """What the system said, in its words."""
    return getattr(error, "strerror", None) or str(error)


def told(error: Exception, path: Path) -> str:
    """What is in the way of writing to a folder, and what to do, in a sentence."""
    if isinstance(error, LivestreamError):
        return str(error)
    return f"{path} cannot be written to ({said(error)}): make room, or give the right to write."


def write(path: Path, content: bytes | memoryview) -> None:
    """Write a file aside, sync it, and put it in its place: there is never half of it.

    Raises
    ------
    OSError
        When that is not possible; then nothing is left of it, and nothing that was there is lost.
    """
    aside = path.with_name(path.name + ASIDE)
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError:
        with suppress(OSError):
            aside.unlink()
        raise
    sync_folder(path.parent)


def free_room(path: Path) -> int:
    """How many bytes are free where a folder is, or will be.

    Raises
    ------
    OSError
        When that cannot be told.
    """
    return disk_usage(next(each for each in (path, *path.parents) if each.exists())).free


def make_folder(path: Path) -> None:
    """Make a folder for good, and those that it is in.

    Raises
    ------
    OSError
        When that is not possible.
    """
    if not path.is_dir():
        make_folder(path.parent)
        path.mkdir(exist_ok=True)
        sync_folder(path.parent)


def sync_file(path: Path) -> None:
    """Have the system write a file to the disk, if it is there."""
    with suppress(FileNotFoundError), path.open("r+b") as file:
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Have the system write a folder's names to the disk, where it can."""
    with suppress(PermissionError):  # Windows opens no folders
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
