"""How a stream's hits are divided among its slots: by visitor, and nothing ever moves."""

from typing import NamedTuple


class Share(NamedTuple):
    """One slot's share of the visitors: those whose ``visIdLow % slots`` is ``slot``.

    Adobe groups hits by visitor, and says no more than that
    (``AdobeDocs/analytics-2.0-apis``, ``livestream/faq.md``); by which rule is our decision.
    """

    slot: int
    slots: int


WHOLE = Share(0, 1)
"""Every visitor: the share of the only slot there is."""
