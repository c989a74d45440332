"""Whether a header can carry a text, which is never told."""

from livestream_nb.connection.secret import Secret
from livestream_nb.errors import InvalidOption

SENDABLE = "give it as one line of ASCII without blanks, as the service handed it out"


def hidden(value: str | Secret) -> Secret:
    """A text of which nothing shows from now on; it may still be of any type."""
    return value if isinstance(value, Secret) else Secret(value)


def fault(value: Secret) -> str | None:
    """What keeps a header from carrying a text, if anything does."""
    kind = type(value.reveal()).__name__
    if kind != "str":
        return f"is of type {kind}"
    if not value.reveal():
        return "is empty"
    if not all("!" <= character <= "~" for character in value.reveal()):
        return "has a line break, a blank or a character that no header can carry (not shown)"
    return None


def check_sendable(name: str, value: Secret) -> None:
    """Refuse what no header can carry."""
    if wrong := fault(value):
        raise InvalidOption(f"{name} {wrong}: {SENDABLE}.")
