"""Waits that grow."""

MOST = 64


def backoff(first: float, factor: float, times: int, longest: float) -> float:
    """The first wait, grown by a factor so many times, and no longer than the longest."""
    return min(first * factor ** min(times, MOST), longest)
