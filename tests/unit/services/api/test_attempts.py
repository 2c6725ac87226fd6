from services.api.attempts import MAX_KNOWN, MAX_WRONG, WITHIN_S, Attempts


class Clock:
    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def after(wrong: int, clock: Clock, who: str = "somebody") -> Attempts:
    attempts = Attempts(clock)
    for _ in range(wrong):
        attempts.failed(who)
    return attempts


def test_who_errs_a_few_times_is_not_held_up() -> None:
    assert after(MAX_WRONG - 1, Clock()).wait_s("somebody") == 0.0


def test_who_errs_too_often_within_a_minute_waits_until_it_is_over() -> None:
    clock = Clock()
    attempts = after(MAX_WRONG, clock)

    clock.now_s += 20.0
    assert attempts.wait_s("somebody") == WITHIN_S - 20.0
    clock.now_s += WITHIN_S - 20.0
    assert attempts.wait_s("somebody") == 0.0


def test_errors_that_are_far_apart_hold_nobody_up() -> None:
    clock = Clock()
    attempts = Attempts(clock)
    for _ in range(10 * MAX_WRONG):
        clock.now_s += WITHIN_S / (MAX_WRONG - 1)
        attempts.failed("somebody")

    assert attempts.wait_s("somebody") == 0.0


def test_nobody_waits_for_what_another_did() -> None:
    assert after(MAX_WRONG, Clock()).wait_s("another") == 0.0


def test_however_many_err_no_more_than_so_many_are_remembered() -> None:
    attempts = after(MAX_WRONG, Clock())
    for number in range(MAX_KNOWN):
        attempts.failed(str(number))

    assert attempts.wait_s("somebody") == 0.0
    assert len(attempts._wrong) == MAX_KNOWN
