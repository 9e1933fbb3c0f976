"""Parsed files that wait in the staging folder to be stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from emulator.services.healthcare.dicom.parsing.parser import Record

ANY = "*"
"""Replaces the stored instance with the same UIDs, whatever its content, or is added."""


@dataclass(frozen=True, slots=True)
class StagedFile:
    """A parsed file in the staging folder, its content fsynced.

    Attributes:
        record: the parsed attributes
        path: the file
        is_named: whether the disk holds its name too, as journaling file systems do for a new
            file after an fsync: if a power cut loses its next name, this one is still there
        replaces: the SHA-256 of the stored instance with the same UIDs that it replaces, or `ANY`;
            empty for a new instance, which replaces none
    """

    record: Record
    path: Path
    is_named: bool = False
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class FetchResult:
    """An object that was fetched and parsed, or the reason why not."""

    name: str
    staged: StagedFile | None
    error: str = ""


def discard(fetched: Sequence[FetchResult]) -> None:
    """Delete the staged files of a task whose result is not needed any more."""
    for one in fetched:
        if one.staged:
            one.staged.path.unlink(missing_ok=True)
