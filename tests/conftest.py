"""Fixtures that several test modules share."""

import contextlib
from collections.abc import Callable, Iterator

import pytest

from tests.plain import Client


@pytest.fixture
def clients() -> Iterator[Callable[..., Client]]:
    with contextlib.ExitStack() as stack:
        yield lambda *args, **options: stack.enter_context(
            contextlib.closing(Client(*args, **options))
        )
