"""Multipart bodies (RFC 2046, RFC 2387), read and written as streams.

python-multipart reads form data: it refuses a preamble, which RFC 2046 allows, and on large parts
it is slower than one search for the delimiter in each chunk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from uuid import uuid4

from emulator.core import media_type
from emulator.core.errors import invalid_argument
from emulator.services.healthcare.dicom.dicomweb.body_parts import BodyPart

MAX_BOUNDARY_LENGTH = 70
MAX_HEADER_BYTES = 16 << 10

Headers = Mapping[str, str]
"""Headers of a body part: values by name in lower case."""


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that a Content-Type names.

    Raises:
        ApiError: 400, it names none, or one that is too long
    """
    boundary = media_type.parse(content_type).parameters.get("boundary", "")
    if not 0 < len(boundary) <= MAX_BOUNDARY_LENGTH:
        raise invalid_argument(
            "The multipart body's Content-Type names no boundary of 1 to "
            f"{MAX_BOUNDARY_LENGTH} characters."
        )
    return boundary.encode("latin-1", "replace")


class PartReader:
    """Reader of a multipart body, which is fed chunk by chunk and writes each part.

    Args:
        boundary: as the Content-Type names it
        new_part: creates a part with these headers
    """

    def __init__(self, boundary: bytes, new_part: Callable[[Headers], BodyPart]) -> None:
        self._parts: list[BodyPart] = []
        self._delimiter = b"\r\n--" + boundary
        self._new_part = new_part
        # The first delimiter has no line before it: this stands for one.
        self._held = bytearray(b"\r\n")
        self._step: Callable[[], bool] = self._preamble
        self._part: BodyPart | None = None
        self._ended = False

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes of the body.

        Raises:
            ApiError: 400 for headers without an end
        """
        self._held += chunk
        while self._step():
            pass

    def close(self) -> list[BodyPart]:
        """Return the parts.

        Raises:
            ApiError: 400, the body ended before its last delimiter
        """
        self._end_part()
        if not self._ended:
            raise invalid_argument("The multipart body is cut off: its last boundary is missing.")
        return self._parts

    def discard(self) -> None:
        """Delete the files that are not detached."""
        with ExitStack() as stack:  # an error of one does not keep the others
            for part in self._parts:
                stack.callback(part.discard)

    def _end_part(self) -> None:
        if self._part is not None:
            part, self._part = self._part, None
            part.close()

    def _preamble(self) -> bool:
        return self._until_delimiter(lambda _content: None)

    def _after_delimiter(self) -> bool:
        """Distinguish the last delimiter, which ends in two dashes, from one before a part."""
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
            if len(self._held) > MAX_HEADER_BYTES:
                raise invalid_argument("The headers of a part of the multipart body have no end.")
            return False
        headers = _parse_headers(bytes(self._held[:end]))
        del self._held[: end + 4]
        self._part = self._new_part(headers)
        self._parts.append(self._part)
        self._step = self._content
        return True

    def _content(self) -> bool:
        assert self._part
        return self._until_delimiter(self._part.write)

    def _until_delimiter(self, take: Callable[[bytes], object]) -> bool:
        found = self._held.find(self._delimiter)
        if found < 0:
            # The end may be the beginning of a delimiter: it waits for the next bytes.
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


def _parse_headers(block: bytes) -> Headers:
    lines = (line.partition(":") for line in block.decode("latin-1").split("\r\n"))
    return {name.strip().lower(): value.strip() for name, colon, value in lines if colon}


def new_boundary() -> str:
    """Return a boundary that no content contains."""
    return uuid4().hex


def write(parts: Iterable[tuple[str, Iterable[bytes]]], boundary: str) -> Iterator[bytes]:
    """Yield a multipart body.

    Args:
        parts: the Content-Type and the content of each
        boundary: from `new_boundary`
    """
    for content_type, content in parts:
        yield f"\r\n--{boundary}\r\nContent-Type: {content_type}\r\n\r\n".encode()
        yield from content
    yield f"\r\n--{boundary}--\r\n".encode()
