"""A client in virtual time: one consumer of a stream, with all its slots. Pure."""

from collections.abc import Callable

from livestream_nb.lab.queue import Queue
from livestream_nb.lab.slot import Slot, Stream
from livestream_nb.lab.world import Site, World
from livestream_nb.policy import Policy


class Client:
    """One consumer of a stream; ``stream`` is what its slots share.

    Parameters
    ----------
    world : World
        The service and all around it.
    policy : Policy
        What to do after a failure.
    connections : int
        How many slots it wants.
    latency : float
        Service seconds from a request to its answer.
    draw : callable
        Picks the moment between a wait's earliest and latest.
    site : Site
        Where it is.
    """

    def __init__(
        self,
        world: World,
        policy: Policy,
        *,
        connections: int,
        latency: float,
        draw: Callable[[float, float], float],
        site: Site,
    ) -> None:
        queue = Queue(world.agenda, connections)
        self.stream = Stream(world, policy, connections, latency, draw, site, queue)
        self._slots = [Slot(number, self.stream) for number in range(1, connections + 1)]

    def stop(self) -> None:
        """Leave, whatever the stage."""
        for slot in self._slots:
            slot.stop()

    def settle(self) -> None:
        """Account for what open connections have brought until now."""
        for slot in self._slots:
            slot.settle()
