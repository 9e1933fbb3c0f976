"""DICOM files, each named by its SHA-256: what is there is whole, and equal files are one file."""

import hashlib
import os
from collections.abc import Iterable, Set
from pathlib import Path
from uuid import uuid4

from emulator import disk


class Blobs:
    """A folder of files named by content, beside a folder of files not yet taken over.

    Both are on one file system, so that taking a file over is one atomic rename.

    Args:
        root: made if it is not there.
    """

    def __init__(self, root: Path) -> None:
        self._kept = root / "sha256"
        self.incoming = root / "incoming"
        for folder in (self._kept, self.incoming):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Tell where a blob is, or would be."""
        return self._kept / sha256

    def temporary(self) -> Path:
        """Name a new file in the incoming folder."""
        return self.incoming / uuid4().hex

    def keep(self, incoming: Path, sha256: str) -> bool:
        """Take over a settled file from the incoming folder; False where the same is there."""
        if self.path(sha256).exists():
            return False
        incoming.replace(self.path(sha256))
        return True

    def give_back(self, incoming: Path, sha256: str) -> None:
        """Undo `keep`."""
        self.path(sha256).replace(incoming)

    def sync(self) -> None:
        """Have the disk hold the names that `keep` gave."""
        disk.settle(self._kept)

    def remove(self, names: Iterable[str]) -> None:
        """Remove blobs; those that are gone already are no error."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def names(self) -> set[str]:
        """List the blobs."""
        return {entry.name for entry in os.scandir(self._kept)}

    def take_back(self, wanted: Set[str]) -> None:
        """Take over those files of the incoming folder that are wanted, by their content."""
        for entry in os.scandir(self.incoming) if wanted else ():
            with Path(entry.path).open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 in wanted:
                self.keep(Path(entry.path), sha256)

    def empty_incoming(self) -> None:
        """Remove what an interrupted run left in the incoming folder."""
        for entry in os.scandir(self.incoming):
            Path(entry.path).unlink(missing_ok=True)
