"""``livestream-nb demo --lab``: JupyterLab, opened on the quickstart."""

import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from shutil import copyfile

from rich.console import Console

from livestream_nb.errors import InvalidOption

FOLDER = "livestream-notebooks"
FIRST = "01-quickstart.ipynb"

console = Console(highlight=False, soft_wrap=True)


def open_lab(folder: Path) -> int:
    """Copy the notebooks to this folder, those that are not there yet, and open the first.

    Returns
    -------
    int
        JupyterLab's exit code, once it is closed.

    Raises
    ------
    InvalidOption
        When JupyterLab is not installed, or the folder cannot be written to.
    """
    if find_spec("jupyterlab") is None:
        right = "JupyterLab is not installed: pip install 'livestream_nb[lab]'"
        raise InvalidOption.value("lab", True, right)
    _copy(folder)
    console.print(f"The notebooks are in {folder}; what you change there stays. Ctrl-C ends it.")
    command = [sys.executable, "-m", "jupyterlab", str(folder / FIRST)]
    with subprocess.Popen(command) as lab:  # noqa: S603  # nothing of it comes from elsewhere
        while lab.returncode is None:
            with suppress(KeyboardInterrupt):  # JupyterLab has it too, and asks whether it is meant
                lab.wait()
    return lab.returncode


def _copy(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for notebook in sorted(_notebooks().glob("*.ipynb")):
            if not (folder / notebook.name).exists():
                copyfile(notebook, folder / notebook.name)
    except OSError as error:
        right = f"change to a folder that can be written to ({error.strerror})"
        raise InvalidOption.value("lab", str(folder), right) from None


def _notebooks() -> Path:
    """Where they are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    inside = package / "notebooks"
    return inside if inside.exists() else package.parent / "notebooks"
