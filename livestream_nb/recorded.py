"""A recording as a notebook meets it: the questions of a reader, answered from a folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Self

from livestream_nb.checks import time_zone
from livestream_nb.clock import Clock
from livestream_nb.errors import InvalidOption
from livestream_nb.history import History, moment_at, timeline_of
from livestream_nb.recording.content import Content
from livestream_nb.recording.status import RecordingStatus
from livestream_nb.status import Status, status_of_recording
from livestream_nb.views import Views, begin_drawing, expect_a_look

if TYPE_CHECKING:
    from livestream_nb.dashboard.view import Dashboard


class Recording(History, Views):
    """What a reader has recorded: asked like the reader, and lazily.

    Opening it needs no connection, and loads no hits. When nobody records there, what a killed
    process left in the spool is sealed; else the spool is only read.

    Parameters
    ----------
    path : str or Path
        The folder that ``record_to=`` was given.
    tz : str
        The time zone that views and reports show. Frames are in UTC.

    Raises
    ------
    RecordingError
        When there is no recording, or it cannot be read.

    Notes
    -----
    A killed process costs nothing that it had received. A power cut can cost the last second: so
    often the spool is synced to the disk.
    """

    def __init__(self, path: str | Path, *, tz: str = "UTC") -> None:
        if not isinstance(path, str | Path):
            raise InvalidOption.value("path", path, "give the folder of a recording")
        self.tz = time_zone(tz).key
        self._content = Content(Path(path).expanduser().absolute())
        self._looking = RLock()
        self._following = False
        self._dashboard: Dashboard | None = None
        expect_a_look()

    @property
    def path(self) -> Path:
        """The recording's folder."""
        return self._content.folder.path

    @property
    def name(self) -> str:
        """The stream's name."""
        return self._content.about.name

    @property
    def mask(self) -> dict[str, Any] | None:
        """How values were masked before they were recorded; None: they were not."""
        return self._content.about.mask

    @property
    def clock(self) -> Clock:
        """The clock of the reader that recorded last."""
        return self._content.about.clock

    def follow(self) -> Self:
        """From now on keep up with what is recorded: each question looks what came since.

        It costs the recording process nothing, and no connection: any number of notebooks may
        follow one recording.
        """
        self._following = True
        return self

    def stop(self) -> None:
        """Stay with what is known now."""
        with self._looking:
            self._following = False

    def start(self) -> Self:
        """The same as :meth:`follow`."""
        return self.follow()

    @contextmanager
    def _asked(self) -> Iterator[Content]:
        """The content for one question: what other threads ask waits meanwhile."""
        with self._looking:
            if self._following:
                self._content.look()
            yield self._content

    @property
    def status(self) -> Status:
        """How the recording is doing, as a reader's status."""
        with self._asked() as content:
            live, sums = self._is_live, content.sums()
            missed = sum(each.hits for each in content.missed())
            state = "recording" if content.written else "stopped"
            told = RecordingStatus(self.path, state, self._told(live), sums.hits, missed)
            return status_of_recording(
                timeline_of(content).entries(),
                sums,
                told,
                now=self._now.timestamp(),
                live=live,
                connections=content.about.connections,
            )

    def _told(self, live: bool) -> str:
        if live:
            return f"Followed while it is recorded to {self.path}."
        if self._content.written:
            return "A recording that goes on, as it was when it was looked at: see follow()."
        return "A recording; nobody records to it now."

    def dashboard(self) -> "Dashboard":
        """The view of this recording: live while it is followed; needs a notebook with widgets."""
        begin_drawing()
        from livestream_nb.dashboard.view import Dashboard

        if self._dashboard is None or self._dashboard.ended:
            self._dashboard = Dashboard(self)
        return self._dashboard

    def close(self) -> None:
        """Let go of the folder, and remove the view from the page."""
        self.stop()
        if self._dashboard is not None:
            self._dashboard.close()
        self._content.tail.close()

    def _repr_mimebundle_(self, **_: object) -> dict[str, Any]:
        from livestream_nb.dashboard.view import shown

        return shown(self)

    def __repr__(self) -> str:
        if not hasattr(self, "_content"):  # a traceback may show one that could not be opened
            return "<Recording, not opened>"
        status = self.status
        doing = f"followed, {status.state}" if self._following else "as it was when looked at"
        return (
            f"<Recording {self.name} in {self.path}: {doing}, {status.hits:,} hits, "
            f"{status.duplicates:,} duplicates, {status.quarantined:,} quarantined>"
        )

    @property
    def _is_live(self) -> bool:
        return self._following and self._content.is_written()

    @property
    def _now(self) -> datetime:
        return moment_at(self.clock.utc() if self._is_live else self._content.alive())

    @property
    def _end(self) -> datetime:
        return self._now

    @property
    def _grain(self) -> float:
        return 0.3 * self.clock.rate

    def _facts(self) -> dict[str, str]:
        status = self.status
        about = self._content.about
        mask = "none" if about.mask is None else f"with the key {about.mask['key']}"
        made = {"columns": ", ".join(about.columns), "mask": mask, "made by": about.version}
        return {"state": status.state, "reason": status.reason, **status.counted(), **made}
