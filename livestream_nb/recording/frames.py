"""What is received, and what happens, as frames of the spool; and back."""

from collections.abc import Iterator

from msgspec import json

from livestream_nb.connection.timeline import Transition
from livestream_nb.hits.piece import Piece
from livestream_nb.hits.records import Rejected
from livestream_nb.hits.repeats import Spell
from livestream_nb.recording.missed import Missed
from livestream_nb.recording.spool import Frame, Kind


def block_frame(piece: Piece) -> Iterator[Frame]:
    """The records of a piece, if it has any."""
    if piece.block:
        yield Frame(Kind.BLOCK, *piece.spell, piece.arrived, piece.block)


def rejected_frames(piece: Piece) -> Iterator[Frame]:
    """The records of a piece that were refused before."""
    for each in piece.rejected:
        payload = json.encode(each.reason) + b"\0" + each.raw
        yield Frame(Kind.REJECTED, *piece.spell, piece.arrived, payload)


def piece_of(frame: Frame) -> Piece:
    """The piece that a frame is, or is part of."""
    spell = Spell(frame.connection, frame.opened)
    if frame.kind is Kind.BLOCK:
        return Piece(frame.payload, spell, frame.arrived)
    reason, _, raw = frame.payload.partition(b"\0")
    rejected = Rejected(raw, json.decode(reason, type=str))
    return Piece(b"", spell, frame.arrived, (rejected,))


def entry_frame(entry: Transition) -> Frame:
    """A change of state."""
    return Frame(Kind.ENTRY, entry.connection, 0.0, entry.at, json.encode(entry))


def entry_of(frame: Frame) -> Transition:
    """The change of state that a frame is."""
    return json.decode(frame.payload, type=Transition)


def missed_frame(missed: Missed) -> Frame:
    """What could not be recorded."""
    return Frame(Kind.MISSED, 0, 0.0, missed.until or 0.0, json.encode(missed))


def missed_of(frame: Frame) -> Missed:
    """What a frame says that could not be recorded."""
    return json.decode(frame.payload, type=Missed)
