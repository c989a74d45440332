"""journal.py: what the service did, in order."""

from livestream_nb.simulator.journal import KEPT_ENTRIES, Journal


def test_entries_by_time() -> None:
    """Entries come by time, those of one moment in the order in which they were noted."""
    journal = Journal()
    for time, event in ((2.0, "b"), (1.0, "a"), (2.0, "c")):
        journal.note(time, event, "")
    assert [(each.number, each.event) for each in journal.entries()] == [
        (2, "a"),
        (1, "b"),
        (3, "c"),
    ]


def test_entries_after_a_number() -> None:
    """Only those that were noted later come, however many have been forgotten by then."""
    journal = Journal()
    for number in range(1, KEPT_ENTRIES + 11):
        journal.note(float(number), "noted", "")
    kept = journal.entries()
    assert (len(kept), kept[0].number) == (KEPT_ENTRIES, 11)
    assert [each.number for each in journal.entries(KEPT_ENTRIES + 8)] == [
        KEPT_ENTRIES + 9,
        KEPT_ENTRIES + 10,
    ]
    assert len(journal.entries(5)) == KEPT_ENTRIES
    assert journal.entries(KEPT_ENTRIES + 10) == []
