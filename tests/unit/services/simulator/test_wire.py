from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.protocol import State
from websockets.uri import parse_uri

from services.simulator.wire import frame, frames


def read(data: bytes) -> list[str]:
    """Read frames as a client of the library does."""
    client = ClientProtocol(parse_uri("ws://localhost/"), max_size=None)
    client.state = State.OPEN
    client.parser = client.parse()
    next(client.parser)
    client.receive_data(data)
    return [bytes(event.data).decode() for event in client.events_received()]


@given(st.lists(st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=300), max_size=20))
def test_a_client_reads_every_text(texts: list[str]) -> None:
    assert read(frames(texts)) == texts


def test_frames_of_every_length_are_read() -> None:
    texts = ["x" * length for length in (0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536, 70_000)]

    assert read(frames(texts)) == texts


def test_texts_are_wrapped() -> None:
    assert read(frames(["1", "2"], '{"stream":"a","data":', "}")) == [
        '{"stream":"a","data":1}',
        '{"stream":"a","data":2}',
    ]


def test_a_recorded_frame_may_hold_any_text() -> None:
    assert read(frame("für 5 €".encode())) == ["für 5 €"]
