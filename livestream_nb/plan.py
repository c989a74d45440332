"""What a reader was asked to do: its options, checked."""

from dataclasses import dataclass

from livestream_nb.clock import Clock
from livestream_nb.connection.credentials import Credentials
from livestream_nb.connection.network import Network
from livestream_nb.hits.columns import Column
from livestream_nb.hits.keep import Keep
from livestream_nb.policy import Policy
from livestream_nb.protocol.request import StreamRequest


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

    def differing(self, other: "Plan") -> list[str]:
        """The options that are not the same; who is let in, which way, and chance are left out."""
        mine, others = self.options(), other.options()
        return [name for name in mine if mine[name] != others[name]]

    def options(self) -> dict[str, object]:
        """What two readers must agree on to share a stream, by name."""
        compared = ("policy", "clock", "columns", "keep", "dedupe")
        return vars(self.request) | {name: getattr(self, name) for name in compared}
