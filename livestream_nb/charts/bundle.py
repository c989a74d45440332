"""Vega and the live view's specification, made once: neither altair nor a network is needed then.

Vega's bundle is about 0.9 MB and takes more than a second to make, and importing altair takes
nearly as long, so both are kept for the process and for the next one.
"""

import gzip
import json
from base64 import b64decode, b64encode
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import vl_convert

from livestream_nb.charts.kept import kept


@cache
def bundle(snippet: str) -> str:
    """Return one JavaScript module: Vega, and this script, which finds ``vegaEmbed`` in scope.

    The script must have no imports, and must not name ``vega`` itself.
    """
    return kept(
        "bundle.js",
        (*_versions(), snippet),
        lambda: _bundled(snippet),
    )


@cache
def packed(snippet: str) -> bytes:
    """Return the same module packed by gzip, which is a third as large."""
    text = kept(
        "bundle.gz.txt",
        (*_versions(), snippet),
        lambda: b64encode(gzip.compress(_bundled(snippet).encode(), mtime=0)).decode("ascii"),
    )
    return b64decode(text)


@cache
def live_spec(axis_title: str, connections: int) -> dict[str, Any]:
    """Return :func:`livestream_nb.charts.pictures.live_chart` as a specification of Vega."""
    text = kept(
        "live.json",
        (*_versions(), _source(), axis_title, str(connections)),
        lambda: _live_chart(axis_title, connections),
    )
    spec: dict[str, Any] = json.loads(text)
    return spec


def _bundled(snippet: str) -> str:
    made: str = vl_convert.javascript_bundle(snippet, vl_version=_vega_lite())
    return made


def _live_chart(axis_title: str, connections: int) -> str:
    from livestream_nb.charts.pictures import live_chart

    chart = live_chart(axis_title, connections).to_dict()
    return json.dumps(vl_convert.vegalite_to_vega(chart, vl_version=_vega_lite()))


def _vega_lite() -> str:
    import altair as alt

    return ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])


def _versions() -> tuple[str, str]:
    return version("altair"), version("vl-convert-python")


def _source() -> str:
    """What the charts are made by: another text, another chart."""
    folder = Path(__file__).parent
    return "".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
