"""De-identify files: what the worker processes do."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pydicom
from pydicom.dataset import FileDataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian

from emulator.disk import settle
from emulator.healthcare.deidentify import config, pixels
from emulator.healthcare.deidentify.attributes import Attributes
from emulator.healthcare.deidentify.config import Rules
from emulator.healthcare.deidentify.pixels import UnreadablePixelsError
from emulator.healthcare.deidentify.profiles import Base
from emulator.healthcare.deidentify.sensitive import Detector, phrases
from emulator.healthcare.deidentify.texts import Cleaner
from emulator.healthcare.dicom.additions import Incoming
from emulator.healthcare.dicom.fetching import Fetched, discard
from emulator.healthcare.dicom.malformed import UNREADABLE, reading
from emulator.healthcare.dicom.parsing import ParseError, parse

METHOD = "gcp-healthcare-dicom, PS3.15 E.1"
"""What the attribute De-identification Method says."""
BASIC_PROFILE = ("113100", "DCM", "Basic Application Confidentiality Profile")
IMPLEMENTATION = UID("2.25.243108395710593821637091520967314028891")


@dataclass(frozen=True)
class Task:
    """Instances to de-identify.

    Attributes:
        sources: name and file of each.
        folder: where the new files go.
        config: a DeidentifyConfig, which has been read before without an error.
        key: what new UIDs, hashes and shifts come from.
    """

    sources: Sequence[tuple[str, Path]]
    folder: Path
    config: dict[str, object]
    key: bytes


def run(task: Task) -> list[Fetched]:
    """De-identify the instances of a task, each into a new file.

    Raises:
        OSError: the disk refuses.
    """
    rules = config.read(task.config)
    done: list[Fetched] = []
    try:
        for name, path in task.sources:
            done.append(_one(name, path, task, rules))
    except BaseException:
        discard(done)
        raise
    return done


def _one(name: str, path: Path, task: Task, rules: Rules) -> Fetched:
    target = task.folder / uuid4().hex
    try:
        with reading():
            dataset = pydicom.dcmread(path)
            apply(dataset, rules, task.key)
            dataset.save_as(target, enforce_file_format=True)
        settle(target)
        return Fetched(name, Incoming(parse(target), target))
    except FileNotFoundError:
        error = "The instance's file is not there: it was deleted meanwhile, or is lost."
    except (UnreadablePixelsError, ParseError) as refusal:
        error = str(refusal)
    except UNREADABLE as unreadable:  # its text may quote a patient's data
        error = f"The instance can't be de-identified ({type(unreadable).__name__})."
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    target.unlink(missing_ok=True)
    return Fetched(name, None, error)


def apply(dataset: FileDataset, rules: Rules, key: bytes) -> None:
    """De-identify an instance in memory: its pixels, its attributes and its file's head.

    Raises:
        UnreadablePixelsError: text in the picture is to go, and the picture can't be decoded.
    """
    patient = str(dataset.get("PatientID") or dataset.get("StudyInstanceUID") or "")
    known = phrases(dataset)
    regexes = [(one.pattern, one.groups) for one in rules.pixels.regexes]
    pixels.redact(dataset, rules.pixels, Detector(known, rules.pixels.without, regexes))
    cleaner = Cleaner(rules.text, Detector(known, rules.text.without), key, patient)
    Attributes(rules.profile, cleaner, key).apply(dataset)
    _renew_head(dataset)
    if rules.profile.base is Base.BASIC:
        _tell(dataset)


def _renew_head(dataset: FileDataset) -> None:
    """Write the file's head anew: the old one may name institutions, and its preamble anything."""
    old = dataset.file_meta
    head = FileMetaDataset()
    head.TransferSyntaxUID = old.get("TransferSyntaxUID", ExplicitVRLittleEndian)
    head.MediaStorageSOPClassUID = dataset.SOPClassUID
    head.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    head.ImplementationClassUID = IMPLEMENTATION
    dataset.file_meta = head
    dataset.preamble = b"\0" * 128


def _tell(dataset: FileDataset) -> None:
    """Say that identity was removed, and how, as PS3.15 E.1.1 asks."""
    dataset.PatientIdentityRemoved = "YES"
    dataset.DeidentificationMethod = METHOD
    code = pydicom.Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = BASIC_PROFILE
    dataset.DeidentificationMethodCodeSequence = [code]
