"""Batches from CSV and JSON: what is read, and what is said of what cannot be."""

import contextlib
import csv
import io
import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nightdesk.orders.batches import MAX_JSON_ROWS, from_csv, from_json
from nightdesk.orders.faults import MAX_LISTED, BatchError, Fault
from nightdesk.orders.kinds import INSTRUMENTS, ORDERS, TRADERS, Kind
from nightdesk.orders.models import NewOrder, Recorded

HEAD = "reference,symbol,trader,side,quantity,price,status,ordered_at"
ROW = "a-1,AAPL,momentum,buy,10,187.25,executed,2026-11-02T14:30:00Z"


def read(text: str, kind: Kind = ORDERS) -> list[Recorded]:
    return [record for _, record in from_csv(kind, io.StringIO(text, newline=""))]


def the_one(text: str) -> NewOrder:
    (record,) = read(text)
    assert isinstance(record, NewOrder)
    return record


def refusal(text: str, kind: Kind = ORDERS) -> BatchError:
    with pytest.raises(BatchError) as caught:
        read(text, kind)
    return caught.value


def changed(**values: str) -> str:
    row = dict(zip(HEAD.split(","), ROW.split(","), strict=True)) | values
    return f"{','.join(row)}\n{','.join(row.values())}\n"


def test_columns_may_come_in_any_order_with_any_ends_and_quotes() -> None:
    plain = the_one(f"{HEAD}\n{ROW}\n")
    other = (
        '\ufeff"Status";PRICE;quantity;side;trader;symbol;"Ordered at";reference\r\n'
        ';;;;;;;\r\n\r\n'
        '"EXECUTED"; 187.25 ;10;Buy;"momentum";AAPL;"2026-11-02 15:30+01:00";a-1'
    )  # fmt: skip

    assert the_one(other) == plain
    assert the_one(f"{HEAD}\n{ROW}\n".replace(",", "\t")) == plain
    assert plain.price == Decimal("187.25")


def test_a_time_without_a_zone_is_utc() -> None:
    assert the_one(changed(ordered_at="2026-11-02 14:30:00.25")) == the_one(
        changed(ordered_at="2026-11-02T14:30:00.25Z")
    )


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("quantity", "NaN", "'NaN' is no number such as 1234.5"),
        ("quantity", "Infinity", "'Infinity' is no number such as 1234.5"),
        ("quantity", "0", "'0' is not above zero"),
        ("quantity", "-3", "'-3' is not above zero"),
        ("quantity", "1_000", "'1_000' is no number such as 1234.5"),
        ("quantity", "\uff11\uff12", "is no number such as 1234.5"),
        ("price", "1e999", "has more than 28 digits"),
        ("price", "1e-19", "has more than 28 digits"),
        ("price", "12345678901234567890", "has more than 28 digits"),
        ("price", "1.23456789012345678901234567890", "has more than 28 digits"),
        ("price", "9" * 70, "is no number"),
        ("side", "hold", "'hold': Input should be 'buy' or 'sell'"),
        ("status", "lost", "'executed', 'pending', 'cancelled' or 'failed'"),
        ("ordered_at", "yesterday", "is no time such as 2026-11-02T14:30:00Z"),
        ("ordered_at", "1762093800", "is no time"),
        ("ordered_at", "2026-02-30", "day is out of range"),
        ("ordered_at", "0001-01-01", "is not between the years 1900 and 2199"),
        ("reference", "", "is missing"),
        ("symbol", "A" * 65, "is longer than 64 characters"),
        ("trader", "a\x07b", "has a control character in it"),
        ("trader", "caf\udce9", "is not UTF-8"),
    ],
)
def test_a_wrong_value_is_named_by_line_and_column_with_the_reason(column: str, value: str, reason: str) -> None:
    error = refusal(changed(**{column: value}))

    assert [(fault.place, fault.column) for fault in error.faults] == [(2, column)]
    assert reason in error.faults[0].reason
    assert str(error) == "1 row is wrong of 1; nothing is recorded"


def test_a_long_value_is_shown_shortly() -> None:
    assert len(refusal(changed(status="x" * 5000)).faults[0].reason) < 200


def test_every_wrong_row_is_counted_and_a_hundred_are_listed() -> None:
    error = refusal(f"{HEAD}\n{ROW}\n" + "a,b\n" * 250)

    assert str(error) == "250 rows are wrong of 251, the first 100 of what is wrong listed; nothing is recorded"
    assert len(error.faults) == MAX_LISTED
    assert error.faults[0] == Fault(3, "", "2 values for 8 columns")


def test_lines_are_counted_through_values_of_several_lines_and_blank_ones() -> None:
    broken = ROW.replace("a-1", '"two\nlines"')
    text = "\n".join([HEAD, "", broken, ROW, ROW.replace("buy", "?"), ""])

    assert [(fault.place, fault.column) for fault in refusal(text).faults] == [(3, "reference"), (6, "side")]


def test_the_columns_at_fault_are_named() -> None:
    error = refusal("reference,symbl,trader,side,quantity,price,status,price\n")

    assert [(fault.column, fault.reason) for fault in error.faults] == [
        ("symbl", "is no column that is known here"),
        ("symbol", "is missing"),
        ("ordered_at", "is missing"),
        ("price", "is there twice"),
    ]


@pytest.mark.parametrize("text", ["", "\n", "\ufeff", "   \n" + ROW])
def test_a_file_without_a_first_line_is_refused(text: str) -> None:
    assert "name the columns" in str(refusal(text))


def test_a_quote_that_is_never_closed_is_refused_where_it_begins() -> None:
    error = refusal(f'{HEAD}\n{ROW}\n"{ROW}\n{ROW}\n')

    assert str(error).startswith("line 3 cannot be read")


def test_a_line_without_an_end_is_refused() -> None:
    assert "longer than" in str(refusal(f"{HEAD}\n{'x' * 100_000}"))


def test_a_row_of_many_lines_is_refused_before_all_of_it_is_read() -> None:
    lines = iter([f"{HEAD}\n", '"a\n', *[f'{"x" * 1000}","y\n'] * 500])

    with pytest.raises(BatchError, match="longer than 65536 characters"):
        list(from_csv(ORDERS, lines))

    assert len(list(lines)) > 400


def test_a_first_line_of_too_many_columns_is_refused_without_naming_them() -> None:
    error = refusal(",".join(f"c{number}" for number in range(10_000)))

    assert (str(error), len(error.faults)) == ("line 1 cannot be read: names 10,000 columns; nothing is recorded", 1)


def test_an_unknown_column_is_named_shortly_in_characters_that_can_be_sent() -> None:
    named = [
        refusal(f"{HEAD},caf\udce9{'x' * 5000}").faults[0],
        body_refusal(json.dumps({"orders": [order() | {"x" * 5000: 1}]})).faults[0],
    ]

    assert [(len(fault.column.encode()) < 100, fault.column[-3:]) for fault in named] == [(True, "...")] * 2


def test_a_file_of_the_first_line_alone_is_an_empty_batch() -> None:
    assert read(HEAD) == []
    assert read("name\n", TRADERS) == []


def test_what_is_left_out_is_not_given() -> None:
    (record,) = read("symbol\nAAPL\n", INSTRUMENTS)

    assert record.model_dump() == {"symbol": "AAPL", "name": None, "sector": None}


def order(**values: Any) -> dict[str, Any]:
    return dict(zip(HEAD.split(","), ROW.split(","), strict=True)) | values


def from_body(body: bytes | str) -> list[Recorded]:
    return [record for _, record in from_json(ORDERS, body.encode() if isinstance(body, str) else body)]


def test_json_gives_what_csv_gives() -> None:
    assert from_body(json.dumps({"orders": [order()]})) == read(f"{HEAD}\n{ROW}\n")


@pytest.mark.parametrize("number", ["0.123456789012345678", "123456789012345.123456789", "1e-18", "100", "1E2"])
def test_a_number_of_json_keeps_all_its_digits(number: str) -> None:
    body = json.dumps({"orders": [order(price=0)]}).replace('"price": 0', f'"price": {number}')
    (record,) = from_body(body)

    assert isinstance(record, NewOrder)
    assert record.price == Decimal(number)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("", "is no JSON"),
        ('{"orders": [', "is no JSON"),
        (b'{"orders": "\xe9"}', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"orders": [{"price": NaN}]}', "NaN is no number"),
        ('{"orders": [{"price": 1e99999999999999999999}]}', "is no JSON"),
        ("[]", "has to be"),
        ('{"orders": {}}', "has to be"),
        ('{"orders": [], "more": 1}', "has to be"),
        ('{"orders": [' + "1," * 300_000 + "1]}", "send them as text/csv"),
        (json.dumps({"orders": [1] * (MAX_JSON_ROWS + 1)}), "JSON takes 10,000 at once"),
    ],
)
def test_a_body_that_is_no_batch_is_refused(body: bytes | str, reason: str) -> None:
    with pytest.raises(BatchError, match=reason):
        from_body(body)


def body_refusal(body: bytes | str) -> BatchError:
    with pytest.raises(BatchError) as caught:
        from_body(body)
    return caught.value


@pytest.mark.parametrize(
    "value", [b"[" * 900 + b"]" * 900, b'{"":' * 900 + b"1" + b"}" * 900], ids=["lists", "objects"]
)
def test_a_body_of_nothing_but_depth_is_refused_before_it_is_read(value: bytes) -> None:
    assert "more values than 10,000 orders have" in str(body_refusal(b'{"orders":[' + b",".join([value] * 400) + b"]}"))


@pytest.mark.parametrize("value", ["[" * 900 + "]" * 900, '{"":' * 900 + "1" + "}" * 900], ids=["list", "object"])
def test_a_value_however_deep_is_named_shortly(value: str) -> None:
    given = json.dumps(order(side=0)).replace('"side": 0', f'"side": {value}')

    (fault,) = body_refusal(f'{{"orders": [{given}]}}').faults

    assert (fault.column, len(fault.reason) < 200) == ("side", True)


@pytest.mark.parametrize(
    ("given", "column", "reason"),
    [
        (order(quantity=True), "quantity", "is no number"),
        (order(quantity=None), "quantity", "is no number"),
        (order(reference=5), "reference", "is no text"),
        (order(side=["buy"]), "side", "Input should be"),
        (order(extra=1), "extra", "is no field that is known here"),
        ({"reference": "a", "symbol": ""}, "symbol", "is missing"),
        ("text", "", "is no object"),
        (None, "", "is no object"),
    ],
)
def test_a_wrong_row_of_json_is_named_by_its_place(given: Any, column: str, reason: str) -> None:
    with pytest.raises(BatchError) as caught:
        from_body(json.dumps({"orders": [order(), given]}))

    faults = {fault.column: fault for fault in caught.value.faults}
    assert faults[column].place == 1
    assert reason in faults[column].reason


TEXTS = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)


@given(
    st.lists(st.tuples(TEXTS, TEXTS), max_size=10), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"])
)
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[tuple[str, str]], separator: str, end: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=separator, lineterminator=end)
    writer.writerows([("symbol", "sector"), *rows])

    found = [(one.symbol, one.sector) for one in read(file.getvalue(), INSTRUMENTS)]  # type: ignore[attr-defined]

    assert found == rows


@given(st.text(max_size=400), st.sampled_from([ORDERS, TRADERS, INSTRUMENTS]))
def test_any_text_is_read_or_refused(text: str, kind: Kind) -> None:
    for one in (text, f"{','.join(kind.columns)}\n{text}"):
        with contextlib.suppress(BatchError):
            read(one, kind)


@given(st.binary(max_size=200) | st.recursive(st.none() | st.floats() | st.text(), st.lists).map(
    lambda value: json.dumps({"orders": value}).encode()
))  # fmt: skip
def test_any_body_is_read_or_refused(body: bytes) -> None:
    with contextlib.suppress(BatchError):
        from_body(body)
