"""Files of instances that are written again, changed: in a worker process or a thread."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pydicom
from pydicom.dataset import FileDataset

from emulator.core import disk
from emulator.services.healthcare.dicom.instances.staged_file import (
    FetchResult,
    StagedFile,
    discard,
)
from emulator.services.healthcare.dicom.parsing.parser import ParseError, parse
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS, translate_errors


@dataclass(frozen=True)
class Rewriting:
    """A change of instances, and the words for one that fails.

    Attributes:
        write: writes an instance, which is read of a file, into another file
        refusals: its errors whose texts say why an instance is left out
        missing: the reason where the file of an instance is gone
        failure: the beginning of the reason where an instance can't be read or written
        replaces_sources: whether the new instances replace those of the files, which are named by
            their SHA-256
    """

    write: Callable[[FileDataset, Path, Path], None]
    refusals: tuple[type[Exception], ...]
    missing: str
    failure: str
    replaces_sources: bool = False


def rewrite(
    sources: Sequence[tuple[str, Path]], folder: Path, rewriting: Rewriting
) -> list[FetchResult]:
    """Write instances again, each into a new file.

    Args:
        sources: name and file of each
        folder: of the new files
        rewriting: what is changed

    Raises:
        OSError: the disk refuses; no new file is left
    """
    done: list[FetchResult] = []
    try:
        for name, path in sources:
            done.append(_rewrite_one(name, path, folder, rewriting))
    except BaseException:
        discard(done)
        raise
    return done


def _rewrite_one(name: str, path: Path, folder: Path, rewriting: Rewriting) -> FetchResult:
    target = folder / uuid4().hex
    refusals: tuple[type[Exception], ...] = (*rewriting.refusals, ParseError)
    replaces = path.name if rewriting.replaces_sources else ""
    try:
        with translate_errors():
            rewriting.write(pydicom.dcmread(path), path, target)
        disk.fsync(target)
        return FetchResult(name, StagedFile(parse(target), target, replaces=replaces))
    except FileNotFoundError:
        error = rewriting.missing
    except refusals as refusal:
        error = str(refusal)
    except PARSE_ERRORS as unreadable:  # its text may quote a patient's data
        error = f"{rewriting.failure} ({type(unreadable).__name__})."
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    target.unlink(missing_ok=True)
    return FetchResult(name, None, error)
