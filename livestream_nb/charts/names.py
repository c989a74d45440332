"""Names from hits as something that can be shown: always text, on one line, of bounded length."""

import unicodedata

LONGEST = 120
# Marks that turn around what stands beside them (Unicode Standard Annex 9).
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_NO_TEXT = ("Cc", "Cs", "Co", "Cn", "Zl", "Zp")


def shown(name: str) -> str:
    """Return the name with ``�`` for what is no text, and an ellipsis for what is too long.

    Control characters, line breaks, and marks that turn the direction of writing are no text:
    with them a name could pass for another one, or disturb its neighbours.
    """
    cut = name if len(name) <= LONGEST else f"{name[: LONGEST - 1]}…"
    if cut.isprintable():
        return cut
    return "".join(_shown(character) for character in cut)


def _shown(character: str) -> str:
    if character in _TURNING or unicodedata.category(character) in _NO_TEXT:
        return "\N{REPLACEMENT CHARACTER}"
    return character
