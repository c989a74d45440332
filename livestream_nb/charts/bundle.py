"""Vega, for use without a network: bundled once with the script that uses it.

The bundle is about 0.9 MB and takes more than a second to make, so it is kept for the process and,
where the user's cache folder can be written, for the next one.
"""

import hashlib
import os
import tempfile
from functools import cache
from importlib.metadata import version
from pathlib import Path

import altair as alt
import vl_convert


@cache
def bundle(snippet: str) -> str:
    """Return one JavaScript module: Vega, and this script, which finds ``vegaEmbed`` in scope.

    The script must have no imports, and must not name ``vega`` itself.
    """
    vega_lite = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])
    known = "\0".join((version("vl-convert-python"), vega_lite, snippet))
    path = _folder() / f"{hashlib.sha256(known.encode()).hexdigest()}.js"
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        made = vl_convert.javascript_bundle(snippet, vl_version=vega_lite)
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
