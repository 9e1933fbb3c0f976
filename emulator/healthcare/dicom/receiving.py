"""The body of a request to store, written to the disk as it comes."""

from collections.abc import AsyncIterable, Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from starlette.concurrency import run_in_threadpool

from emulator.errors import ApiError, invalid_argument
from emulator.healthcare.dicom.accept import MULTIPART
from emulator.healthcare.dicom.multipart import PartFiles, boundary_of

DICOM = "application/dicom"
MOST_HELD_BYTES = 1 << 20
"""Of a body in memory: what is smaller is written in one go, by the thread that stores it."""


class Files(Protocol):
    """Takes a body chunk by chunk."""

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""

    def close(self) -> list[Path]:
        """Give the files.

        Raises:
            ApiError: 400, the body is cut off.
        """

    def abandon(self) -> None:
        """Remove all files; those that somebody has taken meanwhile are no error."""


class OneFile:
    """A body that is itself a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("wb")

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes."""
        self._file.write(chunk)

    def close(self) -> list[Path]:
        """Give the file."""
        self._file.close()
        return [self._path]

    def abandon(self) -> None:
        """Remove the file."""
        try:
            self._file.close()
        finally:  # a full disk lets no file be closed that is not written to the end
            self._path.unlink(missing_ok=True)


def files_of(content_type: str, new_file: Callable[[], Path]) -> Files:
    """Choose how a body is taken.

    Args:
        content_type: of the request.
        new_file: names a new file.

    Raises:
        ApiError: 415 for another media type, 400 for parts without a boundary.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == DICOM:
        return OneFile(new_file())
    if media_type == MULTIPART:
        return PartFiles(boundary_of(content_type), new_file)
    raise ApiError(
        415,
        "INVALID_ARGUMENT",
        f"Content-Type {media_type!r} is not supported: {MULTIPART} or {DICOM}",
    )


async def receive(body: AsyncIterable[bytes], files: Files) -> bytes:
    """Write a body to its files, but for the last part of it.

    Returns:
        The rest, which is still to be fed: a body that is small costs no change of threads.
    """
    held = bytearray()
    async for chunk in body:
        held += chunk
        if len(held) >= MOST_HELD_BYTES:
            await run_in_threadpool(files.feed, bytes(held))
            held.clear()
    return bytes(held)


def finish(files: Files, rest: bytes) -> list[Path]:
    """Write the rest of a body, and give its files.

    Raises:
        ApiError: 400, the body is cut off or has no part.
    """
    files.feed(rest)
    paths = files.close()
    if not paths:
        raise invalid_argument("The multipart body has no part.")
    return paths
