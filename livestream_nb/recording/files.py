"""Files that are written whole or not at all, and stay written when the power goes."""

import os
from contextlib import suppress
from pathlib import Path

ASIDE = ".aside"
UNWRITABLE = (OSError, NotImplementedError)
"""What a folder raises that cannot be made, written or locked."""


def said(error: Exception) -> str:
    """What the system said, in its words."""
    return getattr(error, "strerror", None) or str(error)


def write(path: Path, content: bytes) -> None:
    """Write a file aside, sync it, and put it in its place: there is never half of it."""
    aside = path.with_name(path.name + ASIDE)
    with aside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    settle(aside, path)


def settle(aside: Path, path: Path) -> None:
    """Put a file that was written and synced in its place, for good."""
    aside.replace(path)
    sync_folder(path.parent)


def sync_folder(path: Path) -> None:
    """Have the system write a folder's names to the disk, where it can."""
    with suppress(PermissionError):  # Windows opens no folders
        opened = os.open(path, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)
