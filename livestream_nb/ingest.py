"""The way of what arrives: masked, recorded, made into rows. One thread does all of it, in order.

The order is the point. What is masked is masked before anything else has it; what is recorded is in
the spool before it is decoded and counted.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

from livestream_nb.connection.timeline import Transition
from livestream_nb.connection.unpacking import Delivery
from livestream_nb.hits.intake import Intake
from livestream_nb.hits.known import Known
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.masking import Mask
from livestream_nb.plan import Plan

if TYPE_CHECKING:
    from livestream_nb.recording.recorder import Recorder


class Ingest:
    """Takes in what a stream brings.

    Parameters
    ----------
    plan : Plan
        How the stream is read.

    Attributes
    ----------
    intake : Intake
        Where hits go.
    recorder : Recorder or None
        What records them, if they are recorded.
    """

    def __init__(self, plan: Plan) -> None:
        self._mask = plan.mask
        self.recorder: Recorder | None = plan.recorder()
        traced = self.recorder is not None
        self.intake = Intake(plan.columns, plan.keep, plan.dedupe, traced=traced)

    def open(self) -> None:
        """Go on with the recording, if there is to be one.

        Raises
        ------
        StreamBusy
            When another reader records there.
        InvalidOption, RecordingError
            When it cannot be gone on with.
        """
        if self.recorder is not None:
            self._know(self.recorder.open())

    def take(self, delivery: Delivery) -> None:
        """Take in what a connection has received."""
        piece = _piece(delivery)
        if self._mask is not None:
            piece = _masked(piece, self._mask)
        if self.recorder is None:
            self.intake.take(piece)
        else:
            self.recorder.write(piece)
            self.recorder.note(self.intake.take(piece))

    def enter(self, entry: Transition) -> None:
        """Take note that a connection enters a state."""
        if self.recorder is not None:
            self.recorder.enter(entry)

    def beat(self) -> None:
        """Once a second: go on with the recording, or try again."""
        if self.recorder is not None:
            self._know(self.recorder.beat())

    def sync(self) -> None:
        """Have the system write to the disk what was recorded; this is for another thread."""
        if self.recorder is not None:
            self.recorder.sync()

    def close(self) -> None:
        """End the recording: all of it is sealed."""
        if self.recorder is not None:
            self.recorder.close()

    def _know(self, recorded: Known | None) -> None:
        if recorded is not None:
            self.intake.know(recorded)


def _masked(piece: Piece, mask: Mask) -> Piece:
    done = mask.block(piece.block)
    too_long = (
        Rejected(b"", f"{each.reason}, withheld because of the mask") for each in piece.rejected
    )
    return replace(piece, block=done.block, rejected=(*done.rejected, *too_long))


def _piece(delivery: Delivery) -> Piece:
    too_long = (
        Rejected(each.head, f"longer than 4 MiB: {each.size:,} bytes") for each in delivery.overlong
    )
    spell = Spell(delivery.connection, delivery.opened)
    return Piece(delivery.block, spell, delivery.arrived, tuple(too_long))
