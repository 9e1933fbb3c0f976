"""De-identification of files, in the worker processes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from emulator.services.healthcare.deidentify import config, pixel_redaction
from emulator.services.healthcare.deidentify.attributes import Attributes
from emulator.services.healthcare.deidentify.config import Rules
from emulator.services.healthcare.deidentify.info_types import InfoTypeDetector, phrases
from emulator.services.healthcare.deidentify.pixel_redaction import UnreadablePixelsError
from emulator.services.healthcare.deidentify.profiles import Base
from emulator.services.healthcare.deidentify.text import TextTransformer
from emulator.services.healthcare.dicom.instances.rewriting import Rewriting, rewrite
from emulator.services.healthcare.dicom.instances.staged_file import FetchResult
from emulator.services.healthcare.dicom.parsing import byte_order

METHOD = "gcp-healthcare-dicom, PS3.15 E.1"
"""Value of the attribute De-identification Method."""
BASIC_PROFILE = ("113100", "DCM", "Basic Application Confidentiality Profile")
_MISSING = "The instance's file is missing: it was deleted or replaced meanwhile, or is lost."
IMPLEMENTATION = UID("2.25.243108395710593821637091520967314028891")


@dataclass(frozen=True)
class DeidentifyTask:
    """Instances to de-identify.

    Attributes:
        sources: name and file of each
        folder: of the new files
        config: a valid DeidentifyConfig
        key: of new UIDs, hashes and shifts
    """

    sources: Sequence[tuple[str, Path]]
    folder: Path
    config: dict[str, object]
    key: bytes


def deidentify_files(task: DeidentifyTask) -> list[FetchResult]:
    """De-identify the instances of a task, each into a new file.

    Raises:
        OSError: the disk refuses
    """
    rules = config.read(task.config)

    def write(dataset: FileDataset, _source: Path, target: Path) -> None:
        apply(dataset, rules, task.key)
        # Unlike `save_as`, it lets a big-endian instance become little-endian.
        pydicom.dcmwrite(target, dataset, enforce_file_format=True)

    failure = "The instance can't be de-identified"
    rewriting = Rewriting(write, (UnreadablePixelsError,), _MISSING, failure)
    return rewrite(task.sources, task.folder, rewriting)


def apply(dataset: FileDataset, rules: Rules, key: bytes) -> None:
    """De-identify an instance in memory: its pixels, attributes and file meta information.

    A big-endian instance becomes little-endian.

    Raises:
        UnreadablePixelsError: not all of the picture can be searched for text
    """
    byte_order.make_little_endian(dataset)
    patient = str(dataset.get("PatientID") or dataset.get("StudyInstanceUID") or "")
    known = phrases(dataset)
    regexes = [(one.pattern, one.groups) for one in rules.pixels.regexes]
    pixel_redaction.redact(
        dataset, rules.pixels, InfoTypeDetector(known, rules.pixels.kept, regexes)
    )
    cleaner = TextTransformer(rules.text, InfoTypeDetector(known, rules.text.without), key, patient)
    Attributes(rules.profile, cleaner, key).apply(dataset)
    _replace_file_meta(dataset)
    if rules.profile.base is Base.BASIC:
        _record_method(dataset)


def _replace_file_meta(dataset: FileDataset) -> None:
    """Replace the preamble and the file meta information, which may hold identifying data."""
    old = dataset.file_meta
    head = FileMetaDataset()
    head.TransferSyntaxUID = old.get("TransferSyntaxUID", ExplicitVRLittleEndian)
    head.MediaStorageSOPClassUID = dataset.SOPClassUID
    head.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    head.ImplementationClassUID = IMPLEMENTATION
    dataset.file_meta = head
    dataset.preamble = b"\0" * 128


def _record_method(dataset: FileDataset) -> None:
    """Record the de-identification and its method, as PS3.15 E.1.1 requires."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = BASIC_PROFILE
    dataset.DeidentificationMethodCodeSequence = [code]
