"""Instances whose metadata is patched: their files are written again, in a worker or a thread."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pydicom

from emulator.core import disk
from emulator.services.healthcare.dicom.instances.staged_file import (
    FetchResult,
    StagedFile,
    discard,
)
from emulator.services.healthcare.dicom.parsing import metadata_patch
from emulator.services.healthcare.dicom.parsing.metadata_patch import Patch, PatchError
from emulator.services.healthcare.dicom.parsing.parser import ParseError, parse
from emulator.services.healthcare.dicom.parsing.pydicom_errors import PARSE_ERRORS, translate_errors

GONE = "The file of the instance is missing: it was deleted or replaced meanwhile, or is lost."


@dataclass(frozen=True)
class PatchTask:
    """Instances to patch.

    Attributes:
        sources: name and file of each; a file is named by its SHA-256
        folder: of the new files
        patch: a valid JSON Patch document
    """

    sources: Sequence[tuple[str, Path]]
    folder: Path
    patch: Patch


def patch_files(task: PatchTask) -> list[FetchResult]:
    """Patch the instances of a task, each into a new file.

    Raises:
        OSError: the disk refuses
    """
    done: list[FetchResult] = []
    try:
        for name, path in task.sources:
            done.append(_patch_one(name, path, task))
    except BaseException:
        discard(done)
        raise
    return done


def _patch_one(name: str, path: Path, task: PatchTask) -> FetchResult:
    target = task.folder / uuid4().hex
    try:
        with translate_errors():
            dataset = pydicom.dcmread(path)
            if metadata_patch.apply(dataset, task.patch):
                pydicom.dcmwrite(target, dataset, enforce_file_format=True)
            else:
                shutil.copyfile(path, target)
        disk.fsync(target)
        return FetchResult(name, StagedFile(parse(target), target, replaces=path.name))
    except FileNotFoundError:
        error = GONE
    except (PatchError, ParseError) as refusal:
        error = str(refusal)
    except PARSE_ERRORS as unreadable:  # its text may quote a patient's data
        error = f"The instance can't be patched ({type(unreadable).__name__})."
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    target.unlink(missing_ok=True)
    return FetchResult(name, None, error)
