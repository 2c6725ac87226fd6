"""Money in JSON."""

from decimal import Decimal

import pytest

from nightdesk.reports.daily import TraderProfit


@pytest.mark.parametrize(
    ("amount", "written"),
    [("1E+3", "1000"), ("-1.500", "-1.5"), ("-0.00", "0"), ("0E-9", "0"), ("0", "0")],
)
def test_an_amount_is_written_as_plain_digits(amount: str, written: str) -> None:
    one = TraderProfit(trader="t", profit=Decimal(amount), orders=1)

    assert one.model_dump(mode="json") == {"trader": "t", "profit": written, "orders": 1}
