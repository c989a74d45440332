"""What a reader was asked to do: its options, checked."""

from dataclasses import dataclass
from pathlib import Path

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import Credentials
from livestream_nb.connection.network import Network
from livestream_nb.hits.columns import Column
from livestream_nb.hits.keep import Keep
from livestream_nb.masking import Mask
from livestream_nb.policy import Policy
from livestream_nb.protocol.request import StreamRequest
from livestream_nb.recording.about import About
from livestream_nb.recording.folder import Folder
from livestream_nb.recording.recorder import Recorder


@dataclass(frozen=True)
class Plan:
    """Everything that decides how a stream is read, and what of it is kept."""

    request: StreamRequest
    credentials: Credentials
    network: Network
    policy: Policy
    clock: Clock
    seed: int | None
    columns: tuple[Column, ...]
    keep: Keep
    dedupe: int
    exclusive: bool
    record_to: Path | None = None
    raw: bool = True
    mask: Mask | None = None

    def recorder(self) -> Recorder | None:
        """What records the stream, if it is to be recorded."""
        if self.record_to is None:
            return None
        from livestream_nb import __version__

        about = About(
            stream=self.request.key,
            name=self.request.name,
            columns=[column.name for column in self.columns],
            raw=self.raw,
            mask=None if self.mask is None else self.mask.described,
            rate=self.clock.rate,
            origin=self.clock.origin,
            connections=self.request.connections,
            version=__version__,
        )
        return Recorder(Folder(self.record_to), about, self.dedupe, self.clock)

    def differing(self, other: "Plan") -> list[str]:
        """The options that are not the same; who is let in, which way, and chance are left out."""
        mine, others = self.options(), other.options()
        return [name for name in mine if mine[name] != others[name]]

    def options(self) -> dict[str, object]:
        """What two readers must agree on to share a stream, by name."""
        compared = ("policy", "clock", "columns", "keep", "dedupe", "record_to", "raw", "mask")
        return vars(self.request) | {name: getattr(self, name) for name in compared}
