"""mask=: nothing that tells a person reaches a file, a frame or a sample."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from livestream_nb import Recording, Simulator
from livestream_nb.errors import InvalidOption
from livestream_nb.recording.raw import read_raw
from tests.plain import until

KEY = b"a key of these tests only"
SPEED = 20.0
HASHED = ("ip", "customVisId", "purchaseId", "transactionId")
HALVES = ("visIdHigh", "visIdLow", "mcVisIdHigh", "mcVisIdLow")
CUT = ("geoZip", "zip", "lat", "lon")
URLS = ("pageURL", "referrer")
IDS = ["hitIdHigh", "hitIdLow"]
WHO = ["visIdHigh", "visIdLow"]

PROGRAM = """
import sys
from livestream_nb import Clock, Reader
url, token, rate, origin, folder, key = sys.argv[1:]
clock = Clock(float(rate), float(origin))
reader = Reader(url, token=token, clock=clock, record_to=folder, columns="all", mask=key).start()
sys.stdin.read()
"""


def telling(record: dict[str, Any], number: int) -> dict[str, Any]:
    """A record with everything that a mask is for, also where it does not belong."""
    ip, order = f"203.0.113.{number % 250}", f"order-{number:06}"
    return record | {
        "ip": ip,
        "customVisId": f"member-{number % 40:06}",
        "purchaseId": order,
        "transactionId": f"t-{number:08}",
        "geoZip": f"{90_000 + number}",
        "zip": f"CH{8_000 + number}",
        "lat": f"{47 + number / 10_000:.4f}",
        "lon": f"{8 + number / 10_000:.4f}",
        "pageURL": f"https://www.shop.example/thanks?order={order}&who=member#{ip}",
        "referrer": f"https://search.example/?q=secret+wish+{number}",
        "evars": {"evars": {"evar7": f"member-{number % 40:06}", "evar8": f"seen at {ip} today"}},
    }


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Records of a simulator, made telling."""
    folder = tmp_path_factory.mktemp("plain") / "rec"
    with Simulator(speed=SPEED, rate=50) as sim, sim.reader(record_to=folder) as reader:
        reader.wait(hits=900, timeout=30)
    plain = Recording(folder).records()
    return [telling(json.loads(record), number) for number, record in enumerate(plain)]


@pytest.fixture(scope="module")
def replayed(records: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("replayed") / "hits.ndjson"
    lines = [json.dumps(record).encode() for record in records]
    path.write_bytes(b"\n".join(lines))
    return path


def secrets(records: list[dict[str, Any]]) -> set[bytes]:
    """What no file may hold: values of one record in ten, and what followed their ``?``."""
    records = records[::10]
    values = {str(record.get(name, "")) for record in records for name in (*HASHED, *HALVES, *CUT)}
    queries = {record[name].partition("?")[2] for record in records for name in URLS}
    return {value.encode() for value in values | queries if len(value) >= 6}


def contents(folder: Path) -> Iterator[tuple[Path, bytes]]:
    """Every file as it is, and unpacked."""
    for path in folder.rglob("*"):
        if not path.is_file():
            continue
        yield path, path.read_bytes()
        if path.suffix == ".zst":
            yield path, read_raw(path)
        if path.suffix == ".parquet":
            frame = pl.read_parquet(path, hive_partitioning=False)
            yield path, repr(frame.to_dict(as_series=False)).encode()


def found(folder: Path, wanted: set[bytes]) -> list[tuple[str, bytes]]:
    return [
        (path.name, value)
        for path, content in contents(folder)
        for value in wanted
        if value in content
    ]


def test_no_file_tells(records, replayed: Path, tmp_path: Path) -> None:
    """Not one value is in any file byte for byte: not in the spool of a killed process, nor sealed.

    Which visitor is which can still be told: each has one mask, and no two have the same.
    """
    folder, wanted = tmp_path / "rec", secrets(records)
    with Simulator(hits=replayed, pace=40.0, speed=SPEED) as sim:
        given = sim.stream_url, sim.token, sim.clock.rate, sim.clock.origin, folder, KEY.decode()
        command = [sys.executable, "-c", PROGRAM, *map(str, given)]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as process:
            until(lambda: (folder / "recording.json").exists(), 20)
            followed = Recording(folder).follow()
            until(lambda: followed.status.hits == len(records), 20)
            process.send_signal(signal.SIGKILL)
        followed.close()
        assert list((folder / "spool").glob("*.spool"))
        assert found(folder, wanted) == []
        masked = Recording(folder)
        assert found(folder, wanted) == []
        truth = sim.truth()
    assert list((folder / "spool").glob("*.spool")) == []
    hits = masked.hits(columns=["hitIdHigh", "hitIdLow", *WHO, "customVisId", "ip", "evar7"])
    assert hits.select(IDS).sort(IDS).equals(truth.select(IDS).sort(IDS))
    pairs = hits.join(truth.select(*IDS, visitor=pl.struct(WHO)), on=IDS)
    assert pairs.n_unique(WHO) == pairs.n_unique("visitor") == pairs.n_unique([*WHO, "visitor"])
    assert hits.n_unique("customVisId") == 40
    assert hits["evar7"].to_list() == hits["customVisId"].to_list()


def test_memory_does_not_tell(records, replayed: Path, tmp_path: Path) -> None:
    """A reader's frame, sample and catalogue hold what is masked, and its quarantine no text."""
    wanted = secrets(records)
    with Simulator(hits=replayed, pace=40.0, speed=SPEED) as sim:
        sim.malform()
        with sim.reader(mask=KEY, columns="all") as reader:
            reader.wait(hits=400, timeout=30)
        told = [
            repr(reader.hits().to_dict(as_series=False)),
            repr(reader.sample(1_000)),
            repr(reader.fields().to_dict(as_series=False)),
            repr(reader.quarantine().to_dict(as_series=False)),
            repr(reader),
        ]
    text = "\n".join(told).encode()
    assert [value for value in wanted if value in text] == []
    assert KEY not in text
    assert set(reader.quarantine()["text"]) <= {""}


def test_a_recording_says_its_mask(replayed: Path, tmp_path: Path) -> None:
    """It names what is masked and knows its key by a fingerprint: no other goes on with it."""
    with Simulator(hits=replayed, pace=40.0, speed=SPEED) as sim:
        with sim.reader(record_to=tmp_path / "rec", mask=KEY) as reader:
            reader.wait(hits=100, timeout=30)
        found = Recording(tmp_path / "rec")
        assert found.mask is not None
        assert {*HASHED} <= set(found.mask["hashed"])
        assert KEY.decode() not in (found.path / "recording.json").read_text()
        for other in (None, "another key, of other bytes"):
            with pytest.raises(InvalidOption, match="mask is") as refused:
                sim.reader(record_to=tmp_path / "rec", mask=other).start()
            assert "another key" not in str(refused.value)
        with sim.reader(record_to=tmp_path / "rec", mask=KEY):
            pass


@pytest.mark.parametrize("key", ["short", b"", 5, True])
def test_keys_that_are_none(key: object) -> None:
    """A key that is too short, or no key, is refused without being shown."""
    with Simulator() as sim, pytest.raises(InvalidOption, match="mask=") as refused:
        sim.reader(mask=key)
    assert "short" not in str(refused.value).replace("shorter", "")
