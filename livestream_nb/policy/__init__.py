"""When to connect again: (state, event, now) → (state, actions). Pure: no clock, no chance.

The law: between the end of a connection that may still hold a slot and the next request for that
slot, at least the cooldown passes. Neither Livestream's load balancer nor its API can tell a
connection that is lost from one that is quiet; they need about 60 seconds to notice, and a client
that comes back sooner meets the ghost of its own connection (support article KA-16598). So jitter
is added to the cooldown, never taken from it.

A policy of one's own is any object with ``start(now) -> state`` and
``step(state, event, now) -> (state, actions)``; each slot has a state of its own. The policy is
told what happened by the events below and answers with the actions below, performed in order.
After :class:`Opened` there is nothing to do but read, so the actions are empty; every other event
needs an action: a slot without one is given up. Times are service seconds of one monotonic clock.
The runner draws the moment between a wait's earliest and latest. ::

    class Patient:
        def start(self, now):
            return 0                                    # failures in a row

        def step(self, failures, event, now):
            match event:
                case Opened():
                    return 0, ()
                case Failed():
                    wait = now + 60 + 30 * failures
                    return failures + 1, (Wait(wait, wait + 10),)
                case Started(last_end) if last_end is not None:
                    return failures, (Wait(last_end + 60, last_end + 70),)
            return failures, (Connect(),)               # Started for the first time, or Waited

An attribute ``stall_after``, where there is one, says after how many seconds without a byte an
open connection is shown as stalled. Whatever a policy answers, a reader of Adobe's service lets 60
seconds pass between two requests for a slot.

A connection lasts until it is lost, or as long as ``Connect(seconds=…)`` says. `livestream_nb.Lab`
tries a policy on a day of faults in virtual time; `livestream_nb.policy.others` has what others do.
"""

from livestream_nb.policy.events import (
    Action,
    Actions,
    Connect,
    Event,
    Failed,
    GiveUp,
    Opened,
    Policy,
    RenewToken,
    Started,
    Wait,
    Waited,
    checked,
)
from livestream_nb.policy.reconnect import ReconnectPolicy
from livestream_nb.policy.turns import APART, FLOOR, Turns

__all__ = [
    "APART",
    "FLOOR",
    "Action",
    "Actions",
    "Connect",
    "Event",
    "Failed",
    "GiveUp",
    "Opened",
    "Policy",
    "ReconnectPolicy",
    "RenewToken",
    "Started",
    "Turns",
    "Wait",
    "Waited",
    "checked",
]
