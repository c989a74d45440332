"""The views of each stream: one that is live, and at most one older at rest.

Someone who stops a reader and makes another one finds the first one's view as it ended. A cell that
is run again and again leaves neither threads nor widgets behind.
"""

from threading import Lock
from typing import TYPE_CHECKING

from livestream_nb.status import ENDED

if TYPE_CHECKING:
    from livestream_nb.dashboard.view import Dashboard

_latest: dict[str, "Dashboard"] = {}
_views: dict[str, list["Dashboard"]] = {}
_lock = Lock()


def put(key: str, latest: "Dashboard") -> None:
    """Take in the latest view of a stream; the one before rests if its reader has ended."""
    with _lock:
        _latest[key] = latest
        views = [view for view in _views.get(key, []) if not view.closed]
        ended = [view for view in views if view.ended or view.reader.status.state in ENDED]
        for view in ended[:-1]:
            view.close()
        for view in ended[-1:]:
            if not view.ended:
                view.rest()
        _views[key] = [view for view in (*views, latest) if not view.closed]


def last(key: str) -> "Dashboard | None":
    """The view that was made last of this stream: someone who runs a cell again wants its like."""
    return _latest.get(key)
