"""answers.py: what a reader says of its hits, with a real simulator."""

import json

import polars as pl
import pyarrow as pa
import pytest

from livestream_nb import Keep, Reader, Simulator
from livestream_nb.errors import InvalidOption, StreamBusy, UnknownColumn
from tests.plain import until

SOON = 20.0
COLUMNS = ["default", "evar5", "products"]


@pytest.fixture(scope="module")
def reader():
    """A reader that has read some hundred hits, and was stopped."""
    with Simulator(speed=60, seed=5) as simulator, simulator.reader(columns=COLUMNS) as reader:
        reader.wait(hits=400, timeout=SOON)
    return reader


def test_the_newest_records_are_as_they_came(reader: Reader) -> None:
    """A sample is the newest records, whole, as dicts with exact integers, the newest last."""
    newest = reader.hits().tail(3)
    sample = reader.sample(3)
    for name in ("hitIdHigh", "hitIdLow", "visIdHigh", "pageName"):
        assert [record[name] for record in sample] == newest[name].to_list()
    assert reader.sample(1) == sample[-1:]
    assert {"evars", "userAgent"} <= sample[0].keys()  # also what is in no column
    assert json.loads(json.dumps(sample)) == sample


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "all"])
def test_a_wrong_number_of_records_is_refused(reader: Reader, n: object) -> None:
    """What is no number of records is refused with the value."""
    with pytest.raises(InvalidOption, match="n="):
        reader.sample(n)


def test_fields_tell_what_the_stream_carries(reader: Reader) -> None:
    """The catalogue has keys of the frame and beside it, by what name to ask, and from how many."""
    fields = {row["field"]: row for row in reader.fields().to_dicts()}
    assert fields["hitIdHigh"]["in_frame"]
    assert fields["hitIdHigh"]["types"] == "integer"
    assert fields["hitIdHigh"]["filled"] == 1.0
    assert fields["pageName"]["meaning"] == "name of the page"
    asked = {name: row["in_frame"] for name, row in fields.items() if row["column"] == "products"}
    assert asked["products[].name"]
    beside = fields["userAgent"]
    assert (beside["column"], beside["in_frame"]) == ("userAgent", False)
    assert 100 <= beside["sampled"] <= reader.status.hits


def test_hits_come_lazily_and_as_arrow(reader: Reader) -> None:
    """A LazyFrame and an Arrow table have the same hits as the frame."""
    hits = reader.hits()
    assert reader.lazy().collect().equals(hits)
    assert pl.DataFrame(pa.table(reader)).equals(hits)
    assert reader.hits(columns="evar5").columns == ["evar5"]
    with pytest.raises(UnknownColumn, match="name it in the Reader's columns"):
        reader.hits(columns=["evar6"])


def test_old_hits_go_by_themselves() -> None:
    """With a limit of age, hits go when they are too old, also when nothing comes any more."""
    with Simulator(speed=60, rate=200) as simulator:
        with simulator.reader(keep=Keep(age="20s")) as reader:
            reader.wait(hits=2_000, timeout=SOON)
            simulator.go_quiet(600)
            until(lambda: reader.hits().is_empty())
            status = reader.status
        assert (status.rows, status.evicted) == (0, status.hits)


def test_bytes_are_a_limit() -> None:
    """With a limit of memory, no more hits are held than fit."""
    with Simulator(speed=60, rate=200) as simulator:
        with simulator.reader(keep=Keep(rows=None, bytes=100_000)) as reader:
            reader.wait(hits=3_000, timeout=SOON)
        assert 50 < reader.hits().height < 1_000
        assert reader.status.evicted == reader.status.hits - reader.hits().height


def test_the_window_of_ids_is_an_option() -> None:
    """So many hits are remembered as was asked for: what came before that comes again."""
    with Simulator(speed=60, rate=100) as simulator, simulator.reader(dedupe=1) as reader:
        reader.wait(hits=500, timeout=SOON)
        simulator.drop()
        reader.wait(state="cooldown", timeout=SOON).wait(state="streaming", timeout=SOON)
        until(lambda: reader.hits().select("hitIdHigh", "hitIdLow").is_duplicated().any())


@pytest.mark.parametrize("options", [{"keep": Keep(age="1h")}, {"dedupe": 5}])
def test_other_limits_are_another_reader(options: dict[str, object]) -> None:
    """A second reader of a stream with other limits is refused, naming the option."""
    (name,) = options
    with Simulator() as simulator, simulator.reader(), pytest.raises(StreamBusy, match=name):
        simulator.reader(**options).start()


@pytest.mark.parametrize("options", [{"keep": 0}, {"keep": "1h"}, {"dedupe": 0}, {"dedupe": 1.5}])
def test_wrong_limits_are_refused(options: dict[str, object]) -> None:
    """A limit that is none is refused before anything is sent, with the value."""
    (name, value) = next(iter(options.items()))
    with pytest.raises(InvalidOption, match=f"{name}={value!r}"):
        Reader("demo", token="canary", **options)
