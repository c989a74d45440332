"""Folders that a command is told to write to."""

from pathlib import Path
from tempfile import TemporaryFile

from livestream_nb.errors import InvalidOption


def check_writable(option: str, folder: Path) -> None:
    """Make a folder, and refuse one that cannot be written to."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        right = f"give a folder that can be written to ({error.strerror})"
        raise InvalidOption.value(option, str(folder), right) from None
