"""Pictures: well-formed, the same for the same data, and nobody's text becomes part of them."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as some

from services.api.charts.amounts import Amount, bar_chart, column_chart
from services.api.charts.price import PricePoint, price_chart

DAY = datetime(2026, 11, 19, tzinfo=UTC)
STEP = timedelta(minutes=15)
SVG = "{http://www.w3.org/2000/svg}"


def a_point(place: int, close: float = 100.0, volume: float = 5.0) -> PricePoint:
    return PricePoint(time=DAY + place * STEP, low=close - 1, high=close + 1, close=close, volume=volume)


def parts(svg: str, name: str, class_name: str) -> list[ET.Element]:
    return [one for one in ET.fromstring(svg).iter(SVG + name) if one.get("class") == class_name]


def test_a_price_says_in_words_what_it_shows() -> None:
    root = ET.fromstring(price_chart([a_point(0), a_point(1, 104)], title="BTCUSDT", step=STEP))

    assert root.findtext(f"{SVG}title") == "BTCUSDT"
    assert root.findtext(f"{SVG}desc") == "From 2026-11-19 00:00 UTC, 2 bars: low 99, high 105, last 104."


def test_the_line_is_broken_where_nothing_was_traded() -> None:
    svg = price_chart([a_point(0), a_point(1), a_point(5), a_point(6)], title="BTCUSDT", step=STEP)

    assert len(parts(svg, "path", "line")) == len(parts(svg, "path", "band")) == 2


def test_a_volume_of_zero_has_no_column() -> None:
    svg = price_chart([a_point(0), a_point(1, volume=0.0)], title="BTCUSDT", step=STEP)

    assert len(parts(svg, "rect", "volume")) == 1


def test_columns_are_as_tall_as_their_share() -> None:
    svg = column_chart([Amount(label="a", value=10, marked=5), Amount(label="b", value=5)], title="Errors")

    tall, half = (float(one.get("height", "")) for one in parts(svg, "rect", "amount"))
    assert tall == 2 * half == 2 * float(parts(svg, "rect", "marked")[0].get("height", ""))


def test_bars_have_their_names_and_values() -> None:
    svg = bar_chart([Amount(label="worker", value=1200), Amount(label="x" * 40, value=3)], title="Errors")

    words = [one.text for one in ET.fromstring(svg).iter(f"{SVG}text")]
    assert words == ["Errors", "worker", "1,200", "x" * 25 + "…", "3"]


def test_nothing_to_show_is_said() -> None:
    for svg in (price_chart([], title="A", step=STEP), column_chart([], title="A"), bar_chart([], title="A")):
        assert "nothing to show" in svg


numbers = some.floats(0, 1e15)


@given(some.text(), some.lists(some.tuples(some.text(), numbers, numbers), max_size=20))
def test_any_text_stays_text(title: str, given_amounts: list[tuple[str, float, float]]) -> None:
    amounts = [Amount(label=label, value=value, marked=min(value, marked)) for label, value, marked in given_amounts]
    for svg in (column_chart(amounts, title=title), bar_chart(amounts, title=title)):
        assert svg.count("<svg") == 1
        assert "<script" not in svg


@given(some.lists(some.tuples(numbers, numbers), min_size=1, max_size=50))
def test_any_prices_make_a_well_formed_picture(values: list[tuple[float, float]]) -> None:
    points = [a_point(place, close, volume) for place, (close, volume) in enumerate(values)]

    ET.fromstring(price_chart(points, title="A", step=STEP))
