"""A real day of a real report suite, decoded and compared with tests/reference.py"""

import gzip
import json
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from livestream_nb.hits.columns import resolve
from livestream_nb.hits.decode import Decoded, Decoder
from tests import reference

DAY = Path(__file__).parents[2] / "shared" / "traffic" / "zwitchdev-2015-07-13.ndjson.gz"
NAMES = ["all", "products", "hierarchies", "mvvar1", "tnt", "linkURL", "geoLatitude"]
NAMES += [f"evar{number}" for number in range(1, 251)]
NAMES += [f"prop{number}" for number in range(1, 76)]
NAMES += ["instances", "carts", "event1", "orders", "revenue"]
COLUMNS = resolve(NAMES)
BLOCK = 100


@pytest.fixture(scope="module")
def records() -> list[bytes]:
    if not DAY.exists():
        pytest.skip(f"the recording of a real day is not beside this checkout: {DAY}")
    return gzip.decompress(DAY.read_bytes()).splitlines(keepends=True)


@pytest.fixture(scope="module")
def decoded(records: list[bytes]) -> list[Decoded]:
    decoder = Decoder(COLUMNS)
    blocks = [b"".join(records[first : first + BLOCK]) for first in range(0, len(records), BLOCK)]
    return [decoder.decode(block, connection=0, arrived=0.0) for block in blocks]


@pytest.fixture(scope="module")
def frame(decoded: list[Decoded]) -> pl.DataFrame:
    return pl.concat([each.frame for each in decoded])


def test_nothing_of_the_day_is_quarantined(decoded: list[Decoded], frame: pl.DataFrame) -> None:
    """All 592 records are hits, and nothing in them is unreadable."""
    assert frame.height == 592
    assert [(each.rejected, each.unreadable) for each in decoded] == [((), {})] * len(decoded)


def test_the_day_s_facts(frame: pl.DataFrame) -> None:
    """What is known about the day is in the frame: hits, visitors, countries, first and last."""
    assert frame.select("hitIdHigh", "hitIdLow").n_unique() == 592
    assert frame.select("visIdHigh", "visIdLow").n_unique() == 338
    assert (frame["hitIdHigh"] >= 2**63).sum() == 289
    assert frame["geoCountry"].n_unique() == 50
    seconds = frame["timeGMT"].dt.epoch("s")
    assert (seconds.min(), seconds.max()) == (1436760278, 1436846258)


def test_columns_are_named_as_their_fields(records: list[bytes], frame: pl.DataFrame) -> None:
    """A field of one value is in the column of its name, whatever the table says."""
    seconds = frame.with_columns(pl.col("timeGMT", "receivedTimeGMT").dt.epoch("s"))
    for record, row in zip(map(json.loads, records), seconds.iter_rows(named=True), strict=True):
        fields = {
            name: value for name, value in record.items() if not isinstance(value, dict | list)
        }
        assert {name: row[name] for name in fields} == fields
        assert {one["key"]: one["value"] for one in row["props"]} == record["props"]
        assert {one["key"]: one["value"] for one in row["evars"]} == record["evars"]["evars"]


def test_every_value_of_the_day_is_that_of_plain_json(
    records: list[bytes], frame: pl.DataFrame
) -> None:
    """Column by column, every value of the day equals the reference's; the ids are exact."""
    expected = reference.decode(b"".join(records), COLUMNS)
    assert (expected.rejected, expected.unreadable) == ([], Counter())
    different = [
        column.name
        for column in COLUMNS
        if frame[column.name].to_list() != [row[column.name] for row in expected.rows]
    ]
    assert different == []
