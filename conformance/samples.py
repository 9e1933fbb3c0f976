"""DICOM files that the checks store: tiny, synthetic, about no patient."""

import io
from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian, SecondaryCaptureImageStorage

STUDY, ODD_STUDY, SCRATCH_STUDY = "2.25.74001", "2.25.74002", "2.25.74003"
SIDE = 8
_PLACEHOLDER = "7777"


def path(study: str, number: int) -> str:
    """Return the DICOMweb path of a sample, by its study and number."""
    return f"studies/{study}/series/{study}.1/instances/{study}.1.{number}"


def make(study: str, number: int, pixels: Any = None, **elements: Any) -> bytes:
    """Return a DICOM file.

    Args:
        study: its Study Instance UID; the other UIDs are made from it
        number: of the instance, from 1
        pixels: frames of one sample a pixel; None for no pixels
        elements: further elements, by keyword or by tag (`x00290010`) with VR and value
    """
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = UID(study), UID(f"{study}.1")
    dataset.SOPInstanceUID = UID(f"{study}.1.{number}")
    dataset.PatientID, dataset.PatientName = "SAMPLE", "Sample^Synthetic"
    dataset.StudyDate, dataset.Modality, dataset.InstanceNumber = "20200102", "OT", number
    if pixels is not None:
        frames = pixels if pixels.ndim == 3 else pixels[None]
        dataset.NumberOfFrames, dataset.Rows, dataset.Columns = frames.shape
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation = 1, "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = frames.dtype.itemsize * 8
        dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, 0
        dataset.PixelData = frames.tobytes()
    for keyword, value in elements.items():
        if keyword.startswith("x"):
            dataset.add_new(int(keyword[1:], 16), *value)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _with_bytes(file: bytes, text: str) -> bytes:
    """Return a file with a text in place of the placeholder, as no library writes it."""
    raw = text.encode().ljust(len(_PLACEHOLDER))
    assert file.count(_PLACEHOLDER.encode()) == 1
    assert len(raw) == len(_PLACEHOLDER)
    return file.replace(_PLACEHOLDER.encode(), raw)


@cache
def images() -> Mapping[str, bytes]:
    """Return the instances of `STUDY`, by name, in the order of their numbers."""
    ramp = np.arange(SIDE * SIDE, dtype="<u2").reshape(SIDE, SIDE) * 16
    colours = np.arange(3 * SIDE * SIDE, dtype="u1").reshape(3, SIDE, SIDE)
    planar = {
        "SamplesPerPixel": 3,
        "PhotometricInterpretation": "RGB",
        "PlanarConfiguration": 1,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "Rows": SIDE,
        "Columns": SIDE,
        "PixelData": colours.tobytes(),
    }
    bits = np.packbits(np.arange(2 * 5 * 5) % 3 == 0, bitorder="little").tobytes()
    one_bit = planar | {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 1,
        "BitsStored": 1,
        "HighBit": 0,
        "Rows": 5,
        "Columns": 5,
        "NumberOfFrames": 2,
        "PixelData": bits.ljust(8, b"\0"),
    }
    del one_bit["PlanarConfiguration"]
    window = {"WindowCenter": "400", "WindowWidth": "600"}
    description = {"StudyDescription": "Samples", "ReferringPhysicianName": "Örn^Åsa"}
    return {
        "windowed": make(
            STUDY, 1, ramp, SpecificCharacterSet="ISO_IR 192", **window, **description
        ),
        "plain": make(STUDY, 2, ramp),
        "planar": make(STUDY, 3, **planar),
        "one-bit": make(STUDY, 4, **one_bit),
        "no-pixels": make(STUDY, 5),
    }


@cache
def odd_values() -> Mapping[str, bytes]:
    """Return the instances of `ODD_STUDY`, by name, each with one odd value."""

    def text(number: int, keyword: str, raw: str) -> bytes:
        return _with_bytes(make(ODD_STUDY, number, **{keyword: _PLACEHOLDER}), raw)

    item = Dataset()
    item.add_new(0x00290010, "LO", "CONFORMANCE")
    item.add_new(0x00291001, "OB", b"\1\2")
    names = "Sample^Synthetic=サンプル=さんぷる"
    return {
        "decimal-text": text(1, "SliceThickness", "3,5"),
        "decimal-nan": text(2, "SliceThickness", "NaN"),
        "integer-text": text(3, "AcquisitionNumber", "1a"),
        "empty-component": text(4, "PixelSpacing", "\\3"),
        "empty-text": make(ODD_STUDY, 5, ImageType=["ORIGINAL", "", "AXIAL"]),
        "float-nan": make(ODD_STUDY, 6, AcquisitionDuration=float("nan")),
        "private": make(
            ODD_STUDY,
            7,
            x00290010=("LO", "CONFORMANCE"),
            x00291001=("LO", ["a", "b"]),
            x00291002=("UN", b"\1\2\3\4"),
        ),
        "nested-private": make(ODD_STUDY, 8, RequestAttributesSequence=[item]),
        "name-groups": make(ODD_STUDY, 9, SpecificCharacterSet="ISO_IR 192", PatientName=names),
        "empty-sequence": make(ODD_STUDY, 10, RequestAttributesSequence=[], StudyID=""),
        "date-time": make(ODD_STUDY, 11, AcquisitionDateTime="20200102030405.123456+0100"),
    }


def odd_number(name: str) -> int:
    """Return the number of an instance of `odd_values`."""
    return list(odd_values()).index(name) + 1
