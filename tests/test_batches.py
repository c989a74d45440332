"""batches.py with a real reader of a real simulator."""

import asyncio
import signal
import sys
import threading
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import polars as pl
import pytest

from livestream_nb import Reader, Simulator
from livestream_nb.batches import AsyncBatches, Batches
from livestream_nb.errors import InvalidOption, StreamFailed, UnknownColumn, WaitTimeout
from livestream_nb.hits.keep import Keep
from tests.plain import until

SOON = 20.0
IDS = ["hitIdHigh", "hitIdLow"]


def batches(reader: Reader, **options: Any) -> Batches:
    return reader.batches(**options)


def abatches(reader: Reader, **options: Any) -> AsyncBatches:
    return reader.abatches(**options)


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    with Simulator(speed=60) as simulator:
        yield simulator


def same(frames: Iterable[pl.DataFrame], whole: pl.DataFrame) -> bool:
    return pl.concat(frames).select(IDS).equals(whole.select(IDS))


def waits(reader: Reader) -> bool:
    """Whether someone waits for a change."""
    return bool(reader._session._listeners)


def test_every_hit_once_then_the_end(simulator: Simulator) -> None:
    """An iterator gives what is held, what comes, and the rest after the stop, each hit once."""
    with simulator.reader() as reader:
        reader.wait(hits=300, timeout=SOON)
        found = batches(reader, rows=100)
        frames = [next(found) for _ in range(20)]
        simulator.drop()
        reader.wait(state="streaming", timeout=SOON)
        frames.append(next(found))
    frames += found
    assert same(frames, reader.hits())
    assert all(1 <= frame.height <= 100 for frame in frames)
    assert frames[0].schema == reader.hits().schema
    assert (found.missed, list(found)) == (0, [])
    assert same(batches(reader), reader.hits())


def test_a_finished_iterator_stays_so(simulator: Simulator) -> None:
    """Once it has ended it gives nothing more, though the reader is started again."""
    with simulator.reader() as reader:
        reader.wait(hits=1, timeout=SOON)
    found = batches(reader)
    assert sum(frame.height for frame in found) == reader.status.hits
    with reader:
        reader.wait(hits=reader.status.hits + 1, timeout=SOON)
        assert list(found) == []


def test_async_every_hit_once_then_the_end(simulator: Simulator) -> None:
    """The same with a coroutine; the event loop stays free while it waits."""

    async def collect(reader: Reader) -> list[pl.DataFrame]:
        return [frame async for frame in abatches(reader, rows=100, columns=IDS)]

    async def both(reader: Reader) -> list[pl.DataFrame]:
        collecting = asyncio.create_task(collect(reader))
        await reader.until(hits=500, timeout=SOON)
        await asyncio.to_thread(reader.stop)
        return await collecting

    with simulator.reader() as reader:
        frames = asyncio.run(both(reader))
    assert same(frames, reader.hits())
    assert {frame.width for frame in frames} == {2}
    assert max(frame.height for frame in frames) <= 100


def test_others_get_their_turn(simulator: Simulator) -> None:
    """While there is always another batch, other coroutines run in between."""

    async def count(reader: Reader) -> int:
        others = 0

        async def other() -> None:
            nonlocal others
            while True:
                others += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(other())
        async for _ in abatches(reader, rows=1):
            pass
        beside.cancel()
        return others

    with simulator.reader() as reader:
        reader.wait(hits=100, timeout=SOON)
    assert asyncio.run(count(reader)) >= 100


def test_cancelling_an_async_wait(simulator: Simulator) -> None:
    """A coroutine that waits can be cancelled, and leaves nothing behind."""

    async def wait(reader: Reader) -> None:
        async with asyncio.timeout(0.05):
            async for _ in abatches(reader):
                pass

    simulator.go_quiet()
    with simulator.reader() as reader:
        with pytest.raises(TimeoutError):
            asyncio.run(wait(reader))
        assert not waits(reader)


def test_waits_for_the_first_hit(simulator: Simulator) -> None:
    """Before anything came the iterator blocks; a stop ends the wait."""
    simulator.go_quiet()
    with ThreadPoolExecutor() as pool, simulator.reader() as reader:
        found = pool.submit(list, batches(reader))
        until(lambda: waits(reader))
        assert not found.done()
        reader.stop()
        assert found.result(SOON) == []
        assert not waits(reader)


def test_several_iterators_at_once(simulator: Simulator) -> None:
    """Each iterator gives every hit, whatever the others do."""
    with ThreadPoolExecutor() as pool, simulator.reader() as reader:
        found = [pool.submit(list, batches(reader, rows=rows)) for rows in (7, 100, 10_000)]
        reader.wait(hits=500, timeout=SOON)
        reader.stop()
        assert all(same(one.result(SOON), reader.hits()) for one in found)


def test_a_slow_consumer_is_told_once(simulator: Simulator) -> None:
    """Hits that left the buffer before they were asked for are counted, and warned of once."""
    with simulator.reader(keep=50) as reader:
        reader.wait(hits=10, timeout=SOON)
        found = batches(reader, rows=1)
        first = found._next
        place = next(found)
        reader.wait(hits=reader.status.hits + 300, timeout=SOON)
        with pytest.warns(RuntimeWarning, match="hits left the reader's buffer before") as told:
            frames = [place, next(found)]
        before = found.missed
        assert told[0].filename == __file__
        reader.wait(hits=reader.status.hits + 300, timeout=SOON)
        frames.append(next(found))
        assert found.missed > before > 0
        reader.stop()
        frames += found
        assert first + sum(frame.height for frame in frames) + found.missed == reader.status.hits
        assert f"{found.missed:,} missed>" in repr(found)


def test_what_had_gone_before_is_not_missed(simulator: Simulator) -> None:
    """An iterator begins with what is held when it is made."""
    with simulator.reader(keep=20) as reader:
        reader.wait(hits=200, timeout=SOON)
    found = batches(reader)
    assert sum(frame.height for frame in found) == 20
    assert found.missed == 0


def test_a_warning_that_is_raised_loses_nothing(simulator: Simulator) -> None:
    """Where warnings are errors, the next call goes on with the hits that are still held."""
    with simulator.reader(keep=20) as reader:
        reader.wait(hits=20, timeout=SOON)
        found = batches(reader)
        reader.wait(hits=reader.status.hits + 200, timeout=SOON)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(RuntimeWarning):
            next(found)
        assert same(found, reader.hits())
    assert found.missed > 0


def test_a_stream_that_failed(simulator: Simulator) -> None:
    """When the stream has ended for good, the rest is given, then why it ended."""
    with simulator.reader(token=simulator.token) as reader:
        reader.wait(hits=10, timeout=SOON)
        found, frames = batches(reader), []
        simulator.expire_tokens()
        simulator.drop()
        with pytest.raises(StreamFailed) as failed:
            frames.extend(found)
        assert (failed.value.cause, failed.value.status) == ("unauthorized", 401)
        assert reader.status.hits > 0
        assert same(batches_until_failure(reader), reader.hits())

        async def rest() -> None:
            rest = abatches(reader)
            assert same([await anext(rest)], reader.hits())
            await anext(rest)

        with pytest.raises(StreamFailed):
            asyncio.run(rest())


def batches_until_failure(reader: Reader) -> Iterator[pl.DataFrame]:
    try:
        yield from batches(reader)
    except StreamFailed:
        return


def test_goes_on_after_a_take_over(simulator: Simulator) -> None:
    """An iterator of a reader whose stream a newer one took over goes on with it."""
    with simulator.reader() as older, simulator.reader() as newer:
        newer.wait(hits=5, timeout=SOON)
        found = batches(older)
        frames = [next(found)]
        newer.stop()
        frames += found
        assert same(frames, newer.hits())


def test_a_reader_that_was_never_started(simulator: Simulator) -> None:
    """There is nothing to wait for, and the error says what to do."""
    reader = simulator.reader()
    for make in (batches, abatches):
        with pytest.raises(WaitTimeout, match=r"Not started yet. .* call start\(\) first"):
            make(reader)


def test_wrong_options_are_refused(simulator: Simulator) -> None:
    """A wrong number of rows and an unknown column are refused before the first batch."""
    with simulator.reader() as reader:
        for rows in (0, True, 2.5):
            with pytest.raises(InvalidOption, match="rows="):
                batches(reader, rows=rows)
        with pytest.raises(UnknownColumn, match="nearest is 'pageName'"):
            batches(reader, columns=["pagename"])
        reader.wait(hits=1, timeout=SOON)
        assert next(batches(reader, columns="pageName")).columns == ["pageName"]


def test_old_hits_are_missed(simulator: Simulator) -> None:
    """What became too old before it was asked for is missed, though nothing came since."""
    with simulator.reader(keep=Keep(age=0.001)) as reader:
        reader.wait(state="streaming", timeout=SOON)
        found = batches(reader)
        held_before = found._next
        reader.wait(hits=200, timeout=SOON)
    with pytest.warns(RuntimeWarning, match="left the reader's buffer"):
        assert list(found) == []
    assert found.missed == reader.status.hits - held_before


@pytest.mark.skipif(sys.platform == "win32", reason="a signal cannot be sent to a thread there")
def test_ctrl_c_ends_the_wait(simulator: Simulator) -> None:
    """A blocked iterator is interrupted as any other cell is; it goes on when asked again."""
    simulator.go_quiet()
    main = threading.get_ident()
    with ThreadPoolExecutor() as pool, simulator.reader() as reader:

        def interrupt() -> None:
            until(lambda: waits(reader))
            signal.pthread_kill(main, signal.SIGINT)

        found, interrupting = batches(reader), pool.submit(interrupt)
        with pytest.raises(KeyboardInterrupt):
            next(found)
        interrupting.result(SOON)
        assert not waits(reader)
        simulator.spike(2)
        assert next(found).height > 0


def test_the_main_thread_is_not_needed(simulator: Simulator) -> None:
    """An iterator works on any thread."""
    with simulator.reader() as reader:
        got: list[int] = []
        thread = threading.Thread(target=lambda: got.append(next(batches(reader)).height))
        thread.start()
        thread.join(SOON)
    assert got
    assert got[0] > 0
