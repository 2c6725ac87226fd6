from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from services.collector.cutter import Cutter

MAX_BYTES = 100_000
LENGTHS = (0, 1, 125, 126, 127, 65_535, 65_536)


class Peer:
    """Both sides of a cutter: what was cut out, and what somebody else got."""

    def __init__(self, *, may_cut: bool = True) -> None:
        self.may_cut = may_cut
        self.messages: list[bytes] = []
        self.others: list[bytes] = []
        self.cutter = Cutter(on_other=self.other, max_bytes=MAX_BYTES)
        self.cutter.on_message = self.messages.append

    def other(self, data: bytes) -> bool:
        self.others.append(data)
        return self.may_cut

    def take(self, *parts: bytes) -> "Peer":
        for part in parts:
            self.cutter.take(part)
        return self


def frame(opcode: Opcode, data: bytes = b"", *, fin: bool = True, rsv1: bool = False) -> bytes:
    first = bytes([(fin << 7) | (rsv1 << 6) | opcode])
    if len(data) < 126:
        return first + bytes([len(data)]) + data
    if len(data) < 65_536:
        return first + bytes([126]) + len(data).to_bytes(2) + data
    return first + bytes([127]) + len(data).to_bytes(8) + data


def text(data: bytes) -> bytes:
    return frame(Opcode.TEXT, data)


PING = frame(Opcode.PING, b"x")


def test_whole_messages_are_cut_out_and_all_else_is_handed_on_whole() -> None:
    fragments = [frame(Opcode.TEXT, b"a", fin=False), frame(Opcode.CONT, b"b")]
    compressed = frame(Opcode.TEXT, b"zz", rsv1=True)

    peer = Peer().take(PING, text(b"one"), *fragments, frame(Opcode.BINARY, b"two"), compressed, text(b"three"))

    assert peer.messages == [b"one", b"two", b"three"]
    assert peer.others == [PING, *fragments, compressed]


def test_nothing_is_cut_out_until_somebody_says_so() -> None:
    peer = Peer(may_cut=False).take(text(b"one"), text(b"two"))
    assert (peer.messages, peer.others) == ([], [text(b"one"), text(b"two")])

    peer.may_cut = True
    peer.take(text(b"three"), text(b"four"))
    assert (peer.messages, peer.others[-1]) == ([b"four"], text(b"three"))


def test_every_form_of_a_length_is_read() -> None:
    payloads = [bytes(length) for length in LENGTHS]

    assert Peer().take(PING, *map(text, payloads)).messages == payloads


@given(
    st.lists(st.tuples(st.sampled_from(list(Opcode)), st.sampled_from(LENGTHS), st.booleans()), max_size=8),
    st.lists(st.integers(1, 70_000), max_size=12),
)
def test_it_does_not_matter_how_the_bytes_are_divided(
    frames: list[tuple[Opcode, int, bool]], lengths: list[int]
) -> None:
    data = b"".join(frame(opcode, bytes(length), fin=fin) for opcode, length, fin in frames)
    divided, at = [], 0
    for length in lengths:
        divided.append(data[at : at + length])
        at += length
    divided.append(data[at:])

    once, often = Peer().take(data), Peer().take(*divided)

    assert (often.messages, often.others) == (once.messages, once.others)


@given(st.binary(max_size=200))
def test_byte_by_byte_is_no_different_from_all_at_once(data: bytes) -> None:
    once = Peer().take(data)
    bytewise = Peer().take(*(data[at : at + 1] for at in range(len(data))))

    assert bytewise.messages == once.messages
    assert b"".join(bytewise.others) == b"".join(once.others)


@given(st.binary(max_size=400))
def test_garbage_is_handed_on_and_never_raises(data: bytes) -> None:
    Peer().take(PING + data)


def test_a_message_beyond_the_limit_is_somebody_elses_before_it_is_complete() -> None:
    head = bytes([0x81, 127]) + (MAX_BYTES + 1).to_bytes(8)

    peer = Peer().take(PING, head, b"more", b"and more")

    assert (peer.messages, peer.others) == ([], [PING, head, b"more", b"and more"])


def test_a_masked_message_is_somebody_elses_with_all_that_follows() -> None:
    masked = Frame(Opcode.TEXT, b"one").serialize(mask=True)

    peer = Peer().take(PING, masked + text(b"two"))

    assert (peer.messages, peer.others) == ([], [PING, masked + text(b"two")])
