"""The feeds file and the variables that override it; whatever is wrong is named with its line."""

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nightdesk.errors import ConfigurationError
from nightdesk.feeds_config import FeedConfig, load_feeds, read_feeds
from nightdesk.ticks import Kind

SHIPPED = Path(__file__).parents[3] / "config" / "feeds.yaml"

TWO_FEEDS = """\
feeds:
  one:
    codec: binance
    ws_url: ws://one:1
    rest_url: http://one:1
    symbols: [AUSDT, BUSDT]
    kinds: [trade, quote]
  two-b:
    codec: tickdb
    ws_url: wss://two/v1
    rest_url: https://two/v1
    symbols: [AAPL.US, 7203.T, ON, X.T.US]
    kinds: [trade]
    shards: 4
    calendars: {.US: XNYS, .T: XTKS, ON: XLON}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "feeds.yaml"
    path.write_text(TWO_FEEDS)
    return path


def problems(path: Path, environ: dict[str, str] | None = None) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load_feeds(path, environ or {"FEEDS": "one"})
    return str(caught.value).splitlines()


def changed(path: Path, before: str, after: str) -> Path:
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    return path


def test_the_shipped_file_collects_the_simulator_by_default() -> None:
    feeds = load_feeds(SHIPPED, {})

    assert list(feeds) == ["simulator"]
    assert feeds["simulator"].codec == "binance"
    assert feeds["simulator"].symbols == ("BTCUSDT", "ETHUSDT", "SOLUSDT", "BNBUSDT", "XRPUSDT")
    assert feeds["simulator"].kinds == {Kind.TRADE, Kind.QUOTE, Kind.DEPTH, Kind.KLINE}


def test_the_shipped_file_has_every_feed_of_the_design() -> None:
    assert set(read_feeds(SHIPPED)) >= {"simulator", "binance", "coinbase", "tickdb"}


def test_stocks_of_the_shipped_tickdb_have_market_hours_and_crypto_has_none() -> None:
    tickdb = read_feeds(SHIPPED)["tickdb"]

    assert tickdb.calendar_of("AAPL.US") == "XNYS"
    assert tickdb.calendar_of("BTCUSDT") == "24/7"


def test_feeds_selects_in_its_own_order(file: Path) -> None:
    assert list(load_feeds(file, {"FEEDS": "two-b, one"})) == ["two-b", "one"]


def test_an_unknown_feed_is_named_with_those_there_are(file: Path) -> None:
    [problem] = problems(file, {"FEEDS": "one,three"})

    assert "FEEDS" in problem
    assert "'three'" in problem
    assert "one, two-b" in problem


def test_feeds_may_not_be_only_commas(file: Path) -> None:
    assert "names no feed" in problems(file, {"FEEDS": ","})[0]


def test_subscribed_symbols_override_those_of_the_only_feed(file: Path) -> None:
    feeds = load_feeds(file, {"FEEDS": "one", "SUBSCRIBED_SYMBOLS": "X, Y ,X"})

    assert feeds["one"].symbols == ("X", "Y")


def test_subscribed_symbols_name_the_feed_where_there_are_several(file: Path) -> None:
    environ = {"FEEDS": "one,two-b", "SUBSCRIBED_SYMBOLS": "two-b:A.US,B.US,one:C"}
    feeds = load_feeds(file, environ)

    assert feeds["two-b"].symbols == ("A.US", "B.US")
    assert feeds["one"].symbols == ("C",)


def test_a_subscribed_symbol_without_a_feed_is_a_problem_where_there_are_several(file: Path) -> None:
    [problem] = problems(file, {"FEEDS": "one,two-b", "SUBSCRIBED_SYMBOLS": "A"})

    assert "SUBSCRIBED_SYMBOLS" in problem
    assert "feed:SYM" in problem


def test_addresses_come_from_the_environment_by_the_feeds_name(file: Path) -> None:
    environ = {"FEEDS": "one,two-b", "TWO_B_WS_URL": "ws://here:2", "ONE_REST_URL": "https://there"}
    feeds = load_feeds(file, environ)

    assert feeds["two-b"].ws_url == "ws://here:2"
    assert feeds["one"].rest_url == "https://there"
    assert feeds["one"].ws_url == "ws://one:1"


def test_a_wrong_address_in_the_environment_is_named_by_its_variable(file: Path) -> None:
    [problem] = problems(file, {"FEEDS": "one", "ONE_WS_URL": "http://no"})

    assert problem.startswith("ONE_WS_URL: ")


@pytest.mark.parametrize(
    "address", ["ws://[", "ws://a:99999", "ws://a:0", "ws://:80", "ws://a b", "ws://é", "ws://a/\t", "ws://@/"]
)
def test_an_address_that_leads_nowhere_is_named(file: Path, address: str) -> None:
    [problem] = problems(file, {"FEEDS": "one", "ONE_WS_URL": address})

    assert problem.startswith("ONE_WS_URL: ")


@pytest.mark.parametrize("name", ['"A\\n"', '"A B"', '"A:B"'])
def test_a_symbol_that_is_none_is_named(file: Path, name: str) -> None:
    assert "no symbol" in problems(changed(file, "AUSDT", name))[0]


def test_a_subscribed_symbol_that_is_no_text_is_named(file: Path) -> None:
    assert problems(file, {"FEEDS": "one", "SUBSCRIBED_SYMBOLS": "\udcff"})[0].startswith("SUBSCRIBED_SYMBOLS: ")


def test_many_symbols_are_compared_in_little_time(file: Path) -> None:
    many = ", ".join(f"S{number}" for number in range(19_000))

    assert len(read_feeds(changed(file, "AUSDT, BUSDT", many))["one"].symbols) == 19_000


def test_a_number_is_finite(file: Path) -> None:
    changed(file, "shards: 4", "rest_weight_per_minute: inf")

    assert "rest_weight_per_minute" in problems(file)[0]


def test_a_key_that_is_no_text_is_a_problem(file: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\xff")

    assert "ONE_API_KEY: is not UTF-8" in problems(file, {"FEEDS": "one", "ONE_API_KEY": "\udcff"})[0]
    assert "ONE_API_KEY_FILE: " in problems(file, {"FEEDS": "one", "ONE_API_KEY_FILE": str(tmp_path / "key")})[0]


def test_the_key_comes_from_the_environment_or_from_a_file(file: Path, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from-file\n")
    direct = load_feeds(file, {"FEEDS": "two-b", "TWO_B_API_KEY": "direct"})
    from_file = load_feeds(file, {"FEEDS": "two-b", "TWO_B_API_KEY_FILE": str(tmp_path / "key")})

    assert direct["two-b"].api_key.get_secret_value() == "direct"
    assert from_file["two-b"].api_key.get_secret_value() == "from-file"


def test_the_key_is_in_no_printed_form(file: Path) -> None:
    feed = load_feeds(file, {"FEEDS": "two-b", "TWO_B_API_KEY": "hush"})["two-b"]

    assert "hush" not in f"{feed} {feed!r} {feed.model_dump()} {feed.model_dump_json()}"


def test_a_key_given_twice_or_unreadable_is_a_problem(file: Path, tmp_path: Path) -> None:
    twice = {"FEEDS": "one", "ONE_API_KEY": "a", "ONE_API_KEY_FILE": str(tmp_path / "key")}

    assert "not both" in problems(file, twice)[0]
    assert "ONE_API_KEY_FILE" in problems(file, {"FEEDS": "one", "ONE_API_KEY_FILE": str(tmp_path / "none")})[0]


def test_a_key_in_the_file_is_refused_and_not_repeated(file: Path) -> None:
    [problem] = problems(changed(file, "    shards: 4\n", "    api_key: hush\n"))

    assert ":14: feeds.two-b.api_key: " in problem
    assert "hush" not in problem


def test_a_calendar_is_the_symbols_own_then_the_longest_suffixes_then_the_feeds(file: Path) -> None:
    two = read_feeds(file)["two-b"]

    assert two.calendar_of("ON") == "XLON"
    assert two.calendar_of("X.T.US") == "XNYS"
    assert two.calendar_of("7203.T") == "XTKS"
    assert two.calendar_of("BTC") == "24/7"


def test_symbols_are_text_however_they_look(file: Path) -> None:
    assert "ON" in read_feeds(file)["two-b"].symbols


def test_everything_wrong_is_named_at_once_with_its_line(file: Path) -> None:
    changed(file, "ws_url: ws://one:1", "ws_url: one:1")
    changed(file, "kinds: [trade, quote]", "kinds: [trade, quotes]")
    changed(file, "shards: 4", "shards: many\n    shade: 4")
    changed(file, "codec: tickdb", "coder: tickdb")
    text = "\n".join(problems(file))

    assert f"{file}:4: feeds.one.ws_url: " in text
    assert f"{file}:7: feeds.one.kinds.1: 'quotes' is no kind; write one of trade," in text
    assert f"{file}:14: feeds.two-b.shards: " in text
    assert f"{file}:15: feeds.two-b.shade: " in text
    assert f"{file}:9: feeds.two-b.coder: " in text
    assert f"{file}:9: feeds.two-b.codec: Field required (name of the codec" in text


def test_a_key_given_twice_in_the_file_is_named(file: Path) -> None:
    [problem] = problems(changed(file, "    shards: 4\n", "    codec: binance\n"))

    assert f"{file}:14: codec: is given twice" in problem


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "empty"),
        ("feeds: [", "not YAML"),
        ("\t", "not YAML"),
        ("feeds: {}", "at least 1"),
        ("- a", "the file"),
        ("feeds: &a {one: *a}", "alias"),
        ("? [a]\n: b", "must be a name"),
        ("feeds:\n  One:\n    codec: x", "feeds.One"),
    ],
)
def test_a_file_that_is_none_says_so(file: Path, text: str, says: str) -> None:
    file.write_text(text)

    assert any(says in problem for problem in problems(file))


def test_a_missing_file_names_the_variable_that_says_where_it_is(tmp_path: Path) -> None:
    assert "FEEDS_CONFIG" in problems(tmp_path / "none.yaml")[0]


def test_a_symbol_listed_twice_is_named(file: Path) -> None:
    [problem] = problems(changed(file, "[AUSDT, BUSDT]", "[AUSDT, AUSDT]"))

    assert "'AUSDT' is listed twice" in problem


def outcome(load: Callable[[], dict[str, FeedConfig]]) -> tuple[dict[str, FeedConfig], str]:
    try:
        return load(), ""
    except ConfigurationError as error:
        return {}, str(error)


YAML_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
FIELDS = st.dictionaries(st.sampled_from([*FeedConfig.model_fields, "other"]), YAML_VALUES, max_size=8)
A_FILE = st.dictionaries(st.just("feeds"), st.dictionaries(st.text(max_size=8), FIELDS, max_size=3))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(content=A_FILE.map(lambda tree: yaml.safe_dump(tree).encode()) | st.binary(max_size=200))
def test_whatever_the_file_holds_the_loader_returns_feeds_or_names_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "any.yaml"
    path.write_bytes(content)
    feeds, text = outcome(lambda: read_feeds(path))

    assert str(path) in text if text else all(feed.symbols and feed.kinds for feed in feeds.values())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    environ=st.dictionaries(
        st.sampled_from(
            ["FEEDS", "SUBSCRIBED_SYMBOLS", "ONE_WS_URL", "ONE_REST_URL", "ONE_API_KEY", "ONE_API_KEY_FILE"]
        ),
        st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
        | st.sampled_from(["one", "one:A,two-b:B", "one,two-b"]),
    )
)
def test_whatever_the_environment_holds_is_used_or_named(file: Path, environ: dict[str, str]) -> None:
    feeds, text = outcome(lambda: load_feeds(file, {"FEEDS": "one", **environ}))

    assert bool(feeds) != bool(text.strip())
