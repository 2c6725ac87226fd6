"""A token opens what it was made for, until its time is over, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerter.links import LinkError, Links

NOW = 1_795_435_200.0
LINKS = Links(secret="pepper", last_s=3600.0)


def test_it_opens_the_notification_it_was_made_for() -> None:
    assert LINKS.read(LINKS.sign(42, NOW), NOW) == 42


def test_it_works_until_its_time_is_over() -> None:
    token = LINKS.sign(42, NOW)

    assert LINKS.read(token, NOW + 3599.9) == 42
    with pytest.raises(LinkError, match="too old"):
        LINKS.read(token, NOW + 3600)


def test_a_token_of_another_secret_opens_nothing() -> None:
    with pytest.raises(LinkError, match="of this desk"):
        Links(secret="salt", last_s=3600.0).read(LINKS.sign(42, NOW), NOW)


def test_without_a_secret_there_are_no_links() -> None:
    with pytest.raises(ValueError, match="secret"):
        Links(secret="", last_s=3600.0)


def test_a_longer_life_or_another_number_cannot_be_written_into_it() -> None:
    number, ends, signature = LINKS.sign(42, NOW).split("-")

    for forged in (f"43-{ends}-{signature}", f"{number}-{int(ends) + 1}-{signature}", f"{number}-{ends}-{'0' * 32}"):
        with pytest.raises(LinkError):
            LINKS.read(forged, NOW)


@pytest.mark.parametrize(
    "token",
    ["", "42", "42-1", "0-1-" + "a" * 32, "042-1-" + "a" * 32, "-1-1-" + "a" * 32, "٤٢-1-" + "a" * 32, "x" * 9999],
)
def test_what_has_not_its_form_opens_nothing(token: str) -> None:
    with pytest.raises(LinkError, match="no acknowledge link"):
        LINKS.read(token, NOW)


def test_upper_case_and_spaces_are_not_overlooked() -> None:
    token = LINKS.sign(42, NOW)

    for changed in (token.upper(), f" {token}", f"{token}\n", f"{token}-"):
        with pytest.raises(LinkError):
            LINKS.read(changed, NOW)


@given(st.integers(1, 10**17), st.floats(0, 4e9), st.text(min_size=1, max_size=20))
def test_what_is_signed_is_read_and_one_other_character_is_not(number: int, now_s: float, secret: str) -> None:
    links = Links(secret=secret, last_s=60.0)
    token = links.sign(number, now_s)
    assert links.read(token, now_s) == number

    for place, old in enumerate(token):
        new = "1" if old != "1" else "2"
        with pytest.raises(LinkError):
            links.read(token[:place] + new + token[place + 1 :], now_s)


@given(st.text())
def test_whatever_is_given_is_a_link_or_none(token: str) -> None:
    with pytest.raises(LinkError):
        LINKS.read(token, NOW)
