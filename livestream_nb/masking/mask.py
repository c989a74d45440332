"""The key, and blocks of records masked with it."""

import hmac
from dataclasses import dataclass
from typing import NoReturn, Self

from livestream_nb.errors import InvalidOption
from livestream_nb.hits.lines import Lines
from livestream_nb.hits.records import Rejected
from livestream_nb.masking.fields import FIELDS, HASHED
from livestream_nb.masking.line import masked

FORMAT = 1
"""The way of masking: of another version the same values would have other masks."""

SHORTEST = 16
"""Bytes that a key has at least."""


@dataclass(frozen=True)
class Masked:
    r"""What became of a block.

    Attributes
    ----------
    block : bytes
        The hits, masked, in their order: each a JSON object and ``\n``.
    rejected : tuple of Rejected
        The records that are no hits, in their order: why, and no byte of them.
    """

    block: bytes
    rejected: tuple[Rejected, ...] = ()


class Mask:
    """Masks records with a key: under one key, the same value always has the same mask.

    Hashed are IP addresses and the ids of visitors and orders, wherever else in the record they
    stand, too. Coordinates are cut to a tenth of a degree, postal codes to their beginning; URLs
    lose query, fragment, user and password. A hit's own id and times stay.

    Parameters
    ----------
    key : str or bytes
        At least 16 bytes. Whoever knows it can find out whose a mask is.

    Raises
    ------
    InvalidOption
        When it is shorter, or of another type; the message does not show it.
    """

    def __init__(self, key: str | bytes) -> None:
        fault = _fault(key)
        self._keyed = hmac.new(b"" if fault else _bytes(key), digestmod="sha256")
        # A verbose traceback shows variables.
        del key
        if fault:
            raise InvalidOption(fault)

    def block(self, block: bytes) -> Masked:
        r"""Mask a block.

        Parameters
        ----------
        block : bytes
            Complete records separated by ``\n`` or ``\r\n``; blank lines are left out.
        """
        hits: list[bytes] = []
        rejected: list[Rejected] = []
        for line in Lines(block):
            done = masked(bytes(line).removesuffix(b"\r"), self._digest)
            if isinstance(done, Rejected):
                rejected.append(done)
            else:
                hits += done, b"\n"
        return Masked(b"".join(hits), tuple(rejected))

    @property
    def described(self) -> dict[str, object]:
        """What is masked in what way, as JSON values; of the key a fingerprint."""
        return {
            "format": FORMAT,
            "key": self._fingerprint,
            "hashed": [name for kind in (*HASHED, "half") for name in FIELDS[kind]],
            "hashed or dropped when an address": [*FIELDS["domain"], *FIELDS["top"]],
            "truncated": {
                "to one decimal": list(FIELDS["degrees"]),
                "to 3 characters, or half of 4 or fewer": list(FIELDS["zip"]),
            },
            "queries dropped": [*FIELDS["url"], "every URL in any text"],
        }

    @property
    def _fingerprint(self) -> str:
        return self._digest("fingerprint", "")[:8].hex()

    def _digest(self, kind: str, text: str) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(f"{kind}\0{text}".encode(errors="surrogatepass"))
        return keyed.digest()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Mask):
            return NotImplemented
        return hmac.compare_digest(self._digest("same", ""), other._digest("same", ""))

    def __hash__(self) -> int:
        return hash(self._digest("same", ""))

    def __repr__(self) -> str:
        return f"Mask(key={self._fingerprint}…)"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        raise TypeError("A mask is not stored or sent elsewhere: make a new one there.")


def _bytes(key: str | bytes) -> bytes:
    return key.encode(errors="surrogatepass") if isinstance(key, str) else key


def _fault(key: object) -> str:
    if not isinstance(key, str | bytes):
        return (
            f"mask= has a key of type {type(key).__name__}, with which nothing can be hashed: "
            "give a string or bytes."
        )
    if len(_bytes(key)) < SHORTEST:
        return (
            f"mask= has a key of {len(_bytes(key))} bytes, which can be guessed, and then the "
            f"masked values too: give {SHORTEST} bytes or more, as from secrets.token_hex()."
        )
    return ""
