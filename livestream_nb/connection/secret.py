"""A text that shows itself nowhere: not printed, formatted, logged, compared by eye, or stored."""

import hmac
import re
from typing import TYPE_CHECKING, NoReturn, Self
from urllib.parse import unquote_plus

if TYPE_CHECKING:
    from collections.abc import Callable

TELLING = 8


class Secret:
    """A token, a client secret, or a proxy's password.

    Whoever sends it asks for :meth:`reveal` in the very call that does, so that it lies in no
    variable that a verbose traceback would print.
    """

    __slots__ = ("reveal",)

    def __init__(self, value: str) -> None:
        self.reveal: Callable[[], str] = lambda: value

    def shows_in(self, text: str) -> bool:
        """Whether a text holds so much of it, plain or percent-encoded, as is better not shown.

        Eight characters in a row are; a shorter secret counts as a word of its own only.
        """
        texts = (text, unquote_plus(text))
        if len(self.reveal()) < TELLING:
            word = rf"(?<!\w){re.escape(self.reveal())}(?!\w)"
            return any(re.search(word, each) for each in texts)
        starts = range(len(self.reveal()) - TELLING + 1)
        return any(self.reveal()[at : at + TELLING] in each for at in starts for each in texts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self.reveal().encode(), other.reveal().encode())

    def __hash__(self) -> int:
        return hash(self.reveal())

    def __repr__(self) -> str:
        return "Secret(…)"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A secret is not stored or sent elsewhere: make a new one there.")
