"""What a request to store brings, part by part: in files, or in memory where it is little."""

from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Protocol

from emulator import disk
from emulator.healthcare.dicom import parsing
from emulator.healthcare.dicom.parsing import Record


class Part(Protocol):
    """A DICOM file on its way into a store."""

    def write(self, content: bytes) -> object:
        """Take the next bytes."""

    def close(self) -> None:
        """Note that no more bytes come."""

    def size(self) -> int:
        """Count its bytes."""

    def content(self) -> bytes:
        """Give its bytes."""

    def parse(self) -> Record:
        """Read it.

        Raises:
            ParseError: it is no instance that can be stored.
        """

    def settle(self) -> Path:
        """Give its file, in the incoming folder, once the disk holds it."""

    def release(self) -> None:
        """Note that its file is somebody else's now."""

    def abandon(self) -> None:
        """Remove its file, unless it was released."""


class FilePart:
    """A part that is written to its file as it comes.

    Args:
        path: the file, which is not there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO = path.open("wb")
        self._is_ours = True

    def write(self, content: bytes) -> object:
        """Take the next bytes."""
        return self._file.write(content)

    def close(self) -> None:
        """Note that no more bytes come."""
        self._file.close()

    def size(self) -> int:
        """Count its bytes."""
        return self._path.stat().st_size

    def content(self) -> bytes:
        """Give its bytes."""
        return self._path.read_bytes()

    def parse(self) -> Record:
        """Read it."""
        return parsing.parse(self._path)

    def settle(self) -> Path:
        """Give its file, once the disk holds it."""
        disk.settle(self._path)
        return self._path

    def release(self) -> None:
        """Note that its file is somebody else's now."""
        self._is_ours = False

    def abandon(self) -> None:
        """Remove its file, unless it was released."""
        try:
            self._file.close()
        finally:  # a full disk lets no file be closed that is not written to the end
            if self._is_ours:
                self._path.unlink(missing_ok=True)


class HeldPart:
    """A part in memory, whose file is written in one go, if it comes to that.

    Args:
        path: the file, which is not there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = b""
        self._is_ours = False

    def write(self, content: bytes) -> object:
        """Take the next bytes."""
        self._content += content
        return None

    def close(self) -> None:
        """Note that no more bytes come."""

    def size(self) -> int:
        """Count its bytes."""
        return len(self._content)

    def content(self) -> bytes:
        """Give its bytes."""
        return self._content

    def parse(self) -> Record:
        """Read it."""
        return parsing.parse_content(self._content)

    def settle(self) -> Path:
        """Give its file, once the disk holds it."""
        self._is_ours = True
        disk.write_settled(self._path, self._content)
        return self._path

    def release(self) -> None:
        """Note that its file is somebody else's now."""
        self._is_ours = False

    def abandon(self) -> None:
        """Remove its file, unless it was released."""
        if self._is_ours:
            self._path.unlink(missing_ok=True)


class NewPart:
    """Makes the parts of a body.

    Args:
        new_file: names a new file for each.

    Attributes:
        held: make them in memory: what is left of the body is little.
    """

    def __init__(self, new_file: Callable[[], Path]) -> None:
        self._new_file = new_file
        self.held = False

    def __call__(self) -> Part:
        """Make one."""
        return HeldPart(self._new_file()) if self.held else self.in_file()

    def in_file(self) -> Part:
        """Make one that is written to its file."""
        return FilePart(self._new_file())
