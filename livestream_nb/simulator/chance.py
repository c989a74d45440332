"""A number between 0 and 2^64-1 for every number: the same each time, and unlike its neighbours'.

The finalizer of SplitMix64 (Steele, Lea and Flood, 2014). It is a bijection, so what is made from
distinct numbers stays distinct: ids need no bookkeeping.
"""

MASK = 2**64 - 1


def mix(number: int) -> int:
    """Scramble an unsigned 64-bit number."""
    number = number * 0x9E3779B97F4A7C15 & MASK
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & MASK
    number = (number ^ number >> 27) * 0x94D049BB133111EB & MASK
    return number ^ number >> 31
