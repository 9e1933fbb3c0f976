"""DICOM files to measure with: the lab's own, and any number of small ones."""

import io
import random
import struct
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
_PREAMBLE = bytes(128) + b"DICM"
_GROUP_LENGTH, _PIXEL_DATA = 0x00020000, 0x7FE00010
_LONG = (b"OB", b"OW", b"UN", b"UT")
"""Value representations with a length of 32 bits, of those in these files."""


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


def small(
    count: int, first: int = 0, *, has_pixels: bool = True
) -> Iterator[tuple[Position, bytes]]:
    """Yield valid CT images of 4 KB of pixels, the same ones on each call.

    Args:
        count: how many
        first: the number of the first one
        has_pixels: whether they have pixel data; without it they have 1 KB
    """
    draw = random.Random(SEED + first)
    template = _elements(encode(image(position_of(0), b"")))
    for number in range(first, first + count):
        at = position_of(number)
        yield at, _changed(template, at, draw.randbytes(SIDE * SIDE) if has_pixels else None)


def lab(storage: Path) -> list[bytes]:
    """Read the lab's files from the storage server's folder."""
    return [path.read_bytes() for path in sorted((storage / BUCKET).rglob("*.dcm"))]


def image(at: Position, pixels: bytes) -> Dataset:
    """Return a small file's dataset."""
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


def encode(image: Dataset) -> bytes:
    """Return a file of a dataset."""
    image.file_meta = FileMetaDataset()
    image.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    buffer = io.BytesIO()
    dcmwrite(buffer, image, enforce_file_format=True)
    return buffer.getvalue()


def _elements(file: bytes) -> dict[int, bytes]:
    """Return the encoded elements of a file without sequences, by tag, in order."""
    found = {}
    start = len(_PREAMBLE)
    while start < len(file):
        group, element, vr = struct.unpack_from("<HH2s", file, start)
        is_long = vr in _LONG
        [length] = struct.unpack_from("<I" if is_long else "<H", file, start + 6 + 2 * is_long)
        end = start + (12 if is_long else 8) + length
        found[group << 16 | element] = file[start:end]
        start = end
    return found


def _changed(template: dict[int, bytes], at: Position, pixels: bytes | None) -> bytes:
    """Return the file that `encode` makes of `image`, at a fiftieth of the time.

    Only the elements that differ from file to file are encoded.
    """
    root, patient = at.study, at.patient.encode()
    instance = f"{at.series}.{at.index + 1}".encode()
    elements = template | {
        0x00020003: _element(0x00020003, b"UI", instance),
        0x00080018: _element(0x00080018, b"UI", instance),
        0x00080050: _element(0x00080050, b"SH", patient),
        0x00100010: _element(0x00100010, b"PN", b"Benchmark^" + patient),
        0x00100020: _element(0x00100020, b"LO", patient),
        0x0020000D: _element(0x0020000D, b"UI", root.encode()),
        0x0020000E: _element(0x0020000E, b"UI", at.series.encode()),
        0x00200013: _element(0x00200013, b"IS", str(at.index + 1).encode()),
        0x00200032: _element(0x00200032, b"DS", f"-100.0\\-100.0\\{at.index * 1.5}".encode()),
        0x00200052: _element(0x00200052, b"UI", f"{root}.2".encode()),
    }
    del elements[_PIXEL_DATA]
    if pixels is not None:
        elements[_PIXEL_DATA] = _element(_PIXEL_DATA, b"OB", pixels)
    meta = sum(len(one) for tag, one in elements.items() if _GROUP_LENGTH < tag < 0x00030000)
    elements[_GROUP_LENGTH] = _element(_GROUP_LENGTH, b"UL", struct.pack("<I", meta))
    return _PREAMBLE + b"".join(elements.values())


def _element(tag: int, vr: bytes, value: bytes) -> bytes:
    value += (b"\0" if vr in (b"UI", b"OB") else b" ") * (len(value) % 2)
    form = "<HH2s2xI" if vr in _LONG else "<HH2sH"
    return struct.pack(form, tag >> 16, tag & 0xFFFF, vr, len(value)) + value
