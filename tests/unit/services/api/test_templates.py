import pytest

from services.api.templates import Html, fill, joined


def test_what_is_not_html_is_escaped() -> None:
    assert fill("parts/paragraph.html", text='a < b & "c"') == "<p>a &lt; b &amp; &quot;c&quot;</p>\n"


def test_what_is_html_stays_as_it_is() -> None:
    assert fill("parts/list.html", items=joined(Html("<li>"), Html("</li>"))) == '<ul class="plain"><li></li></ul>\n'


def test_a_dollar_in_a_value_is_a_dollar() -> None:
    assert "$text $$" in fill("parts/paragraph.html", text="$text $$")


def test_a_value_that_was_forgotten_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("parts/paragraph.html")
