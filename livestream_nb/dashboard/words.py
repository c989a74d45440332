"""A snapshot in words and HTML: pure, and escaped, because sentences may quote the service."""

from html import escape
from zoneinfo import ZoneInfo

from livestream_nb.charts import LOOKS
from livestream_nb.clock import duration
from livestream_nb.dashboard.snapshot import ENDED, Snapshot

MUTED = "var(--jp-ui-font-color2, #595959)"
PLAIN = "var(--jp-ui-font-color1, #222222)"
RULE = "var(--jp-border-color2, #e0e0e0)"
LONG_SILENCE = 10.0


def badge(state: str) -> str:
    """Return the state as word, shape and colour."""
    look = LOOKS[state]
    return (
        f'<span style="display:inline-flex;align-items:center;gap:8px;height:28px;'
        f"padding:0 14px 0 11px;border-radius:14px;background:{look.colour};color:#111111;"
        f'font-size:14px;font-weight:600;line-height:28px;white-space:nowrap">'
        f'<svg width="13" height="13" viewBox="-1 -1 2 2" aria-hidden="true">'
        f'<path d="{look.path}" fill="#111111"/></svg>{escape(state)}</span>'
    )


def moment(snapshot: Snapshot) -> str:
    """Return what a person asks next: until when, or since when."""
    status = snapshot.status
    if status.next_attempt is not None:
        left = (status.next_attempt - snapshot.now).total_seconds()
        return f"next attempt in {duration(left)}"
    if status.since is None:
        return ""
    if status.state in ENDED:
        return f"since {status.since.astimezone(ZoneInfo(snapshot.window.tz)):%H:%M:%S}"
    lasting = f"for {duration((snapshot.now - status.since).total_seconds())}"
    silent = status.silent_for or 0.0
    if status.state == "streaming" and silent >= max(LONG_SILENCE, snapshot.rate):
        return f"{lasting} · nothing for {duration(silent)}"
    return lasting


def waited(snapshot: Snapshot) -> float | None:
    """Return how much of the wait for the next attempt is over, 0 to 1; None when none is."""
    since, until = snapshot.status.since, snapshot.status.next_attempt
    if since is None or until is None or until <= since:
        return None
    return min(1.0, max(0.0, (snapshot.now - since) / (until - since)))


def moment_html(snapshot: Snapshot) -> str:
    """Return the moment with a bar that fills while waiting."""
    text = (
        f'<span style="font-size:14px;line-height:28px;color:{PLAIN};white-space:nowrap;'
        f'font-variant-numeric:tabular-nums">{escape(moment(snapshot))}</span>'
    )
    share = waited(snapshot)
    if share is None:
        return text
    return (
        f'<span style="display:inline-flex;align-items:center;gap:12px">{text}'
        f'<span style="width:110px;height:6px;border-radius:3px;background:{RULE};overflow:hidden">'
        f'<span style="display:block;height:6px;width:{share:.0%};'
        f'background:{LOOKS["cooldown"].colour}"></span></span></span>'
    )


def sentence_html(sentence: str) -> str:
    """Return the sentence that says why."""
    return (
        f'<div style="font-size:13px;line-height:18px;min-height:54px;color:{PLAIN}">'
        f"{escape(sentence)}</div>"
    )


def figures(snapshot: Snapshot) -> dict[str, str]:
    """Return the counters, by name."""
    status, pace = snapshot.status, snapshot.pace
    counted = {
        "hits": f"{status.hits:,}",
        "hits/s": "–" if pace is None else f"{pace:,.1f}",
        "duplicates": f"{status.duplicates:,}",
        "quarantined": f"{status.quarantined:,}",
        "evicted": f"{status.evicted:,}",
        "connects": f"{status.connects:,}",
    }
    if snapshot.rate != 1:
        counted["clock speed"] = f"{snapshot.rate:g}×"
    return counted


def figures_html(snapshot: Snapshot) -> str:
    """Return the counters as a row of figures that wraps in a narrow cell."""
    tiles = (
        f'<div style="min-width:74px"><div style="font-size:17px;line-height:22px;color:{PLAIN};'
        f'font-variant-numeric:tabular-nums">{value}</div>'
        f'<div style="font-size:12px;line-height:16px;color:{MUTED}">{name}</div></div>'
        for name, value in figures(snapshot).items()
    )
    return f'<div style="display:flex;flex-wrap:wrap;gap:6px 22px">{"".join(tiles)}</div>'
