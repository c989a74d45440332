"""A follower and a writer in two processes: ``python -m tests.following SECONDS`` prints figures.

This process has the simulator and the follower; the writer is a process of its own. What is printed
is JSON: how many hits were sent, recorded and followed, whether they are the same, and the longest
time after which the follower's newest hit was older than it.
"""

import json
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from livestream_nb import Recording, Simulator
from tests.plain import until

RATE = 2_000
LOOK_EVERY = 0.25
SETTLED = 20.0
IDS = ["hitIdHigh", "hitIdLow"]

WRITER = """
import sys
from livestream_nb import Clock, Reader
url, token, rate, origin, folder = sys.argv[1:]
clock = Clock(float(rate), float(origin))
with Reader(url, token=token, clock=clock, record_to=folder) as reader:
    reader.wait(hits=1)
    print("recording", flush=True)
    sys.stdin.read()
"""


def follow(sim: Simulator, recording: Recording, seconds: float) -> float:
    """Look again and again; return the longest that its newest hit was ago, at any look."""
    longest, looks, pause = 0.0, 0, threading.Event()
    began = sim.clock.monotonic()
    while sim.clock.monotonic() - began < seconds:
        newest = recording.hits(last="10s", columns=["arrived"])["arrived"].max()
        late = sim.clock.utc() - newest.timestamp() if newest else seconds
        longest = max(longest, late if looks else 0.0)
        looks += 1
        pause.wait(LOOK_EVERY)
    return longest


def run(seconds: float, folder: Path) -> dict[str, object]:
    """Record and follow for so long."""
    with Simulator(rate=RATE, record_size=2_500) as sim:
        given = sim.stream_url, sim.token, sim.clock.rate, sim.clock.origin, folder
        command = [sys.executable, "-c", WRITER, *map(str, given)]
        writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with writer:
            writer.stdout.readline()
            followed = Recording(folder).follow()
            longest = follow(sim, followed, seconds)
            sim.go_quiet()
            sent = sim.truth().select(IDS)
            until(lambda: followed.status.hits == sent.height, SETTLED)
            live = followed.hits()
            writer.stdin.close()
            writer.wait(SETTLED)
    sealed = Recording(folder)
    same = live.sort(IDS).equals(sealed.hits().sort(IDS))
    exact = live.select(IDS).sort(IDS).equals(sent.sort(IDS))
    followed.close()
    return {"sent": sent.height, "longest": longest, "same": same, "exact": exact}


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        print(json.dumps(run(float(sys.argv[1]), Path(made) / "recording")))
