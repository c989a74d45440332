"""connection/access.py, connection/token_service.py"""

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import pairwise
from typing import Any

import pytest

from livestream_nb import Clock, Simulator
from livestream_nb.connection.access import Access, Lease, pause
from livestream_nb.connection.credentials import BearerToken, Credentials, ServerToServer
from livestream_nb.connection.secret import Secret
from livestream_nb.connection.token_service import Granted, form, read_answer
from livestream_nb.connection.transport import Broken, Transport
from livestream_nb.errors import LivestreamError, TokenDenied, TokenUnavailable
from livestream_nb.protocol.status import Cause
from livestream_nb.worker import Worker
from tests.plain import Client
from tests.scripted import Scripted, hold, redirect
from tests.test_credentials import SECRET, client, shown

DAY = 86_400.0


class Over(Exception):
    """The virtual time of a test is over."""


class VirtualClock(Clock):
    """Time passes only by sleeping, and not beyond the end."""

    def __init__(self, end: float = 1e9) -> None:
        super().__init__()
        vars(self).update(now=0.0, end=end)

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        if self.now + seconds > self.end:
            raise Over
        vars(self)["now"] += seconds
        await asyncio.sleep(0)


class TokenService:
    """Answers as a function says, of what it was asked so far; stands in for a `Transport`."""

    def __init__(self, clock: VirtualClock, answer: Callable[[int], Any]) -> None:
        self.asked: list[float] = []
        self.forms: list[Mapping[str, Any]] = []
        self._clock = clock
        self._answer = answer

    async def post(self, url: str, form: Mapping[str, Any]) -> tuple[int, bytes]:
        self.asked.append(self._clock.monotonic())
        self.forms.append(form)
        answer = self._answer(len(self.asked))
        await asyncio.sleep(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def token(n: int, lifetime: Any = DAY) -> tuple[int, bytes]:
    return 200, json.dumps({"access_token": f"token-{n}", "expires_in": lifetime}).encode()


def failing(*statuses: int) -> Callable[[int], tuple[int, bytes]]:
    """Answers with these statuses, then with tokens."""
    return lambda n: (statuses[n - 1], b"") if n <= len(statuses) else token(n)


@contextmanager
def working() -> Iterator[Worker]:
    worker = Worker("test")
    try:
        yield worker
    finally:
        worker.close()


def access(
    clock: Clock, transport: Any, who: Credentials | None = None, aside: Any = None
) -> Access:
    return Access(who or client(), clock, transport, aside)


def by_service(answer: Callable[[int], Any], end: float = 1e9) -> tuple[Access, TokenService]:
    clock = VirtualClock(end)
    service = TokenService(clock, answer)
    return access(clock, service), service


def tokens_of(*waiting: Any) -> list[str]:
    async def ask() -> list[Secret]:
        return await asyncio.gather(*waiting)

    return [each.reveal() for each in asyncio.run(ask())]


def denied(body: bytes, status: int = 400) -> str:
    answer = read_answer(status, body, Secret(SECRET))
    assert isinstance(answer, TokenDenied)
    return str(answer)


def test_form_is_what_adobe_asks_for() -> None:
    """The form has the four fields of Adobe's reference, scopes by comma, the secret unseen."""
    said = form("app", Secret(SECRET), ("openid", "AdobeID"))
    assert said == {
        "client_id": "app",
        "client_secret": Secret(SECRET),
        "grant_type": "client_credentials",
        "scope": "openid,AdobeID",
    }
    assert SECRET not in str(said)


@pytest.mark.parametrize(
    ("lifetime", "seconds"),
    [(60, 60.0), (0.5, 0.5), (0, 86_399.0), (-1, 86_399.0), ("60", 86_399.0), (None, 86_399.0),
     (True, 86_399.0), (float("nan"), 86_399.0), (float("inf"), 86_399.0), (10**400, 86_399.0)],
    ids=range(10),
)  # fmt: skip
def test_lifetime_of_a_token(lifetime: Any, seconds: float) -> None:
    """A token lives as long as the service says; as Adobe's do, when it says nothing usable."""
    granted = read_answer(*token(1, lifetime), Secret(SECRET))
    assert granted == Granted(Secret("token-1"), seconds)


@pytest.mark.parametrize(
    "body",
    [b"", b"not JSON", b"[]", b"\xff", b"[" * 100_000, b"{}", b'{"access_token": ""}',
     b'["canary"]', b'{"access_token": null}', b'{"access_token": "can ary"}',
     b'{"access_token": ["canary"]}'],
    ids=range(11),
)  # fmt: skip
def test_answers_without_a_token(body: bytes) -> None:
    """An answer without a token that can be sent is final, and not shown."""
    assert "without a token that can be sent" in denied(body, 200)
    assert "ary" not in denied(body, 200).replace("summary", "")


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        (400, TokenDenied, "answered 400: check client_id"),
        (401, TokenDenied, "answered 401: check client_id"),
        (403, TokenDenied, "answered 403: check client_id"),
        (404, TokenDenied, "answered 404: check client_id"),
        (204, TokenDenied, "answered 204: check client_id"),
        (302, TokenDenied, "answered 302, a redirect: the client's secret was not sent there"),
        (307, TokenDenied, "answered 307, a redirect"),
        (408, TokenUnavailable, "for now: it answered 408."),
        (429, TokenUnavailable, "for now: it answered 429."),
        (500, TokenUnavailable, "for now: it answered 500."),
        (503, TokenUnavailable, "for now: it answered 503."),
    ],
)
def test_which_answers_are_final(status: int, kind: type[LivestreamError], words: str) -> None:
    """A service that fails or is asked too often may have a token later; all else is final."""
    answer = read_answer(status, b"", Secret(SECRET))
    assert type(answer) is kind
    assert words in str(answer)


def test_words_of_the_service_are_passed_on() -> None:
    """OAuth's error and its description are told, in one line and shortened."""
    told = denied(b'{"error": "invalid_scope", "error_description": "No\\nsuch scope."}')
    assert '("invalid_scope: No such scope")' in told
    assert len(denied(json.dumps({"error": "x" * 10_000}).encode())) < 500
    assert "answered 400:" in denied(b'{"error": 7, "error_description": ["canary"]}')


@pytest.mark.parametrize(
    "echo", [SECRET, SECRET[:9], SECRET[-9:], "p8e%2Dcanary%2DSecret", f"x{'y' * 300}{SECRET}"]
)
def test_secret_that_comes_back_is_not_shown(echo: str) -> None:
    """Words that hold the client's secret, a part of it, or its encoded form stay unseen."""
    told = denied(json.dumps({"error": "invalid", "error_description": f"wrong: {echo}"}).encode())
    assert "are not shown" in told
    assert "canary" not in told.lower()
    assert echo not in told


def test_short_secret_that_comes_back_is_not_shown() -> None:
    """A secret of a few characters is looked for as a whole."""
    answer = read_answer(401, b'{"error": "it was abc"}', Secret("abc"))
    assert "abc" not in str(answer)
    assert "it was ab" in str(read_answer(401, b'{"error": "it was ab"}', Secret("abc")))


@pytest.mark.parametrize(
    ("lifetime", "margin"), [(86_399.0, 300.0), (3_000.0, 300.0), (1_000.0, 100.0), (1.0, 0.1)]
)
def test_when_a_token_is_due(lifetime: float, margin: float) -> None:
    """A token is due five minutes before its end, or a tenth of its lifetime if that is less."""
    lease = Lease.of(Granted(Secret("t"), lifetime), 50.0)
    due, end = 50.0 + lifetime - margin, 50.0 + lifetime
    assert (lease.due, lease.ends) == pytest.approx((due, end))
    assert [lease.is_due(now) for now in (lease.due - 0.01, lease.due)] == [False, True]
    assert [lease.has_ended(now) for now in (lease.ends - 0.01, lease.ends)] == [False, True]


def test_pauses_double_to_five_minutes() -> None:
    """Failed renewals are 1 s apart, then twice as long each, and never more than 300 s."""
    assert [pause(n) for n in range(1, 11)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert pause(10_000) == 300


def test_one_fetch_for_all_slots() -> None:
    """However many slots ask at once, the token is fetched once, and kept."""
    given, service = by_service(token)
    assert tokens_of(*[given.token() for _ in range(8)]) == ["token-1"] * 8
    assert len(service.asked) == 1


def test_client_id_goes_with_the_token() -> None:
    """The client id of either kind of credentials is there to be sent."""
    clock = VirtualClock()
    assert access(clock, None).client_id == "app"
    assert access(clock, None, BearerToken("t", client_id="mine")).client_id == "mine"


def test_failure_is_not_kept() -> None:
    """After a failure the next call asks again."""
    given, _ = by_service(failing(503, 400))

    async def ask() -> list[Any]:
        return [await asyncio.gather(given.token(), return_exceptions=True) for _ in range(3)]

    first, second, third = [each for (each,) in asyncio.run(ask())]
    assert isinstance(first, TokenUnavailable)
    assert isinstance(second, TokenDenied)
    assert third.reveal() == "token-3"


def test_rejected_token_is_replaced_once() -> None:
    """A token that was not accepted is replaced; a newer one outlives a late rejection."""
    given, service = by_service(token)

    async def ask() -> list[Secret]:
        first = await given.token()
        given.reject(first)
        second = await given.token()
        given.reject(first)
        return [first, second, await given.token()]

    assert [each.reveal() for each in asyncio.run(ask())] == ["token-1", "token-2", "token-2"]
    assert len(service.asked) == 2


def test_rejection_before_any_token() -> None:
    """To reject a token when there is none is no error."""
    given, _ = by_service(token)
    given.reject(Secret("old"))
    assert tokens_of(given.token()) == ["token-1"]


def test_expired_token_is_not_sent() -> None:
    """A token that has expired is replaced before it would be sent, one that is due is sent."""
    given, _ = by_service(lambda n: token(n, 100))

    async def ask_at(now: float) -> str:
        vars(given._clock)["now"] = now
        return (await given.token()).reveal()

    async def ask() -> list[str]:
        return [await ask_at(now) for now in (0.0, 99.0, 100.0)]

    assert asyncio.run(ask()) == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize(
    ("cause", "kind", "words"),
    [
        (Cause.UNREACHABLE, TokenUnavailable, "did not answer: check the network"),
        (Cause.DROPPED, TokenUnavailable, "did not answer: check the network"),
        (Cause.UNTRUSTED, TokenDenied, "certificate could not be verified"),
    ],
)
def test_no_answer(cause: Cause, kind: type[LivestreamError], words: str) -> None:
    """A service that cannot be reached may be later; one that cannot be trusted is final."""
    given, _ = by_service(lambda _: Broken(cause, "so it went."))
    with pytest.raises(kind, match=words) as failed:
        asyncio.run(given.token())
    assert str(failed.value).endswith("In detail: so it went.")
    assert failed.value.__context__ is None


@pytest.mark.parametrize(
    "answer",
    [
        (200, b'{"access_token": "can ary"}'),
        (200, b'{"access_tokens": "canary"}'),
        (401, b'{"error": "canary-Secret"}'),
        (503, b"p8e-canary-Secret"),
        Broken(Cause.DROPPED, "lost"),
    ],
    ids=range(5),
)
def test_verbose_tracebacks_show_no_secret(answer: Any) -> None:
    """Neither the secret nor the answer shows in the locals of a frame of the package."""
    given, _ = by_service(lambda _: answer)
    with pytest.raises(LivestreamError) as failed:
        asyncio.run(given.token())
    assert "_fetch" in shown(failed.value)
    assert "ary" not in shown(failed.value)


def test_function_is_called_aside() -> None:
    """A token function that hangs holds up nothing else, and is given up when its call is."""
    answer = threading.Event()

    def hang() -> str:
        answer.wait(20)
        return "late"

    async def ask() -> str:
        asked = asyncio.create_task(given.token())
        for _ in range(100):
            await asyncio.sleep(0)
        assert not asked.done()
        asked.cancel()
        with suppress(asyncio.CancelledError):
            await asked
        answer.set()
        return (await given.token()).reveal()

    with working() as aside:
        given = access(VirtualClock(), None, BearerToken(hang), aside)
        assert asyncio.run(ask()) == "late"


def test_function_is_asked_when_its_token_was_rejected() -> None:
    """A function's token is kept until it is rejected."""
    tokens = iter(["one", "two"])

    async def ask() -> list[str]:
        found = [await given.token(), await given.token()]
        given.reject(found[0])
        return [each.reveal() for each in [*found, await given.token()]]

    with working() as aside:
        given = access(VirtualClock(), None, BearerToken(lambda: next(tokens)), aside)
        assert asyncio.run(ask()) == ["one", "one", "two"]


def test_function_that_fails_is_asked_again() -> None:
    """A function's error reaches whoever asked, as its type, without what led to it."""

    def function() -> str:
        raise SystemExit("canary")

    with working() as aside:
        given = access(VirtualClock(), None, BearerToken(function), aside)
        with pytest.raises(TokenUnavailable, match="SystemExit") as failed:
            asyncio.run(given.token())
    assert "canary" not in shown(failed.value)


def test_ready_made_token_is_left_alone() -> None:
    """There is nothing to keep fresh about a token that was given."""
    with working() as aside:
        given = access(VirtualClock(), None, BearerToken("given"), aside)
        asyncio.run(asyncio.wait_for(given.keep_fresh(), 5))
        assert tokens_of(given.token()) == ["given"]


def kept_fresh(given: Access) -> None:
    """Ask for a token, and keep it fresh until the time is over."""

    async def keep() -> None:
        with suppress(TokenUnavailable):
            await given.token()
        with suppress(Over):
            await given.keep_fresh()

    asyncio.run(keep())


def test_renewal_before_expiry() -> None:
    """In three days a token of a day is renewed three times, five minutes before its end."""
    given, service = by_service(token, end=3 * DAY)
    kept_fresh(given)
    assert service.asked == [n * (DAY - 300) for n in range(4)]


def test_nothing_is_renewed_before_it_was_wanted() -> None:
    """Before a slot has asked for a token, and after one was rejected, none is fetched."""
    given, service = by_service(token)

    async def keep() -> None:
        task = asyncio.create_task(given.keep_fresh())
        for _ in range(10):
            await asyncio.sleep(0)
        assert service.asked == []
        given.reject(await given.token())
        for _ in range(10):
            await asyncio.sleep(0)
        assert len(service.asked) == 1
        assert not task.done()
        task.cancel()

    asyncio.run(keep())


def test_renewal_backs_off(caplog: pytest.LogCaptureFixture) -> None:
    """Failed renewals are tried again 1 s later, doubling to 300 s; the log tells each."""
    given, service = by_service(
        lambda n: token(n, 1_000) if n in (1, 12) else (503, b""), end=5_000
    )
    kept_fresh(given)
    pauses = [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    waits = [after - before for before, after in pairwise(service.asked)]
    assert waits[:11] == [900, *pauses]
    assert waits[11:13] == [900, 1]
    told = [record.getMessage() for record in caplog.records]
    assert "is in use for 100 s more; an open stream goes on. Next attempt in 1 s." in told[0]
    assert "it answered 503." in told[0]
    assert "has expired; an open stream goes on. Next attempt in 128 s." in told[7]
    assert {record.levelno for record in caplog.records} == {logging.WARNING}
    assert SECRET not in caplog.text


def test_denial_does_not_end_the_renewing() -> None:
    """What was denied in the background is tried again: an open stream needs no new token yet."""
    given, service = by_service(lambda n: (401, b"") if n in (2, 3) else token(n, 1_000), end=1_000)
    kept_fresh(given)
    assert service.asked == [0, 900, 901, 903]
    assert tokens_of(given.token()) == ["token-4"]


def test_old_token_is_used_while_a_new_one_is_fetched() -> None:
    """A renewal that hangs or fails keeps nobody waiting while the old token is valid."""
    given, service = by_service(lambda n: token(n, 1_000))
    answer = asyncio.Event()

    async def post(url: str, form: Any) -> Any:
        service.asked.append(service._clock.monotonic())
        await answer.wait()
        return token(2, 1_000)

    async def ask() -> list[str]:
        first = await given.token()
        service.post = post
        task = asyncio.create_task(given.keep_fresh())
        while len(service.asked) < 2:
            await asyncio.sleep(0)
        during = await given.token()
        answer.set()
        while (after := await given.token()) == first:
            await asyncio.sleep(0)
        task.cancel()
        return [each.reveal() for each in (first, during, after)]

    assert asyncio.run(ask()) == ["token-1", "token-1", "token-2"]


@pytest.mark.parametrize("renewal_first", [True, False])
def test_renewal_and_slot_fetch_one_token(renewal_first: bool) -> None:
    """Of a renewal and the slots that need it, whoever is first fetches for the others."""
    given, service = by_service(lambda n: token(n, 1_000))

    async def ask() -> list[Secret]:
        await given.token()
        vars(given._clock).update(now=1_000.0, end=1_000.0)
        renewal = [given.keep_fresh()]
        slots = [given.token() for _ in range(4)]
        jobs = renewal + slots if renewal_first else slots + renewal
        found = await asyncio.gather(*jobs, return_exceptions=True)
        return [each for each in found if not isinstance(each, Over)]

    assert [each.reveal() for each in asyncio.run(ask())] == ["token-2"] * 4
    assert len(service.asked) == 2


async def real(job: Callable[[Transport], Any]) -> Any:
    transport = Transport()
    try:
        return await job(transport)
    finally:
        await transport.close()


def client_of(sim: Simulator, **changes: Any) -> ServerToServer:
    right = {
        "client_id": sim.client_id,
        "client_secret": sim.client_secret,
        "scopes": "openid,AdobeID",
        "token_url": sim.token_url,
    }
    return ServerToServer(**(right | changes))


def ask_really(who: ServerToServer) -> str:
    async def job(transport: Transport) -> str:
        return (await access(Clock(), transport, who).token()).reveal()

    return asyncio.run(real(job))


def test_real_service_gives_a_token_that_livestream_accepts() -> None:
    """The simulator's token service gives a token, and its Livestream lets it in."""
    with Simulator() as sim:
        got = Client(sim, Authorization=f"Bearer {ask_really(client_of(sim))}")
        assert got.status == 200
        got.close()


def test_real_service_denies() -> None:
    """A wrong secret and a wrong scope are final, in the service's own words."""
    with Simulator() as sim:
        with pytest.raises(TokenDenied, match=r'401 \("invalid_client: The client_secret is wrong'):
            ask_really(client_of(sim, client_secret=SECRET))
        with pytest.raises(TokenDenied, match=r'400 \("invalid_scope: Unknown scope all'):
            ask_really(client_of(sim, scopes="all"))


def test_real_service_that_fails() -> None:
    """A token service that is down is worth another try, and then gives a token."""
    with Simulator() as sim:
        sim.fail_tokens(3_600)
        with pytest.raises(TokenUnavailable, match="503"):
            ask_really(client_of(sim))
        sim.fail_tokens(0)
        assert ask_really(client_of(sim))


def test_real_service_that_is_not_there() -> None:
    """Where nobody listens, the message says what to check, and the secret is in no frame."""
    with Scripted(hold) as gone:
        nowhere = f"{gone.here}/ims/token/v3"
    with pytest.raises(TokenUnavailable, match="check the network") as failed:
        ask_really(client(token_url=nowhere))
    assert "canary" not in shown(failed.value)


def test_redirect_of_the_token_service_is_not_followed() -> None:
    """A redirect of the token service is final: its target is never asked."""

    def answer(connection: socket.socket, here: str) -> None:
        redirect(f"{target.here}/stolen", 307)(connection, here)
        hold(connection, here)

    with (
        Scripted(hold) as target,
        Scripted(answer) as service,
        pytest.raises(TokenDenied, match="307, a redirect"),
    ):
        ask_really(client(token_url=f"{service.here}/token"))
    assert len(service.requests) == 1
    assert target.requests == []


def test_real_tokens_are_kept_fresh() -> None:
    """Short-lived tokens are renewed without a slot asking, and each is one that is let in."""
    with Simulator(speed=1_000, token_lifetime=600) as sim:

        async def job(transport: Transport) -> list[Secret]:
            given = access(sim.clock, transport, client_of(sim))
            found = [await given.token()]
            task = asyncio.create_task(given.keep_fresh())
            while len(found) < 3:
                await asyncio.sleep(0.002)
                if given._lease.token != found[-1]:
                    found.append(given._lease.token)
            task.cancel()
            return found

        found = asyncio.run(real(job))
        assert len({each.reveal() for each in found}) == 3
        got = Client(sim, Authorization=f"Bearer {found[-1].reveal()}")
        assert got.status == 200
        got.close()
