"""Bodies in parts (RFC 2046, RFC 2387), read and written as streams."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from uuid import uuid4

from emulator.errors import invalid_argument
from emulator.healthcare.dicom.parts import Part

_BOUNDARY = re.compile(r"boundary\s*=\s*(?:\"([^\"]{1,70})\"|([^;\s]{1,70}))", re.IGNORECASE)
MOST_HEADER_BYTES = 16 << 10


def boundary_of(content_type: str) -> bytes:
    """Give the boundary that a Content-Type names.

    Raises:
        ApiError: 400, it names none.
    """
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise invalid_argument("The multipart body's Content-Type names no boundary.")
    return (match[1] or match[2]).encode("latin-1")


class PartReader:
    """Takes a multipart body chunk by chunk, and gives each part its content.

    Args:
        boundary: as the Content-Type names it.
        new_part: makes each part.
    """

    def __init__(self, boundary: bytes, new_part: Callable[[], Part]) -> None:
        self._parts: list[Part] = []
        self._delimiter = b"\r\n--" + boundary
        self._new_part = new_part
        # The first delimiter has no line before it: this stands for one.
        self._held = bytearray(b"\r\n")
        self._step: Callable[[], bool] = self._preamble
        self._part: Part | None = None
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body.

        Raises:
            ApiError: 400 for headers without an end.
        """
        self._held += chunk
        while self._step():
            pass

    def close(self) -> list[Part]:
        """Give the parts.

        Raises:
            ApiError: 400, the body ended before its last delimiter.
        """
        self._end_part()
        if not self._ended:
            raise invalid_argument("The multipart body is cut off: its last boundary is missing.")
        return self._parts

    def abandon(self) -> None:
        """Remove all files."""
        with ExitStack() as stack:  # the trouble of one keeps no other
            for part in self._parts:
                stack.callback(part.abandon)

    def _end_part(self) -> None:
        if self._part is not None:
            part, self._part = self._part, None
            part.close()

    def _preamble(self) -> bool:
        return self._until_delimiter(lambda _content: None)

    def _after_delimiter(self) -> bool:
        """Tell the last delimiter, which ends in two dashes, from one before a part."""
        if len(self._held) < 2:
            return False
        if self._held.startswith(b"--"):
            self._ended = True
            self._step = self._epilogue
            return False
        self._step = self._headers
        return True

    def _headers(self) -> bool:
        end = self._held.find(b"\r\n\r\n")
        if end < 0:
            if len(self._held) > MOST_HEADER_BYTES:
                raise invalid_argument("The headers of a part of the multipart body have no end.")
            return False
        del self._held[: end + 4]
        self._part = self._new_part()
        self._parts.append(self._part)
        self._step = self._content
        return True

    def _content(self) -> bool:
        assert self._part
        return self._until_delimiter(self._part.write)

    def _until_delimiter(self, take: Callable[[bytes], object]) -> bool:
        found = self._held.find(self._delimiter)
        if found < 0:
            # What may be the beginning of a delimiter waits for the rest of it.
            safe = len(self._held) - len(self._delimiter) + 1
            if safe > 0:
                take(bytes(self._held[:safe]))
                del self._held[:safe]
            return False
        take(bytes(self._held[:found]))
        del self._held[: found + len(self._delimiter)]
        self._end_part()
        self._step = self._after_delimiter
        return True

    def _epilogue(self) -> bool:
        self._held.clear()
        return False


def new_boundary() -> str:
    """Make a boundary that no content holds."""
    return uuid4().hex


def write(parts: Iterable[tuple[str, Iterable[bytes]]], boundary: str) -> Iterator[bytes]:
    """Give a multipart body.

    Args:
        parts: the media type and the content of each.
        boundary: from `new_boundary`.
    """
    for kind, content in parts:
        yield f"\r\n--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode()
        yield from content
    yield f"\r\n--{boundary}--\r\n".encode()
