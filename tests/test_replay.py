import gzip
import json
from pathlib import Path

import pytest

from livestream_nb.errors import RecordingError
from livestream_nb.hit_files import raw_records
from livestream_nb.simulator.frames import Identities
from livestream_nb.simulator.replay import Replay
from livestream_nb.simulator.share import WHOLE, Share

DAY = Path(__file__).parents[2] / "shared/traffic/zwitchdev-2015-07-13.ndjson.gz"


def record(number: int, **fields: object) -> bytes:
    return json.dumps({"hitIdHigh": number, "hitIdLow": 2**64 - 1 - number} | fields).encode()


def replay_of(path: Path, *pace: float, **options: object) -> Replay:
    return Replay(raw_records(path), str(path), *pace, **options)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "hits.ndjson"
    path.write_bytes(b"".join(record(n, timeGMT=1000 + n * n) + b"\n" for n in range(5)))
    return path


def test_own_gaps(recording: Path) -> None:
    """At its original pace a hit comes as long after the first as its own time says."""
    replay = replay_of(recording)
    assert [replay.logged(t, WHOLE) for t in (-0.1, 0, 0.9, 1, 4, 8.9, 9, 16, 1e9)] == [
        0,
        1,
        1,
        2,
        3,
        3,
        4,
        5,
        5,
    ]


def test_pace_keeps_proportions(recording: Path) -> None:
    """A recording can be squeezed or stretched into a number of seconds."""
    replay = replay_of(recording, pace=160.0)
    assert [replay.logged(t, WHOLE) for t in (0, 9.9, 10, 40, 89.9, 90, 159.9, 160)] == [
        1,
        1,
        2,
        3,
        3,
        4,
        4,
        5,
    ]


def test_records_keep_their_bytes(tmp_path: Path) -> None:
    """Spaces, unknown fields, huge numbers and bad UTF-8 come out as they are."""
    first, second = b'{"x": 1e400 ,"timeGMT":5,"pageName":"\xe2\x80\xa8\xff"}', b'{"timeGMT":  6}'
    path = tmp_path / "odd.ndjson"
    path.write_bytes(b"\r\n" + first + b"\r\n\n" + second)
    replay = replay_of(path)
    assert replay.records(0, 2, WHOLE, []) == [first, second]
    assert replay.records(1, 2, WHOLE, []) == [second]


def test_gzip_of_several_members(tmp_path: Path) -> None:
    """A gzip file that was appended to is read to its end, whatever its name."""
    path = tmp_path / "hits.bin"
    members = [record(1, timeGMT=1), record(2, timeGMT=2)]
    path.write_bytes(b"".join(gzip.compress(member + b"\r\n") for member in members))
    assert replay_of(path).records(0, 2, WHOLE, []) == members


def test_late_and_timeless_hits_keep_their_place(tmp_path: Path) -> None:
    """A hit that is older than the one before it, or has no time, comes together with that."""
    path = tmp_path / "late.ndjson"
    times: list[dict[str, object]] = [{}, {"timeGMT": 10}, {"timeGMT": 5}, {}, {"timeGMT": 12}]
    path.write_bytes(b"\n".join(record(n, **time) for n, time in enumerate(times)))
    assert [replay_of(path).logged(t, WHOLE) for t in (0, 1.9, 2)] == [4, 4, 5]


def test_numbers_in_quotes_are_numbers(tmp_path: Path) -> None:
    """Ids and times written as strings are understood, since recordings differ in that."""
    path = tmp_path / "quoted.ndjson"
    path.write_bytes(record(1, timeGMT="7", visIdLow="18446744073709551615"))
    hits = replay_of(path).identities(0, 1, WHOLE, [])
    assert (hits.time, hits.visitor_low) == ([7], [2**64 - 1])


def test_single_hit_comes_at_once(tmp_path: Path) -> None:
    """A recording without duration has no pace to keep."""
    path = tmp_path / "one.ndjson"
    path.write_bytes(record(1, timeGMT=7))
    assert replay_of(path, pace=60.0).logged(0.0, WHOLE) == 1


def test_identities(recording: Path) -> None:
    """The truth has the recorded ids, exact to 64 bits, and their times."""
    hits = replay_of(recording).identities(2, 4, WHOLE, [])
    assert hits == Identities(
        [2, 3], [2**64 - 3, 2**64 - 4], [None, None], [None, None], [1004, 1009]
    )


def test_shares_by_visitor(tmp_path: Path) -> None:
    """A share has its visitors' hits, in order; without a visitor it is slot 0."""
    path = tmp_path / "visitors.ndjson"
    visitors = (4, 1, 2, 2**64 - 1, None, 0)
    path.write_bytes(
        b"\n".join(record(n, timeGMT=n, visIdLow=each) for n, each in enumerate(visitors))
    )
    replay = replay_of(path)
    even, odd = Share(0, 2), Share(1, 2)
    assert [replay.numbers(0, 9, share) for share in (even, odd)] == [[0, 2, 4, 5], [1, 3]]
    assert replay.times(1, 3, even) == [2.0, 4.0]
    assert [replay.logged(3.0, share) for share in (even, odd, WHOLE)] == [2, 2, 4]
    assert replay.identities(1, 2, odd, []).high == [3]
    assert json.loads(replay.records(1, 2, odd, [])[0])["hitIdHigh"] == 3


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no hits"),
        (b"\r\n\n", "holds no hits"),
        (b'{"timeGMT":1}\n{"timeGMT":2', "Record 2 of"),
        (b"[1]\n", "Record 1 of"),
        (b'{"timeGMT":"noon"}\n', "Record 1 of"),
        (b'{"hitIdHigh":-1}\n', "Record 1 of"),
        (b'{"hitIdHigh":18446744073709551616}\n', "Record 1 of"),
        (b'{"timeGMT":253402300800}\n', "Record 1 of"),
        (gzip.compress(b'{"timeGMT":1}', mtime=0)[:-9], "cannot be read"),
        (b"\x1f\x8bnot gzip", "cannot be read"),
        (b'{"deep":' + b"[" * 100_000, "Record 1 of"),
        (b"PAR1 \x00 a Parquet file", "Record 1 of"),
    ],
)
def test_unusable_recordings(tmp_path: Path, content: bytes, complaint: str) -> None:
    """What is no recording is refused, naming the file, the fault and the right kinds."""
    path = tmp_path / "bad.ndjson"
    path.write_bytes(content)
    with pytest.raises(RecordingError, match=complaint) as refused:
        replay_of(path)
    assert str(path) in str(refused.value)
    assert ".ndjson.gz" in str(refused.value)


def test_missing_recording(tmp_path: Path) -> None:
    """A file that is not there, and a folder, are refused in the same way."""
    for path in (tmp_path / "nowhere.ndjson", tmp_path):
        with pytest.raises(RecordingError, match="cannot be read") as refused:
            replay_of(path)
        assert str(path) in str(refused.value)


@pytest.mark.skipif(not DAY.exists(), reason="the recorded day is not beside this checkout")
def test_real_day() -> None:
    """The recorded day has 592 hits by 338 visitors, and lasts as long as its times say."""
    replay = replay_of(DAY)
    hits = replay.identities(0, 592, WHOLE, [])
    assert replay.logged(1e9, WHOLE) == len(set(zip(hits.high, hits.low, strict=True))) == 592
    assert len(set(zip(hits.visitor_high, hits.visitor_low, strict=True))) == 338
    assert (hits.time[0], hits.time[-1]) == (1436760278, 1436846258)
    assert replay.times(591, 592, WHOLE) == [1436846258 - 1436760278]
    recorded = gzip.decompress(DAY.read_bytes()).split(b"\r\n")[:-1]
    assert replay.records(0, 592, WHOLE, []) == recorded
