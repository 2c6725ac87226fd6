"""What pages say of a real database, which they read as the reader."""

import pytest
from starlette.testclient import TestClient

pytestmark = pytest.mark.integration
HTML = {"Accept": "text/html,*/*;q=0.8"}


def page(client: TestClient, path: str) -> str:
    answer = client.get(path, headers=HTML)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8"), answer.text
    return answer.text


def test_the_first_page_counts_what_is_open_and_shows_last_prices(client: TestClient) -> None:
    text = page(client, "/")

    assert "<strong>20</strong><span>gaps open, 1 lost in 24 h</span>" in text
    assert "67,000.5" in text
    assert "Not known: no alerter runs here." in text


def test_symbols_are_listed_with_their_last_price(client: TestClient) -> None:
    text = page(client, "/symbols?feed=simulator")

    assert 'href="/symbols/simulator/BTCUSDT"' in text
    assert "67,000.5" in text
    assert "trade, depth" in text
    assert "coinbase</a>" not in text


def test_a_symbol_has_its_chart_of_any_range(client: TestClient) -> None:
    assert "nothing was traded" in page(client, "/symbols/simulator/BTCUSDT?range=1d")
    chart = client.get("/symbols/simulator/BTCUSDT/chart.svg?range=1d&to=2026-01-07T00:00:00Z")

    assert chart.status_code == 200
    assert "From 2026-01-06 00:00 UTC, 288 bars: low 1,439, high 2,881, last 2,880." in chart.text


def test_gaps_are_filtered_and_lead_on(client: TestClient) -> None:
    text = page(client, "/gaps?state=open&limit=5")

    assert text.count('<span class="state">open</span>') == 5
    older = text.partition('<a href="?state=open')[2].partition('"')[0].replace("&amp;", "&")
    assert page(client, f"/gaps?state=open{older}").count('<span class="state">open</span>') == 5


def test_without_runs_the_page_says_so(client: TestClient) -> None:
    assert "There is no run yet." in page(client, "/runs")
