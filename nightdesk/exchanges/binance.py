"""Binance spot REST: what to ask and what it costs.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints.
"""

from typing import Final

DEPTH_LIMIT: Final = 1000
DEPTH_WEIGHT: Final = 50
"""The cost of a depth snapshot of 501 to 1,000 levels."""


def depth_url(rest_url: str, symbol: str) -> str:
    """Return where the book's snapshot of ``symbol`` is, with ``DEPTH_LIMIT`` levels a side."""
    return f"{rest_url.rstrip('/')}/api/v3/depth?symbol={symbol}&limit={DEPTH_LIMIT}"
