"""Recording over HTTP, and looking up."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from nightdesk.errors import UnavailableError
from nightdesk.problems import MEDIA_TYPE
from services.api.routes.orders import AT_ONCE
from tests.unit.services.api.desk import TOKEN, FakeClerk, FakeStore, a_client, away

CSV = {"Content-Type": "text/csv"}
HEAD = "reference,symbol,trader,side,quantity,price,status,ordered_at\n"
ROW = "a-1,AAPL,momentum,buy,10,187.25,executed,2026-11-02T14:30:00Z\n"
AT = datetime(2026, 11, 2, 14, 30, tzinfo=UTC)


def an_order(order_id: int = 7) -> dict[str, Any]:
    return {
        "order_id": order_id, "reference": "a-1", "symbol": "AAPL", "trader": "momentum", "side": "buy",
        "quantity": Decimal("10.500"), "price": Decimal("1E+2"), "total_value": Decimal(1050), "status": "executed",
        "ordered_at": AT, "reason": "", "recorded_at": AT,
    }  # fmt: skip


def test_a_file_is_recorded_and_counted() -> None:
    clerk = FakeClerk()

    answer = a_client(clerk=clerk).post("/orders?create=yes", content=HEAD + ROW, headers=CSV)

    assert answer.status_code == 201
    assert answer.json() == {"received": 1, "added": 1, "changed": 0, "unchanged": 0}
    ((kind, [(line, order)], create),) = clerk.recorded
    assert (kind, line, create) == ("orders", 2, True)
    assert order.model_dump()["price"] == Decimal("187.25")


def test_a_batch_of_json_keeps_every_digit_of_its_numbers() -> None:
    clerk = FakeClerk()
    body = '{"orders": [{"reference": "a", "symbol": "A", "trader": "t", "side": "buy", "status": "failed",'
    body += '"quantity": 0.123456789012345678, "price": "1", "ordered_at": "2026-11-02"}]}'

    answer = a_client(clerk=clerk).post("/orders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 201
    assert clerk.recorded[0][1][0][1].model_dump()["quantity"] == Decimal("0.123456789012345678")


def test_a_wrong_row_of_a_file_is_named_by_its_line() -> None:
    text = HEAD + ROW + ROW.replace("187.25", "1e99")

    answer = a_client().post("/orders", content=text, headers=CSV)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["detail"] == "1 row is wrong of 2; nothing is recorded"
    assert answer.json()["errors"] == [
        {
            "field": "price",
            "place": "line 3",
            "detail": "'1e99' has more than 28 digits in all, or more than 18 on a side of the point",
        }
    ]


def test_a_wrong_row_of_json_is_named_by_its_place() -> None:
    answer = a_client().post("/traders", json={"traders": [{"name": "a"}, {"name": ""}, 5]})

    assert [(one["place"], one["field"]) for one in answer.json()["errors"]] == [
        ("body", "traders.1.name"),
        ("body", "traders.2"),
    ]


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_what_is_neither_csv_nor_json_is_refused(kind: str) -> None:
    answer = a_client().post("/orders", content=HEAD, headers={"Content-Type": kind})

    assert answer.status_code == 415
    assert "text/csv or application/json" in answer.json()["detail"]


def test_json_beyond_its_limit_is_refused_with_the_way_out() -> None:
    body = b'{"traders": [' + b" " * (5 * 1024 * 1024) + b"]}"

    answer = a_client().post("/traders", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413
    assert "text/csv" in answer.json()["detail"]


def test_a_file_larger_than_any_other_body_is_taken() -> None:
    rows = "".join(f"trader-{number}\n" for number in range(20_000))

    answer = a_client().post("/traders", content="name\n" + rows, headers=CSV)

    assert answer.json()["received"] == 20_000


def test_a_file_beyond_every_limit_is_refused() -> None:
    answer = a_client().post("/traders", content=b"name\n" + b"x\n" * (17 * 1024 * 1024), headers=CSV)

    assert answer.status_code == 413


def test_nobody_records_without_the_token_or_from_another_site() -> None:
    clerk = FakeClerk()
    client = a_client(clerk=clerk, token=TOKEN)

    assert client.post("/orders", content=HEAD + ROW, headers=CSV).status_code == 401
    foreign = {**CSV, "Authorization": f"Bearer {TOKEN}", "Origin": "https://elsewhere.example"}
    assert client.post("/orders", content=HEAD + ROW, headers=foreign).status_code == 403
    assert clerk.recorded == []


def test_while_nothing_can_be_recorded_the_answer_says_so() -> None:
    clerk = FakeClerk(error=UnavailableError("CLERK_PASSWORD is not set: nobody may record orders"))

    answer = a_client(clerk=clerk).post("/traders", json={"traders": []})

    assert answer.status_code == 503
    assert "CLERK_PASSWORD" in answer.json()["detail"]


def test_more_imports_than_there_is_room_for_are_sent_away() -> None:
    client = a_client()
    for _ in range(AT_ONCE):
        client.app.state.imports._value -= 1  # type: ignore[attr-defined]

    answer = client.post("/traders", json={"traders": []})

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_amounts_are_strings_of_plain_digits() -> None:
    store = FakeStore(answers={"orders": [an_order()]})

    (order,) = a_client(store=store).get("/orders").json()["orders"]

    assert (order["quantity"], order["price"], order["total_value"]) == ("10.5", "100", "1050")


def test_a_page_of_orders_names_the_next_one() -> None:
    store = FakeStore(answers={"orders": [an_order(9), an_order(8), an_order(7)]})

    body = a_client(store=store).get("/orders?limit=2&symbol=AAPL&status=executed&from=2026-11-01").json()

    assert [order["order_id"] for order in body["orders"]] == [9, 8]
    assert body["next"] == 8
    asked = store.asked[0][1]
    assert (asked["symbol"], asked["status"], asked["limit"]) == ("AAPL", "executed", 3)
    assert asked["from_"] == datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize("path", ["/instruments", "/traders", "/orders"])
def test_without_the_database_there_is_no_answer(path: str) -> None:
    assert a_client(store=away()).get(path).status_code == 503
