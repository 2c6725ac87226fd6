"""What HTTP answers mean to a delivery."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.alerter.channel import LimitedError, PermanentError, Reason, TransientError
from services.alerter.channels.answers import check, object_of, seconds_of
from tests.unit.services.alerter.channels.examples import NOW_S, FakeAnswer


def refusal(status: int, said: str = "", **headers: str) -> PermanentError | LimitedError | TransientError:
    with pytest.raises((PermanentError, LimitedError, TransientError)) as failed:
        check(
            FakeAnswer(status, headers={name.replace("_", "-"): value for name, value in headers.items()}), said, NOW_S
        )
    assert failed.value.status == status
    return failed.value


@pytest.mark.parametrize("status", [200, 201, 202, 204])
def test_what_is_2xx_is_delivered(status: int) -> None:
    check(FakeAnswer(status), "", NOW_S)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, Reason.REFUSED),
        (307, Reason.REFUSED),
        (400, Reason.REFUSED),
        (401, Reason.UNAUTHORIZED),
        (403, Reason.UNAUTHORIZED),
        (404, Reason.NOT_FOUND),
        (410, Reason.NOT_FOUND),
        (413, Reason.REFUSED),
    ],
)
def test_a_refusal_is_permanent(status: int, reason: Reason) -> None:
    error = refusal(status, "no_service")

    assert isinstance(error, PermanentError)
    assert (error.reason, error.retryable, str(error)) == (reason, False, f"status {status}: no_service")


@pytest.mark.parametrize(
    ("status", "reason"), [(408, Reason.TIMEOUT), (500, Reason.SERVER_ERROR), (503, Reason.SERVER_ERROR)]
)
def test_trouble_of_the_other_side_may_pass(status: int, reason: Reason) -> None:
    error = refusal(status)

    assert isinstance(error, TransientError)
    assert (error.reason, error.retryable, str(error)) == (reason, True, f"status {status}")


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"Retry_After": "7"}, 7.0), ({"Retry_After": "Sun, 01 Mar 2026 12:01:30 GMT"}, 90.0), ({}, 30.0)],
)
def test_a_limit_says_how_long_to_wait(headers: dict[str, str], seconds: float) -> None:
    error = refusal(429, **headers)

    assert isinstance(error, LimitedError)
    assert (error.reason, error.retry_after_s) == (Reason.RATE_LIMITED, seconds)


def test_a_wait_that_the_body_names_counts_before_the_header() -> None:
    with pytest.raises(LimitedError) as limited:
        check(FakeAnswer(429, headers={"Retry-After": "7"}), "", NOW_S, wait_s=3.0)
    assert limited.value.retry_after_s == 3.0


def test_a_status_in_the_body_counts_before_that_of_http() -> None:
    with pytest.raises(PermanentError) as refused:
        check(FakeAnswer(200), "", NOW_S, status=403)
    assert (refused.value.reason, refused.value.status) == (Reason.UNAUTHORIZED, 403)


@pytest.mark.parametrize("body", [b"", b"ok", b"[1]", b"\xff", b"[" * 60_000])
def test_what_is_no_object_is_an_empty_one(body: bytes) -> None:
    assert object_of(FakeAnswer(content=body)) == {}


def test_an_object_is_read() -> None:
    assert object_of(FakeAnswer(content=b'{"ok":true}')) == {"ok": True}


@pytest.mark.parametrize(
    ("value", "seconds"),
    [(3, 3.0), ("0.25", 0.25), (1e9, 3600.0), (-1, None), ("soon", None), ("nan", None), (None, None), ([], None)],
)
def test_a_wait_is_a_number_of_seconds_an_hour_at_most(value: object, seconds: float | None) -> None:
    assert seconds_of(value) == seconds


@given(st.one_of(st.text(), st.floats(), st.integers(), st.booleans(), st.none()))
def test_no_wait_is_a_surprise(value: object) -> None:
    seconds = seconds_of(value)

    assert seconds is None or 0.0 <= seconds <= 3600.0
