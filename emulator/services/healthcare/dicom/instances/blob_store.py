"""DICOM files named by their SHA-256: a file under its name is whole, equal files are one file."""

import hashlib
import os
from collections.abc import Iterable, Set
from pathlib import Path
from uuid import uuid4

from emulator.core import disk


class BlobStore:
    """A folder of files named by content, beside a staging folder.

    Both are on one file system, so that a commit is one atomic rename.

    Args:
        root: created if it does not exist

    Attributes:
        staging: the folder of files that are not committed yet; called `incoming` on the disk
    """

    def __init__(self, root: Path) -> None:
        self._committed = root / "sha256"
        self.staging = root / "incoming"
        for folder in (self._committed, self.staging):
            folder.mkdir(parents=True, exist_ok=True)

    def path(self, sha256: str) -> Path:
        """Return the path of a blob, whether it exists or not."""
        return self._committed / sha256

    def new_staging_file(self) -> Path:
        """Return an unused path in the staging folder."""
        return self.staging / uuid4().hex

    def commit(self, staged: Path, sha256: str) -> bool:
        """Rename a staged, fsynced file to its blob; return False if the blob exists already."""
        if self.path(sha256).exists():
            return False
        staged.replace(self.path(sha256))
        return True

    def rollback(self, staged: Path, sha256: str) -> None:
        """Undo a commit."""
        self.path(sha256).replace(staged)

    def fsync_dir(self) -> None:
        """Make the names of the blobs durable."""
        disk.fsync(self._committed)

    def remove(self, names: Iterable[str]) -> None:
        """Delete blobs, if they exist."""
        for name in names:
            self.path(name).unlink(missing_ok=True)

    def names(self) -> set[str]:
        """Return the names of all blobs."""
        return {entry.name for entry in os.scandir(self._committed)}

    def recover(self, wanted: Set[str]) -> None:
        """Commit the staged files whose content is wanted: a power cut undid their renames."""
        for entry in os.scandir(self.staging) if wanted else ():
            with Path(entry.path).open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            if sha256 in wanted:
                self.commit(Path(entry.path), sha256)

    def empty_staging(self) -> None:
        """Delete the files that an interrupted run left in the staging folder."""
        for entry in os.scandir(self.staging):
            Path(entry.path).unlink(missing_ok=True)
