import polars as pl
import pytest

from livestream_nb.errors import InvalidOption, UnknownColumn
from livestream_nb.hits.columns import resolve
from livestream_nb.hits.fields import COLUMNS

ALWAYS = ["hitIdHigh", "hitIdLow", "visIdHigh", "visIdLow", "timeGMT", "receivedTimeGMT"]

# The scalars of Adobe's variable reference, and of its example page what the reference forgets.
REFERENCE = """
    bot browser browserHeight browserType browserWidth campaign carrier connectionType
    currency customVisId domain geoCity geoCountry geoDMA geoRegion geoZip hitSource ip
    isErrorPage javaEnabled language languageAbbrev lat lon mcVisIdHigh mcVisIdLow
    mobileAudioSupport mobileColorDepth mobileCookieSupport mobileDeviceName
    mobileDeviceType mobileManufacturer mobileScreenHeight mobileScreenWidth
    mobileVideoSupport monitorColorDepth monitorHeight monitorWidth operatingSystem pageName
    pageURL purchaseId referrer reportSuite searchEngine service site_section topLevelDomain
    transactionId truncated userAgent usesPersistentCookie visIdType zip
"""


def names(columns: object) -> list[str]:
    return [column.name for column in resolve(columns)]


def test_no_choice_is_the_default_set() -> None:
    """None and "default" give the columns that are always there, then fourteen more."""
    chosen = (
        "reportSuite pageName pageURL referrer campaign geoCountry geoRegion geoCity browser"
        " operatingSystem mobileDeviceType searchEngine bot excluded"
    )
    assert names(None) == names("default") == ALWAYS + chosen.split()


def test_default_has_nothing_personal() -> None:
    """The default set has no IP address, user agent, postal code or visitor name."""
    personal = {"ip", "userAgent", "customVisId", "zip", "geoZip", "lat", "lon"}
    assert not personal & set(names("default"))


def test_documented_is_every_scalar_of_the_reference() -> None:
    """The set "documented" is each scalar of Adobe's reference, and whether the hit is excluded."""
    assert set(names("documented")) == {*ALWAYS, *REFERENCE.split(), "excluded"}


def test_sets_and_names_mix_without_repeats() -> None:
    """Sets and names mix, in the order asked for, each column once."""
    mixed = names(["default", "evar5", "pageName", "evar5", "hitIdLow"])
    assert mixed == [*names("default"), "evar5"]
    assert names(["evar5", "default"])[6:8] == ["evar5", "reportSuite"]


def test_a_generator_of_names_is_read_once() -> None:
    """Any iterable of names will do."""
    assert names(name for name in ("prop1", "prop2")) == [*ALWAYS, "prop1", "prop2"]


def test_arrived_and_connection_may_be_named() -> None:
    """The columns that the decoder appends may be named, and are not there twice."""
    assert names(["arrived", "connection", "zip"]) == [*ALWAYS, "zip"]


@pytest.mark.parametrize(
    ("name", "path", "dtype"),
    [
        ("hitIdHigh", ("hitIdHigh",), pl.UInt64()),
        ("timeGMT", ("timeGMT",), pl.Datetime("us", "UTC")),
        ("campaign", ("evars", "evars", "campaign"), pl.String()),
        ("evar250", ("evars", "evars", "evar250"), pl.String()),
        ("prop75", ("props", "prop75"), pl.String()),
        ("site_section", ("props", "site_section"), pl.String()),
        ("event1000", ("events", "event1000"), pl.Float64()),
        ("purchases", ("events", "purchases"), pl.Float64()),
        ("excluded", ("exclude", "value"), pl.Boolean()),
        ("browserHeight", ("browserHeight",), pl.Int32()),
        ("lat", ("lat",), pl.Float64()),
        ("javaEnabled", ("javaEnabled",), pl.Boolean()),
        ("mobileAudioSupport", ("mobileAudioSupport",), pl.String()),
    ],
)
def test_a_column_knows_its_place_and_dtype(
    name: str, path: tuple[str, ...], dtype: pl.DataType
) -> None:
    """A column knows where in the record its value is and what dtype it has."""
    column = resolve(name)[-1] if name not in ALWAYS else COLUMNS[name]
    assert (column.path, column.dtype) == (path, dtype)


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        ("pagename", "'pageName'"),
        ("page_url", "'pageURL'"),
        ("geoCuntry", "'geoCountry'"),
        ("Default", "'default'"),
        ("eVar5", "the nearest is 'evar5'"),
        ("evar251", "evar1 to evar250"),
        ("prop0", "prop1 to prop75"),
        ("event1001", "event1 to event1000"),
        ("evar", "evar1 to evar250"),
        ("product", "the nearest is 'products'"),
        ("mvvar4", "mvvar1 to mvvar3"),
        ("mvvars", "'mvvar1', 'mvvar2', 'mvvar3'"),
        ("exclude", "'excluded'"),
        ("", "the nearest is"),
    ],
)
def test_an_unknown_name_is_refused_with_the_right_one(wrong: str, advice: str) -> None:
    """An unknown name is refused in one sentence that names it and what would be right."""
    with pytest.raises(UnknownColumn) as refused:
        resolve(["default", wrong])
    message = str(refused.value)
    assert repr(wrong) in message
    assert advice in message
    assert "\n" not in message


@pytest.mark.parametrize("wrong", [5, [5], ["default", None], b"pageName", {"a": 1}.items()])
def test_what_is_no_name_is_refused(wrong: object) -> None:
    """Columns that are not names are refused with the value."""
    with pytest.raises(InvalidOption, match="each a string"):
        resolve(wrong)


def test_every_column_says_what_it_means() -> None:
    """Every column has a meaning and a path that ends somewhere."""
    assert all(column.meaning and column.path for column in COLUMNS.values())
    assert len(COLUMNS) > 1400
