"""What a day came to, in a few numbers. Pure."""

from dataclasses import dataclass, fields

from livestream_nb.clock import duration
from livestream_nb.connection.timeline import Phase
from livestream_nb.lab.record import PHASES, Record
from livestream_nb.lab.traffic import Traffic
from livestream_nb.simulator.share import Share

OPEN = frozenset(PHASES.index(phase) for phase in (Phase.STREAMING, Phase.STALLED))
CONNECTING = PHASES.index(Phase.CONNECTING)
FAILED = PHASES.index(Phase.FAILED)


@dataclass(frozen=True)
class Summary:
    """What a policy made of a day.

    Attributes
    ----------
    delivered : float
        The share of all hits that came, 0 to 1; of those that entered the log from the first
        connection on.
    hits, lost, waiting : int
        How many entered the log; never came, and cannot come any more; may still come.
    duplicates : int
        How many came once more.
    downtime : float
        Seconds without a connection, from the first one on; the mean of the slots.
    outages : int
        How often a connection was lost.
    longest_outage : float
        Seconds, the longest of any slot.
    connects : int
        Requests that were sent.
    refused, unavailable : int
        Answers 409, and 503.
    gave_up : bool
        Whether a slot stopped for good.
    """

    delivered: float
    hits: int
    lost: int
    waiting: int
    duplicates: int
    downtime: float
    outages: int
    longest_outage: float
    connects: int
    refused: int
    unavailable: int
    gave_up: bool

    def __str__(self) -> str:
        end = ", gave up" if self.gave_up else ""
        return (
            f"{self.delivered:.2%} delivered, {self.lost:,} hits lost, {self.duplicates:,} "
            f"duplicates, down for {duration(self.downtime)} (at most "
            f"{duration(self.longest_outage)}), {self.connects:,} connects, {self.refused:,} × "
            f"409, {self.unavailable:,} × 503{end}"
        )


NAMES = tuple(field.name for field in fields(Summary))


def summarize(
    record: Record, traffic: Traffic, *, connections: int, connects: int, end: float, kept: float
) -> Summary:
    """Count; ``kept`` is how long the service keeps a hit for a client that comes back."""
    shares = [Share(slot, connections) for slot in range(connections)]
    began = min((each.opened for each in record.receipts), default=0.0)
    starts = {share: traffic.logged(share, began) for share in shares}
    for receipt in record.receipts:
        starts[receipt.share] = min(starts[receipt.share], receipt.first)
    hits = sum(traffic.logged(share, end) - starts[share] for share in shares)
    came = sum(each.end - each.first - each.repeated for each in record.receipts)
    waiting = _waiting(record, traffic, starts, end, kept)
    away, longest, outages = _away(record, end)
    return Summary(
        delivered=came / hits if hits else 1.0,
        hits=hits,
        lost=hits - came - waiting,
        waiting=waiting,
        duplicates=sum(each.repeated for each in record.receipts),
        downtime=away / connections,
        outages=outages,
        longest_outage=longest,
        connects=connects,
        refused=record.status.count(409),
        unavailable=record.status.count(503),
        gave_up=FAILED in record.state,
    )


def _waiting(
    record: Record, traffic: Traffic, starts: dict[Share, int], end: float, kept: float
) -> int:
    """Hits that are still kept for a client that comes back."""
    reached = dict(starts)
    for receipt in record.receipts:
        reached[receipt.share] = max(reached[receipt.share], receipt.end)
    return sum(
        traffic.logged(share, end) - max(known, traffic.logged(share, max(0.0, end - kept)))
        for share, known in reached.items()
        if known < traffic.logged(share, end)
    )


def _away(record: Record, end: float) -> tuple[float, float, int]:
    """Seconds without a connection of all slots, the longest such span, and how many there were."""
    lost: dict[int, float] = {}
    opened: set[int] = set()
    spans: list[float] = []
    for slot, state, at in zip(record.slot, record.state, record.at, strict=True):
        if state in OPEN:
            if slot in lost:
                spans.append(at - lost.pop(slot))
            opened.add(slot)
        elif slot in opened:
            opened.discard(slot)
            lost[slot] = at
    spans += [end - at for at in lost.values()]
    return sum(spans), max(spans, default=0.0), len(spans)
