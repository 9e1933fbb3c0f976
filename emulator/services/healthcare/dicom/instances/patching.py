"""Instances whose metadata is patched: their files are written again, in a worker or a thread."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset

from emulator.services.healthcare.dicom.instances.rewriting import Rewriting, rewrite
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult
from emulator.services.healthcare.dicom.parsing import metadata_patch
from emulator.services.healthcare.dicom.parsing.metadata_patch import Patch, PatchError

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

    def write(dataset: FileDataset, source: Path, target: Path) -> None:
        if metadata_patch.apply(dataset, task.patch):
            pydicom.dcmwrite(target, dataset, enforce_file_format=True)
        else:
            shutil.copyfile(source, target)

    failure = "The instance can't be patched"
    rewriting = Rewriting(write, (PatchError,), GONE, failure, replaces_sources=True)
    return rewrite(task.sources, task.folder, rewriting)
