"""The body of a Store request, read as it arrives, with little of it in memory.

Inferred (conformance: stow-content-type-text, dicom-update-json): the texts of refusals.
"""

from collections.abc import AsyncIterable
from typing import Protocol

from starlette.concurrency import run_in_threadpool

from emulator.core import media_type
from emulator.core.errors import invalid_argument
from emulator.services.healthcare.dicom.dicomweb import json_metadata
from emulator.services.healthcare.dicom.dicomweb.accept import MULTIPART
from emulator.services.healthcare.dicom.dicomweb.body_parts import BodyPart, PartFactory
from emulator.services.healthcare.dicom.dicomweb.multipart import PartReader, boundary_of

DICOM = "application/dicom"
MAX_MEMORY_BYTES = 1 << 20
"""Size of a body that is kept in memory and parsed at once, by the thread that stores it."""


class Reader(Protocol):
    """Reader that is fed a body chunk by chunk and returns its parts."""

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""

    def close(self) -> list[BodyPart]:
        """Return the parts.

        Raises:
            ApiError: 400, the body is cut off
        """

    def discard(self) -> None:
        """Delete the files that are not detached."""


class OnePart:
    """Reader of a body that is itself a DICOM file."""

    def __init__(self, new_part: PartFactory) -> None:
        self._new_part = new_part
        self._part: BodyPart | None = None

    def feed(self, chunk: bytes) -> None:
        """Read the next bytes."""
        if self._part is None:
            self._part = self._new_part({})
        self._part.write(chunk)

    def close(self) -> list[BodyPart]:
        """Return the part."""
        assert self._part
        self._part.close()
        return [self._part]

    def discard(self) -> None:
        """Delete the file unless it is detached."""
        if self._part is not None:
            self._part.discard()


class StowBody:
    """The body of a Store request.

    Args:
        content_type: of the request
        new_part: creates its parts
        allow_json: whether it may be JSON metadata with bulk data

    Raises:
        ApiError: 400 for another media type, or without a boundary
    """

    def __init__(self, content_type: str, new_part: PartFactory, *, allow_json: bool) -> None:
        self._reader = _reader(content_type, new_part, allow_json)
        self._new_part = new_part
        self._rest = b""

    async def receive(self, stream: AsyncIterable[bytes]) -> None:
        """Read the body, but for its last bytes, which `parts` reads."""
        held = bytearray()
        async for chunk in stream:
            held += chunk
            if len(held) >= MAX_MEMORY_BYTES:
                await run_in_threadpool(self._reader.feed, bytes(held))
                held.clear()
        self._rest = bytes(held)

    def parts(self) -> list[BodyPart]:
        """Return the parts; a body that is small costs no change of threads before.

        Raises:
            ApiError: 400, the body is cut off or has no part
        """
        self._new_part.held = True
        self._reader.feed(self._rest)
        parts = self._reader.close()
        if not parts:
            raise invalid_argument("The multipart body has no part.")
        return parts

    def discard(self) -> None:
        """Delete the files that are not detached."""
        self._reader.discard()


def _reader(content_type: str, new_part: PartFactory, allow_json: bool) -> Reader:
    parsed = media_type.parse(content_type)
    if parsed.type == DICOM:
        return OnePart(new_part)
    if json_metadata.is_json(content_type):
        if not allow_json:
            raise invalid_argument(
                f"Instances can't be updated by parts of {json_metadata.MEDIA_TYPE}: send DICOM "
                "files, or PATCH the metadata."
            )
        return json_metadata.JsonReader(content_type, new_part)
    if parsed.type == MULTIPART:
        if (of_parts := (parsed.parameters.get("type") or DICOM).lower()) != DICOM:
            raise invalid_argument(
                f"Parts of the type {of_parts!r} are not supported: {DICOM} or "
                f"{json_metadata.MEDIA_TYPE}"
            )
        return PartReader(boundary_of(content_type), new_part)
    raise invalid_argument(  # no 415: see the status codes of Google's Store transaction
        f"Content-Type {parsed.type!r} is not supported: {MULTIPART} or {DICOM}"
    )
