"""Framing of MLLP: byte-exact, in any pieces, with bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workloads.mllp.framing import Frame, FrameDecoder, FramingError, framed

PAYLOADS = st.lists(st.binary(max_size=40).map(lambda data: data.replace(b"\x1c", b"")))


@given(PAYLOADS, st.integers(min_value=1, max_value=9))
def test_any_bytes_pass_in_any_pieces(payloads: list[bytes], size: int) -> None:
    stream = b"\r\n".join(framed(data) for data in payloads)
    decoder = FrameDecoder(100)
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert [frame for piece in pieces for frame in decoder.feed(piece)] == [
        Frame(data) for data in payloads
    ]
    assert not decoder.is_inside


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"MSH|no start", "does not begin with VT"),
        (framed(b"one") + b"garbage" + framed(b"two"), "does not begin with VT"),
        (b"\x0bMSH\x1cX", "after FS"),
        (b"GET / HTTP/1.1\r\n", "does not begin with VT"),
    ],
)
def test_other_bytes_are_an_error(stream: bytes, reason: str) -> None:
    with pytest.raises(FramingError, match=reason):
        list(FrameDecoder(100).feed(stream))


def test_frames_before_an_error_are_read() -> None:
    frames = FrameDecoder(100).feed(framed(b"one") + b"garbage")
    assert next(frames) == Frame(b"one")
    with pytest.raises(FramingError):
        next(frames)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_an_oversized_message_is_cut_and_the_next_one_is_read(size: int) -> None:
    large = b"MSH|^~\\&|" + bytes(range(0x20, 0x7F)) * 100
    stream = framed(large) + framed(b"next")
    decoder = FrameDecoder(5000)
    frames: list[Frame] = []
    for at in range(0, len(stream), size):
        frames += decoder.feed(stream[at : at + size])
        assert size > 7 or len(decoder._buffer) <= 5000 + size
    assert [frame.is_oversized for frame in frames] == [True, False]
    assert frames[0].data == large[:4096]
    assert frames[1].data == b"next"
