"""The many variables that a site sets here and there: what makes records as long as they are."""

import random

SUBJECTS = (
    "banner on top", "bundle in the cart", "filter of the list", "layout of the page",
    "price in the footer", "review below", "slider of the season", "teaser in the magazine",
)  # fmt: skip
VALUES = ("blue", "early", "large", "north", "quiet", "second", "spring", "upper", "west", "wool")
VARIANTS = 6
EVARS = range(36, 251)
PROPS = range(16, 76)


class Sparse:
    """Prepared members of ``evars`` or ``props``, of which each record takes some.

    Parameters
    ----------
    chance : Random
        What their values, and which of them a record takes, are drawn from.
    family : str
        ``"evar"`` or ``"prop"``.
    numbers : range
        The numbers of those that are set here and there.
    """

    def __init__(self, chance: random.Random, family: str, numbers: range) -> None:
        self._chance = chance
        about = chance.choices(SUBJECTS, k=len(numbers))
        keys = [
            f'{family}{number}":"{subject}' for number, subject in zip(numbers, about, strict=True)
        ]
        self._variants = [_members(chance, keys) for _ in range(VARIANTS)]
        self._average = sum(map(len, self._variants[0])) / len(numbers)

    def some(self, room: float) -> bytes:
        """Take members of about ``room`` bytes in all, a comma before each."""
        members = self._chance.choice(self._variants)
        count = min(round(room / self._average), len(members))
        if count <= 0:
            return b""
        step = 1 + int(self._chance.random() * (len(members) // count))
        first = int(self._chance.random() * (len(members) - (count - 1) * step))
        return b"".join(members[first : first + count * step : step])


def _members(chance: random.Random, keys: list[str]) -> list[bytes]:
    values = chance.choices(VALUES, k=len(keys))
    return [f',"{key}:{value}"'.encode() for key, value in zip(keys, values, strict=True)]
