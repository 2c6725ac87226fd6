"""No credential reaches a log line."""

import pytest

from nightdesk.logs import redacted


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("wss://api.example/v1?api_key=abc123&channel=depth", "wss://api.example/v1?api_key=***&channel=depth"),
        ("postgresql://writer:hunter2@postgres/nightdesk", "postgresql://***@postgres/nightdesk"),
        ("redis://:hunter2@redis:6379/0", "redis://***@redis:6379/0"),
        ("cannot log in with password='hunter2'", "cannot log in with password=***"),
        ("TOKEN=abc, then more", "TOKEN=***, then more"),
        ("https://api.example/depth?symbol=BTCUSDT", "https://api.example/depth?symbol=BTCUSDT"),
    ],
)
def test_credentials_are_left_out_and_all_else_stays(text: str, shown: str) -> None:
    assert redacted(text) == shown
