from services.simulator.limits import REFUSALS_BEFORE_BAN, SlidingWindow, Weights, Windows


def test_weight_is_counted_by_address_and_minute() -> None:
    weights = Weights(100)
    weights.spend("a", 60, now_s=0)

    assert weights.spend("a", 30, now_s=59).used == 90
    assert weights.spend("b", 30, now_s=59).used == 30
    assert weights.spend("a", 30, now_s=60).used == 30


def test_too_much_weight_is_429_until_the_minute_ends() -> None:
    weights = Weights(100)
    weights.spend("a", 100, now_s=10)
    verdict = weights.spend("a", 1, now_s=45)

    assert (verdict.status, verdict.retry_after_s) == (429, 15)
    assert weights.spend("a", 1, now_s=60).status == 0


def test_who_ignores_429_is_banned_and_longer_each_time() -> None:
    weights = Weights(1)
    bans = []
    for now_s in (0.0, 600.0):
        for _ in range(REFUSALS_BEFORE_BAN + 2):
            verdict = weights.spend("a", 1, now_s=now_s)
        bans.append((verdict.status, verdict.retry_after_s))

    assert bans == [(418, 120), (418, 240)]
    assert weights.spend("a", 1, now_s=700).status == 418
    assert weights.spend("a", 1, now_s=900).status == 0


def test_a_limit_of_zero_is_none() -> None:
    assert Weights(0).spend("a", 10**9, now_s=0).status == 0
    assert all(SlidingWindow(0, 1.0).admits(0) for _ in range(1000))


def test_a_window_slides() -> None:
    window = SlidingWindow(2, 1.0)

    assert [window.admits(now) for now in (0.0, 0.5, 0.9, 1.0, 1.4, 1.5)] == [True, True, False, True, False, True]


def test_a_window_says_how_long_to_wait() -> None:
    windows = Windows(1, 60.0)

    assert windows.admits("key", 0.0)
    assert not windows.admits("key", 20.0)
    assert windows.wait_s("key", 20.0) == 40.0
    assert windows.admits("other", 20.0)
