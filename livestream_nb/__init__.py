"""Adobe Analytics Livestream in a notebook.

``Reader`` keeps a stream's hits in polars frames and stays connected the way Livestream wants it;
``Simulator`` is a Livestream of your own, to try everything without credentials.
"""

from typing import TYPE_CHECKING

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import BearerToken, ServerToServer
from livestream_nb.errors import LivestreamError
from livestream_nb.hit_files import read_hits
from livestream_nb.hits.keep import Keep
from livestream_nb.policy import ReconnectPolicy
from livestream_nb.reader import Reader
from livestream_nb.recorded import Recording

if TYPE_CHECKING:
    from livestream_nb.embedded import Simulator
    from livestream_nb.lab import Lab

__version__ = "0.1.0"

__all__ = [
    "BearerToken",
    "Clock",
    "Keep",
    "Lab",
    "LivestreamError",
    "Reader",
    "ReconnectPolicy",
    "Recording",
    "ServerToServer",
    "Simulator",
    "__version__",
    "read_hits",
]


def __getattr__(name: str) -> object:
    # A third of all that there is to load, and many a reader never meets either.
    if name == "Simulator":
        from livestream_nb.embedded import Simulator

        return Simulator
    if name == "Lab":
        from livestream_nb.lab import Lab

        return Lab
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
