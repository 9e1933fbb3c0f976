"""The framing of MLLP: VT, the bytes of a message, FS, CR.

Bytes pass as they are, in any encoding. `hl7.mllp` reads frames too, but it can't see where one
begins: it takes what stands before VT as part of a frame, and its limit closes the stream.
"""

from collections.abc import Iterator
from dataclasses import dataclass

START, END, CARRIAGE_RETURN = b"\x0b", b"\x1c", b"\x0d"
HEAD_BYTES = 4096
"""Kept of an oversized message, for the header that its NACK refers to."""

_BETWEEN_FRAMES = b"\r\n"
"""Bytes that some senders add after a frame."""


class FramingError(Exception):
    """Bytes that are not MLLP; the connection is of no more use."""


@dataclass(frozen=True)
class Frame:
    """A frame.

    Attributes:
        data: the message, or the first bytes of an oversized one
        is_oversized: whether the message is larger than the limit
    """

    data: bytes
    is_oversized: bool = False


def framed(data: bytes) -> bytes:
    """Return the frame of a message."""
    return START + data + END + CARRIAGE_RETURN


class FrameDecoder:
    """Reads frames from the pieces that a socket returns.

    Args:
        max_bytes: of a message; a larger one takes no memory
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._searched = 0
        self._head: bytes | None = None
        self.is_inside = False

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Yield the frames that end in these bytes.

        Raises:
            FramingError: bytes other than CR and LF stand between frames, or CR does not follow FS
        """
        self._buffer += data
        while self._has_begun():
            end = self._buffer.find(END, self._searched)
            if end < 0 or end + 1 == len(self._buffer):
                self._searched = len(self._buffer) if end < 0 else end
                self._limit()
                return
            if self._buffer[end + 1 : end + 2] != CARRIAGE_RETURN:
                raise FramingError("the byte after FS (0x1C) is not CR (0x0D)")
            yield self._take(end)

    def _has_begun(self) -> bool:
        """Whether a frame has begun; skip what may stand before it."""
        if self.is_inside:
            return True
        rest = self._buffer.lstrip(_BETWEEN_FRAMES)
        if rest and not rest.startswith(START):
            raise FramingError("a frame does not begin with VT (0x0B)")
        self.is_inside = bool(rest)
        self._buffer = rest[1:]
        self._searched = 0
        return self.is_inside

    def _take(self, end: int) -> Frame:
        data = bytes(self._buffer[:end])
        if self._head is not None:
            frame = Frame(self._head, is_oversized=True)
        elif len(data) > self._max_bytes:
            frame = Frame(data[:HEAD_BYTES], is_oversized=True)
        else:
            frame = Frame(data)
        del self._buffer[: end + 2]
        self._head, self.is_inside = None, False
        return frame

    def _limit(self) -> None:
        """Drop the bytes of an oversized message, but for those not searched yet."""
        if self._head is None and self._searched > self._max_bytes:
            self._head = bytes(self._buffer[:HEAD_BYTES])
        if self._head is not None:
            del self._buffer[: self._searched]
            self._searched = 0
