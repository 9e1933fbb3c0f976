"""Small DICOM files, made to order."""

import io
from collections.abc import Callable, Sequence
from typing import Any

import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage

Make = Callable[..., bytes]


def make_dicom(
    *, pixels: Any = None, syntax: str = ExplicitVRLittleEndian, **elements: Any
) -> bytes:
    """Write a file with UIDs `1.2.3`, `1.2.3.4`, `1.2.3.4.5`, unless the elements say otherwise."""
    dataset = Dataset()
    dataset.SOPClassUID = SecondaryCaptureImageStorage
    dataset.StudyInstanceUID = "1.2.3"
    dataset.SeriesInstanceUID = "1.2.3.4"
    dataset.SOPInstanceUID = "1.2.3.4.5"
    dataset.PatientID = "p1"
    if pixels is not None:
        _add_pixels(dataset, pixels)
    for keyword, value in elements.items():
        if value is None:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    dataset.file_meta.MediaStorageSOPClassUID = dataset.SOPClassUID
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.get("SOPInstanceUID", "1.2.9")
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def multipart(files: Sequence[bytes]) -> tuple[bytes, str]:
    """Return the body of a Store request, and its Content-Type."""
    head = b"--b\r\nContent-Type: application/dicom\r\n\r\n"
    body = b"".join(head + file + b"\r\n" for file in files) + b"--b--\r\n"
    return body, 'multipart/related; type="application/dicom"; boundary=b'


def _add_pixels(dataset: Dataset, pixels: Any) -> None:
    frames = pixels if pixels.ndim == 3 else pixels[None]
    dataset.Rows, dataset.Columns = frames.shape[1:]
    dataset.NumberOfFrames = len(frames)
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.PixelRepresentation = 0
    dataset.BitsAllocated = dataset.BitsStored = frames.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelData = frames.tobytes()
