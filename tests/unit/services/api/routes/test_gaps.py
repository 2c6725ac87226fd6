from datetime import UTC, datetime

from tests.unit.services.api.desk import FakeStore, a_client

AT = datetime(2026, 1, 5, 14, 30, tzinfo=UTC)


def a_gap(gap_id: int) -> dict[str, object]:
    return {
        "gap_id": gap_id, "feed": "simulator", "symbol": "BTCUSDT", "kind": 1, "from_id": 5, "to_id": 9,
        "from_time": AT, "to_time": AT, "cause": "disconnected", "state": "open", "source": "", "quality": "",
        "reason": "", "tries": 0, "opened_at": AT, "updated_at": AT,
        "missing_ids": 5, "missing": [[5, 9]],
    }  # fmt: skip


def test_a_gap_says_what_is_missing_and_why() -> None:
    (gap,) = a_client(store=FakeStore(answers={"gaps": [a_gap(1)]})).get("/gaps").json()["gaps"]

    assert (gap["kind"], gap["missing"], gap["missing_ids"], gap["cause"]) == ("trade", [[5, 9]], 5, "disconnected")


def test_a_page_names_the_next_one() -> None:
    store = FakeStore(answers={"gaps": [a_gap(9), a_gap(8), a_gap(7)]})

    body = a_client(store=store).get("/gaps?limit=2&before=10&state=open").json()

    assert [gap["gap_id"] for gap in body["gaps"]] == [9, 8]
    assert body["next"] == 8
    assert store.asked[-1][1] == {"feed": None, "symbol": None, "kind": None, "state": "open", "before": 10, "limit": 3}


def test_the_last_page_names_none() -> None:
    assert a_client(store=FakeStore(answers={"gaps": [a_gap(1)]})).get("/gaps?limit=1").json()["next"] is None


# --- for browsers ---

HTML = {"Accept": "text/html,*/*;q=0.8"}


def test_a_browser_gets_a_page_with_the_filter_as_it_was_asked() -> None:
    store = FakeStore(answers={"gaps": [a_gap(9), a_gap(8)], "feeds": [{"feed": "kraken"}, {"feed": "simulator"}]})

    text = a_client(store=store).get("/gaps?limit=1&state=open&feed=kraken&symbol=BTC%2FUSD", headers=HTML).text

    assert "<option selected>open</option>" in text
    assert "<option selected>kraken</option>" in text
    assert 'value="BTC/USD"' in text
    assert 'href="?feed=kraken&amp;symbol=BTC%2FUSD&amp;state=open&amp;limit=1&amp;before=9"' in text
    assert 'href="/symbols/simulator/BTCUSDT"' in text


def test_a_page_without_gaps_says_so() -> None:
    assert "There is no such gap." in a_client().get("/gaps?before=5", headers=HTML).text
