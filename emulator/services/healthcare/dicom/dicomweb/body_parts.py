"""Body parts of a Store request, in files, or in memory if they are small."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO, Protocol

from emulator.core import disk
from emulator.services.healthcare.dicom.parsing import parser
from emulator.services.healthcare.dicom.parsing.parser import Record


class BodyPart(Protocol):
    """A part of a body: a DICOM file to store, metadata, or bulk data."""

    def write(self, content: bytes) -> object:
        """Append bytes."""

    def close(self) -> None:
        """End the part: no more bytes follow."""

    def size(self) -> int:
        """Return the number of bytes."""

    def content(self) -> bytes:
        """Return the bytes."""

    def parse(self) -> Record:
        """Return the parsed instance.

        Raises:
            ParseError: the bytes are not an instance that can be stored
        """

    def persist(self) -> Path:
        """Return the fsynced file in the staging folder."""

    def detach(self) -> None:
        """Return up the file: its new owner moves or deletes it."""

    def discard(self) -> None:
        """Delete the file unless it is detached."""


class FilePart:
    """A part that is written to its file as it arrives.

    Args:
        path: the file, which does not exist yet
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("wb")
        self._is_ours = True

    def write(self, content: bytes) -> object:
        """Append bytes."""
        return self._file.write(content)

    def close(self) -> None:
        """End the part: no more bytes follow."""
        self._file.close()

    def size(self) -> int:
        """Return the number of bytes."""
        return self._path.stat().st_size

    def content(self) -> bytes:
        """Return the bytes."""
        return self._path.read_bytes()

    def parse(self) -> Record:
        """Return the parsed instance."""
        return parser.parse(self._path)

    def persist(self) -> Path:
        """Return the fsynced file."""
        disk.fsync(self._path)
        return self._path

    def detach(self) -> None:
        """Return up the file: its new owner moves or deletes it."""
        self._is_ours = False

    def discard(self) -> None:
        """Delete the file unless it is detached."""
        try:
            self._file.close()
        finally:  # on a full disk, closing a file fails if its last bytes are not written
            if self._is_ours:
                self._path.unlink(missing_ok=True)


class MemoryPart:
    """A part in memory; its file is written only if the part is stored.

    Args:
        path: the file, which does not exist yet
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b""
        self._is_ours = False

    def write(self, content: bytes) -> object:
        """Append bytes."""
        self._content += content
        return None

    def close(self) -> None:
        """End the part: no more bytes follow."""

    def size(self) -> int:
        """Return the number of bytes."""
        return len(self._content)

    def content(self) -> bytes:
        """Return the bytes."""
        return self._content

    def parse(self) -> Record:
        """Return the parsed instance."""
        return parser.parse_content(self._content)

    def persist(self) -> Path:
        """Return the fsynced file."""
        self._is_ours = True
        disk.write_and_fsync(self._path, self._content)
        return self._path

    def detach(self) -> None:
        """Return up the file: its new owner moves or deletes it."""
        self._is_ours = False

    def discard(self) -> None:
        """Delete the file unless it is detached."""
        if self._is_ours:
            self._path.unlink(missing_ok=True)


class PartFactory:
    """Factory of the parts of a body.

    Args:
        new_file: returns an unused path for each

    Attributes:
        held: whether to create parts in memory, as little of the body is left
    """

    def __init__(self, new_file: Callable[[], Path]) -> None:
        self._new_file = new_file
        self.held = False

    def __call__(self, _headers: Mapping[str, str]) -> BodyPart:
        """Create a part with these headers."""
        return MemoryPart(self._new_file()) if self.held else self.in_file()

    def in_file(self) -> BodyPart:
        """Create a part that is written to its file."""
        return FilePart(self._new_file())
