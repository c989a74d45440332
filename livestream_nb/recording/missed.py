"""What was received and could not be recorded."""

from msgspec import Struct

from livestream_nb.hits.batch import Batch


class Missed(Struct, frozen=True):
    """What was received and could not be recorded.

    Attributes
    ----------
    since, until : float or None
        When the first and the last of it came, in Unix seconds; None when it is nothing.
    hits, bytes : int
        How many new hits, and bytes of records.
    why : str
        What the system said.
    """

    since: float | None
    until: float | None
    hits: int
    bytes: int
    why: str

    def and_also(self, batch: Batch, why: str) -> "Missed":
        """What that is together with what one more batch brought."""
        since = batch.arrived if self.since is None else self.since
        return Missed(
            since, batch.arrived, self.hits + batch.frame.height, self.bytes + batch.size, why
        )


NOTHING = Missed(None, None, 0, 0, "")
