"""The numbers that the model of the service needs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Rules:
    """How a stream behaves; durations in service seconds.

    Adobe publishes none of these numbers except for "about 60 seconds" and "a few minutes"
    (support article KA-16598; ``AdobeDocs/analytics-2.0-apis``, ``livestream/troubleshooting.md``).

    Attributes
    ----------
    notice : float
        How long a ghost holds its slot.
    restarts : bool
        Whether an attempt that finds no free slot makes a ghost stay for ``notice`` again.
    retention : float
        How old a hit may be to be given to a client that comes back.
    commit_every, margin : float
        How often positions are committed, and how long before that a hit must have been written.
    churn_within, churn_factor : float, int
        More than ``churn_factor * maxConnections`` attempts within that time are churn.
    quiet_after : float or None
        After so long without a hit new connections get 503; None: never.
    """

    notice: float = 55.0
    restarts: bool = True
    retention: float = 300.0
    commit_every: float = 5.0
    margin: float = 5.5
    churn_within: float = 60.0
    churn_factor: int = 2
    quiet_after: float | None = None
