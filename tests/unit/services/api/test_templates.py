import pytest
from jinja2 import UndefinedError

from services.api.templates import Html, fill, joined


def test_what_is_not_html_is_escaped() -> None:
    assert fill("parts/paragraph.html", text='a < b & "c"') == "<p>a &lt; b &amp; &#34;c&#34;</p>\n"


def test_what_is_html_stays_as_it_is() -> None:
    assert fill("parts/list.html", items=joined(Html("<li>"), Html("</li>"))) == '<ul class="plain"><li></li></ul>\n'


def test_what_looks_like_a_template_in_a_value_is_text() -> None:
    assert "{{ text }} $$" in fill("parts/paragraph.html", text="{{ text }} $$")


def test_a_value_that_was_forgotten_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        fill("parts/paragraph.html")
