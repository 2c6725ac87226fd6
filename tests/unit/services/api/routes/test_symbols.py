from datetime import UTC, datetime, timedelta

import pytest

from tests.unit.services.api.desk import TOKEN, FakeStore, a_client
from tests.unit.services.api.routes.test_gaps import a_gap
from tests.unit.services.api.routes.test_ticks import EMPTY

HTML = {"Accept": "text/html,*/*;q=0.8"}
AT = datetime(2026, 11, 19, 7, 0, tzinfo=UTC)
BAR = {
    "time": AT, "open": 100.0, "high": 104.0, "low": 99.0, "close": 102.0, "volume": 2.0, "buy_volume": 1.0,
    "quote_volume": 200.0, "trades": 7, "closed": False,
}  # fmt: skip


def a_store(symbol: str = "BTC/USD") -> FakeStore:
    row = {
        "feed": "kraken", "symbol": symbol, "kinds": [1], "last_received_at": AT, "price": 102.0, "percent": 99.93,
    }  # fmt: skip
    tick = EMPTY | {"feed": "kraken", "symbol": symbol, "kind": 1, "time": AT, "received_at": AT, "price": 102.0}
    return FakeStore(
        answers={
            "symbol": [{"symbol_id": 3, "feed": "kraken", "symbol": symbol}],
            "overview": [row],
            "latest": [tick],
            "bars": [BAR],
            "gaps": [a_gap(9)],
            "feeds": [{"feed": "kraken"}, {"feed": "simulator"}],
        }
    )


@pytest.mark.parametrize("path", ["/symbols/kraken/BTC/USD", "/symbols/kraken/BTC%2FUSD"])
def test_a_symbol_with_a_slash_has_its_page(path: str) -> None:
    store = a_store()

    text = a_client(store=store).get(path, headers=HTML).text

    assert "BTC/USD over the last 2 hours: from 100 to 102, low 99, high 104." in text
    assert 'src="/symbols/kraken/BTC%2FUSD/chart.svg?range=2h&amp;to=' in text
    assert "/bars?feed=kraken&amp;symbol=BTC%2FUSD&amp;interval=1m&amp;format=csv" in text
    assert 'href="/gaps?feed=kraken&amp;symbol=BTC%2FUSD"' in text
    assert store.asked[0] == ("symbol", {"feed": "kraken", "symbol": "BTC/USD"})


@pytest.mark.parametrize("symbol", ["^GSPC", "A?b#c", '"><script>', "ÖL", "100%"])
def test_whatever_a_symbol_is_called_its_page_leads_to_its_chart(symbol: str) -> None:
    client = a_client(store=a_store(symbol))
    link = client.get("/symbols", headers=HTML).text.partition('<a href="/symbols/kraken/')[2].partition('"')[0]

    page = client.get(f"/symbols/kraken/{link}", headers=HTML)
    assert page.status_code == 200
    assert "<script>" not in page.text.replace('<script src="/assets/live.js" defer></script>', "")
    chart = client.get(f"/symbols/kraken/{link}/chart.svg")
    assert (chart.status_code, chart.headers["content-type"]) == (200, "image/svg+xml")


def test_the_list_says_what_is_known_of_each() -> None:
    store = a_store()

    text = a_client(store=store).get("/symbols?feed=kraken", headers=HTML).text

    assert "99.93 %" in text
    assert "<option selected>kraken</option>" in text
    (asked,) = [parameters for name, parameters in store.asked if name == "overview"]
    assert asked == {"feed": "kraken", "symbol": None, "day": datetime.now(UTC).date() - timedelta(days=1)}


def test_programs_get_the_list_as_json() -> None:
    store = FakeStore(
        answers={"symbols": [{"feed": "f", "symbol": "S", "shard": 1, "kinds": [], "last_received_at": None}]}
    )

    assert a_client(store=store).get("/symbols").json()["symbols"][0]["symbol"] == "S"


def test_a_chart_is_kept_until_it_is_worth_drawing_anew() -> None:
    client = a_client(store=a_store())

    chart = client.get("/symbols/kraken/BTC/USD/chart.svg?range=90d")

    assert chart.headers["cache-control"] == "private, max-age=60"
    assert chart.headers["content-security-policy"].startswith("default-src 'none'")
    assert "BTC/USD, last 90 days" in chart.text


def test_a_chart_of_the_past_ends_when_it_is_told_to() -> None:
    store = a_store()

    a_client(store=store).get("/symbols/kraken/BTC/USD/chart.svg?range=1d&to=2026-11-19T07:00:00Z")

    asked = dict(store.asked)["bars"]
    assert (asked["from"], asked["to"], asked["minutes"]) == (AT - timedelta(days=1), AT, 5)


@pytest.mark.parametrize("query", ["range=3h", "to=yesterday", "to=1800-01-01"])
def test_another_range_is_refused(query: str) -> None:
    assert a_client(store=a_store()).get(f"/symbols/kraken/X/chart.svg?{query}").status_code == 422


def test_a_symbol_that_was_never_stored_is_not_there() -> None:
    assert a_client().get("/symbols/kraken/BTC/USD").status_code == 404


def test_a_chart_takes_the_token_as_pages_do() -> None:
    client = a_client(token=TOKEN, store=a_store())

    assert client.get("/symbols/kraken/BTC/USD/chart.svg").status_code == 401
    assert client.get("/symbols/kraken/BTC/USD", headers=HTML).headers["location"] == (
        "/login?next=%2Fsymbols%2Fkraken%2FBTC%2FUSD"
    )


def test_a_symbol_without_anything_is_shown_as_such() -> None:
    store = a_store()
    row = {"feed": "kraken", "symbol": "X", "kinds": [], "last_received_at": None, "price": None, "percent": None}
    store.answers |= {"overview": [row], "latest": [], "bars": [], "gaps": []}

    text = a_client(store=store).get("/symbols/kraken/X", headers=HTML).text

    assert "nothing was traded" in text
    assert "There is no gap of it." in text
