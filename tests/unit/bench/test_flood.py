from bench.flood import paced, unpaced
from bench.market import CHUNK, Market


def test_a_paced_flood_sends_the_same_messages_in_smaller_pieces() -> None:
    market = Market()
    pieces = paced(market, rate=200_000)
    frames, count = b"", 0
    while count < CHUNK:
        piece, messages = next(pieces)
        frames, count = frames + piece, count + messages

    assert count == CHUNK
    assert len(frames) == CHUNK * market.frame_bytes
    whole = next(unpaced(Market()))[0]
    assert ids(frames, market) == ids(whole, market)


def ids(frames: bytes, market: Market) -> list[bytes]:
    size = market.frame_bytes
    return [frames[at : at + size].partition(b'"t":')[2][:10] for at in range(0, len(frames), size)]
