"""What the slots of one client share in virtual time, and what they have received. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from livestream_nb.lab.queue import Queue
from livestream_nb.lab.record import Receipt, Record
from livestream_nb.lab.world import Flow, Line, Site, World
from livestream_nb.policy import Policy
from livestream_nb.simulator.share import Share


@dataclass
class Stream:
    """What the slots of one client share.

    Attributes
    ----------
    world : World
        The service and all around it.
    policy : Policy
        What to do after a failure; each slot has a state of its own.
    connections : int
        How many slots there are.
    latency : float
        Service seconds from a request to its answer.
    draw : callable
        Picks the moment between a wait's earliest and latest.
    site : Site
        Where the client is.
    record : Record
        What becomes of it.
    connects : int
        Requests so far.
    stale : bool
        Whether its token was not accepted, and it has yet to get another.
    newest : dict of Share to Receipt
        Of each share, what has brought the furthest hits.
    queue : Queue
        Whose turn it is.
    """

    world: World
    policy: Policy
    connections: int
    latency: float
    draw: Callable[[float, float], float]
    site: Site
    record: Record = field(default_factory=Record)
    connects: int = 0
    stale: bool = False
    newest: dict[Share, Receipt] = field(default_factory=dict)
    queue: Queue = field(init=False)

    def __post_init__(self) -> None:
        self.queue = Queue(self.world.agenda, self.connections)

    def account(self, slot: int, opened: float, line: Line) -> None:
        """Put into the record what a connection brought to a slot."""
        for flow in line.flows:
            receipt = _receipt(slot, opened, line.share, flow, self.newest.get(line.share))
            self.record.receipts.append(receipt)
            if line.share not in self.newest or receipt.end >= self.newest[line.share].end:
                self.newest[line.share] = receipt
        line.flows.clear()


def _receipt(slot: int, opened: float, share: Share, flow: Flow, newest: Receipt | None) -> Receipt:
    again = 0 if newest is None else newest.end - flow.first
    repeated = min(max(0, again), flow.end - flow.first)
    since, until = max(flow.since, opened), max(flow.until, opened)
    proof = (newest.slot, newest.opened) if newest is not None and repeated else None
    return Receipt(slot, opened, since, until, share, flow.first, flow.end, repeated, proof)
