"""Money in JSON: a string of plain digits, since JSON's numbers pass through binary floats in most readers. Pure."""

from decimal import Decimal
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema


def plain(amount: Decimal) -> str:
    """Return an amount without exponent and without zeros at the end of its fraction."""
    text = f"{amount:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"", "-0"} else text


Amount = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+(\.\d+)?$", "examples": ["1234.5"]}, mode="serialization"),
]
"""A sum or an average, exact; a string of plain digits in JSON."""
