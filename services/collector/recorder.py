"""Record raw frames in the recordings' format, for replay: one JSON object a line.

    <feed>.ws.jsonl    {"ts": 1633998512.06, "raw": "<the frame's text>"}
    <feed>.http.jsonl  {"ts": 1633998512.32, "url": "<without credentials>", "body": <the decoded answer>}

Nothing here may hold up or end a session: when the disk is full or the limit is reached, recording stops and says so.
"""


class Recorder:
    """To be written."""

    def message(self, raw: bytes, received_ns: int) -> None:
        """Record one message."""

    def answer(self, url: str, body: bytes, received_ns: int) -> None:
        """Record one REST answer."""
