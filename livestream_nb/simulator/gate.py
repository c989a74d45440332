"""Whether a stream takes new connections at all, whatever its slots say: 404, 424 and 503."""

from collections import deque
from collections.abc import Callable

from livestream_nb.simulator.http.refusals import Refused
from livestream_nb.simulator.rules import Rules

IDLE_AFTER = 90 * 86_400.0
ENABLED_AFTER = 900.0
NEVER = float("inf")

IDLE = Refused(404, "Not Found", "The stream was not read for 90 days, and has been disabled.")
NOT_ENABLED = Refused(
    424,
    "Failed Dependency",
    "The stream is not enabled for the current API: ask /api/2/enable/<stream name>.",
)
QUIET = Refused(503, "Service Unavailable", "No hits have been received from the report suite.")
MOVING = "The stream is in migration: retry, or send reset."
CHURNED = "The stream is in migration, for it was connected to too often: connect less often."


class Gate:
    """Counts attempts, and keeps the stream shut while it is moved, quiet or disabled.

    ``note`` is called with a time, an event and its detail.

    Sources: ``AdobeDocs/analytics-1.4-apis`` for the 90 days and for 503 when no hits come,
    ``AdobeDocs/analytics-2.0-apis`` (``livestream/release-notes.md``) for the enabling,
    support article KA-16598 for 503 that frequent connecting brings about.
    """

    def __init__(
        self, rules: Rules, *, enabled: bool, note: Callable[[float, str, str], None]
    ) -> None:
        self._rules = rules
        self._note = note
        self._enabled_from = -NEVER if enabled else NEVER
        self._attempts: deque[float] = deque()
        self._moving_until = -NEVER
        self._retry_at: float | None = None
        self._announced = False

    def advance(self, now: float) -> None:
        """Let a migration end whose time has come."""
        if self._announced and self._moving_until <= now:
            self._announced = False
            self._note(self._moving_until, "migrated", "new connections are welcome again")

    def migrate(self, seconds: float, now: float, *, retry_after: bool) -> None:
        """Refuse new connections for so long, telling them the time that is left or not."""
        self._move(now + seconds, f"asked for: {seconds:g} s", now)
        self._retry_at = now + seconds if retry_after else None

    def enable(self, now: float) -> float:
        """Enable the stream for the current API; return when that takes effect."""
        if self._enabled_from == NEVER:
            self._enabled_from = now + ENABLED_AFTER
            self._note(now, "enabled", f"takes effect in {ENABLED_AFTER:g} s")
        return self._enabled_from

    def reset(self, now: float) -> None:
        """End a migration: there is no position left that would have to be moved."""
        self._moving_until = min(self._moving_until, now)
        self.advance(now)

    def refusal(
        self, slots: int, *, idle_for: float, quiet: bool, resets: bool, now: float
    ) -> Refused | None:
        """Count an attempt, and say why it is refused, if it is.

        Parameters
        ----------
        slots : int
            How many connections the stream has, or is asked to have.
        idle_for : float
            For how long nobody has been connected.
        quiet : bool
            Whether no hit has come for as long as the rules say.
        resets : bool
            Whether it asks for a reset that would take effect.
        """
        if idle_for >= IDLE_AFTER:
            return IDLE
        if now < self._enabled_from:
            return NOT_ENABLED
        if self._churns(slots, now):
            return Refused(503, "Service Unavailable", CHURNED)
        if now < self._moving_until and not resets:
            left = None if self._retry_at is None else self._retry_at - now
            return Refused(503, "Service Unavailable", MOVING, left)
        return QUIET if quiet else None

    def _churns(self, slots: int, now: float) -> bool:
        self._attempts.append(now)
        while self._attempts[0] <= now - self._rules.churn_within:
            self._attempts.popleft()
        most = self._rules.churn_factor * slots
        if len(self._attempts) <= most:
            return False
        why = f"churn: {len(self._attempts)} attempts within {self._rules.churn_within:g} s"
        self._move(self._attempts[-most] + self._rules.churn_within, why, now)
        return True

    def _move(self, until: float, why: str, now: float) -> None:
        self._moving_until = max(self._moving_until, until)
        if not self._announced:
            self._announced = True
            self._note(now, "migrating", why)
