"""What is slow to make and always the same is kept for the next process, in the cache folder."""

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept(name: str, made_of: tuple[str, ...], make: Callable[[], str]) -> str:
    """Return what an earlier call made of the same, or make it.

    Parameters
    ----------
    name : str
        The end of the file's name.
    made_of : tuple of str
        Everything that the text depends on.
    make : callable
        Makes the text.
    """
    digest = hashlib.sha256("\0".join(made_of).encode()).hexdigest()
    path = _folder() / f"{digest[:32]}-{name}"
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        made = make()
    _keep(path, made)
    return made


def _folder() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "livestream_nb"


def _keep(path: Path, text: str) -> None:
    """Write the whole file or none; a folder that cannot be written only costs time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, suffix=".part", delete=False
        ) as part:
            part.write(text)
        Path(part.name).replace(path)
    except OSError:
        return
