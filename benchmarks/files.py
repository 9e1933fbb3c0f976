"""DICOM files to measure with: the lab's own, and any number of small ones."""

import io
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from emulator.services.storage.public_bucket import BUCKET

SEED = 405
LONG_SERIES = 500
"""Instances of the first patient's only series."""
PER_PATIENT = 10
"""Instances of every other patient's only series."""
SIDE = 64


@dataclass(frozen=True)
class Position:
    """The UIDs of a small file: its number, its patient, and its index in the series."""

    number: int
    patient: str
    study: str
    series: str
    index: int


def position_of(number: int) -> Position:
    """Return the UIDs of a file: the first files are one long series, then ten a patient."""
    if number < LONG_SERIES:
        patient, index = 0, number
    else:
        patient, index = divmod(number - LONG_SERIES, PER_PATIENT)
        patient += 1
    root = f"1.2.826.0.1.3680043.10.1.{patient}"
    return Position(number, f"BENCH{patient:05d}", f"{root}.1", f"{root}.1.1", index)


def small(count: int, first: int = 0) -> Iterator[tuple[Position, bytes]]:
    """Yield valid CT images of 4 KB of pixels, the same ones on each call.

    Args:
        count: how many
        first: the number of the first one
    """
    draw = random.Random(SEED + first)
    for number in range(first, first + count):
        at = position_of(number)
        yield at, _encode(_image(at, draw.randbytes(SIDE * SIDE)))


def lab(storage: Path) -> list[bytes]:
    """Read the lab's files from the storage server's folder."""
    return [path.read_bytes() for path in sorted((storage / BUCKET).rglob("*.dcm"))]


def _image(at: Position, pixels: bytes) -> Dataset:
    image = Dataset()
    image.SpecificCharacterSet = "ISO_IR 192"
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID = f"{at.series}.{at.index + 1}"
    image.StudyInstanceUID, image.SeriesInstanceUID = at.study, at.series
    image.PatientID, image.PatientName = at.patient, f"Benchmark^{at.patient}"
    image.PatientBirthDate, image.PatientSex = "19700101", "O"
    image.StudyDate = image.SeriesDate = image.AcquisitionDate = image.ContentDate = "20200102"
    image.StudyTime = image.SeriesTime = image.AcquisitionTime = image.ContentTime = "101112"
    image.AccessionNumber, image.StudyID = at.patient, "1"
    image.ReferringPhysicianName = "Doe^Jane"
    image.StudyDescription, image.SeriesDescription = "Benchmark", "Axial"
    image.Modality, image.Manufacturer = "CT", "none"
    image.SeriesNumber, image.InstanceNumber = 1, at.index + 1
    image.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    image.BodyPartExamined, image.PatientPosition = "CHEST", "HFS"
    image.SliceThickness, image.KVP = "1.5", "120"
    image.FrameOfReferenceUID = f"{at.study}.2"
    image.ImagePositionPatient = [-100, -100, at.index * 1.5]
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.PixelSpacing = [0.75, 0.75]
    image.SamplesPerPixel, image.PhotometricInterpretation = 1, "MONOCHROME2"
    image.Rows = image.Columns = SIDE
    image.BitsAllocated = image.BitsStored = 8
    image.HighBit, image.PixelRepresentation = 7, 0
    image.WindowCenter, image.WindowWidth = 40, 400
    image.RescaleIntercept, image.RescaleSlope = 0, 1
    image.add_new("PixelData", "OB", pixels)
    return image


def _encode(image: Dataset) -> bytes:
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()
