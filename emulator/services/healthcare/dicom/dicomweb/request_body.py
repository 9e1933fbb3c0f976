"""The body of a request to store, taken as it comes: never is much of it in memory."""

from collections.abc import AsyncIterable
from email.message import Message
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from emulator.errors import invalid_argument
from emulator.healthcare.dicom import json_parts
from emulator.healthcare.dicom.accept import MULTIPART
from emulator.healthcare.dicom.multipart import PartReader, boundary_of
from emulator.healthcare.dicom.parts import NewPart, Part

DICOM = "application/dicom"
MOST_HELD_BYTES = 1 << 20
"""Of a body in memory: what is smaller is dealt with in one go, by the thread that stores it."""


class Reader(Protocol):
    """Takes a body chunk by chunk, and parts it."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> list[Part]:
        """Give the parts.

        Raises:
            ApiError: 400, the body is cut off.
        """

    def abandon(self) -> None:
        """Remove all files; those that somebody has taken meanwhile are no error."""


class OnePart:
    """A body that is itself a file."""

    def __init__(self, new_part: NewPart) -> None:
        self._new_part = new_part
        self._part: Part | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        if self._part is None:
            self._part = self._new_part()
        self._part.write(chunk)

    def close(self) -> list[Part]:
        """Give the part."""
        assert self._part
        self._part.close()
        return [self._part]

    def abandon(self) -> None:
        """Remove the file."""
        if self._part is not None:
            self._part.abandon()


class Body:
    """The body of a request.

    Args:
        content_type: of the request.
        new_part: makes its parts.

    Raises:
        ApiError: 400, for another media type and for parts without a boundary.
    """

    def __init__(self, content_type: str, new_part: NewPart) -> None:
        self._reader = _reader(content_type, new_part)
        self._new_part = new_part
        self._rest = b""

    async def receive(self, stream: AsyncIterable[bytes]) -> None:
        """Take the body, but leave what is left of it in the end to `parts`."""
        held = bytearray()
        async for chunk in stream:
            held += chunk
            if len(held) >= MOST_HELD_BYTES:
                await run_in_threadpool(self._reader.feed, bytes(held))
                held.clear()
        self._rest = bytes(held)

    def parts(self) -> list[Part]:
        """Give the parts; a body that is small costs no change of threads before.

        Raises:
            ApiError: 400, the body is cut off or has no part.
        """
        self._new_part.held = True
        self._reader.feed(self._rest)
        parts = self._reader.close()
        if not parts:
            raise invalid_argument("The multipart body has no part.")
        return parts

    def abandon(self) -> None:
        """Remove all files; those that somebody has taken meanwhile are no error."""
        self._reader.abandon()


def _reader(content_type: str, new_part: NewPart) -> Reader:
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == DICOM:
        return OnePart(new_part)
    if json_parts.is_json(content_type):
        return json_parts.JsonReader(content_type, new_part)
    if media_type == MULTIPART:
        if (of_parts := _type_of_parts(content_type)) != DICOM:
            raise invalid_argument(
                f"Parts of the type {of_parts!r} are not supported: {DICOM} or {json_parts.KIND}"
            )
        return PartReader(boundary_of(content_type), new_part)
    raise invalid_argument(  # no 415: see the status codes of Google's Store transaction
        f"Content-Type {media_type!r} is not supported: {MULTIPART} or {DICOM}"
    )


def _type_of_parts(content_type: str) -> str:
    message = Message()
    message["Content-Type"] = content_type
    return str(message.get_param("type") or DICOM).strip().lower()
