"""Frames as they are stored: no decoder changes a value or refuses a form (PS3.5 8).

Inferred (conformance: frame-words, frame-planar, frame-one-bit): frames keep the order of planes,
and one-bit frames begin with a byte.
"""

import numpy as np
import pydicom
from pydicom.encaps import get_frame

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""The elements that hold pixels; an instance has one of them."""


def is_encapsulated(dataset: pydicom.FileDataset) -> bool:
    """Whether frames are stored in fragments, in whatever transfer syntax (PS3.5 A.4)."""
    return "PixelData" in dataset and bool(dataset["PixelData"].is_undefined_length)


def encapsulated(dataset: pydicom.FileDataset, number: int, count: int) -> bytes:
    """Return an encoded frame; frames count from 1.

    Raises:
        ValueError: the fragments do not show where the frame is
    """
    return get_frame(
        dataset.PixelData,
        number - 1,
        number_of_frames=count,
        extended_offsets=_extended_offsets(dataset),
    )


def _extended_offsets(dataset: pydicom.FileDataset) -> tuple[bytes, bytes] | None:
    if "ExtendedOffsetTable" not in dataset or "ExtendedOffsetTableLengths" not in dataset:
        return None
    return dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths


def native(dataset: pydicom.FileDataset, number: int) -> bytes:
    """Return an uncompressed frame of a little-endian instance; frames count from 1.

    A frame of single bits that begins within a byte is shifted to begin with one.

    Raises:
        ValueError: the pixel data ends before the frame does
    """
    content: bytes = dataset[next(keyword for keyword in PIXELS if keyword in dataset)].value
    length = _frame_bits(dataset)
    start = (number - 1) * length
    if start + length > len(content) * 8:
        raise ValueError("the pixel data ends before the frame does")
    first, last = start // 8, -(-(start + length) // 8)
    if start % 8 == 0 and length % 8 == 0:
        return content[first:last]
    bits = np.unpackbits(np.frombuffer(content[first:last], np.uint8), bitorder="little")
    frame = bits[start % 8 : start % 8 + length]
    return np.packbits(frame, bitorder="little").tobytes()


def _frame_bits(dataset: pydicom.FileDataset) -> int:
    samples = int(dataset.get("SamplesPerPixel") or 1)
    values = int(dataset.Rows) * int(dataset.Columns) * samples
    if dataset.get("PhotometricInterpretation") == "YBR_FULL_422":
        values = values // 3 * 2  # two pixels share their colours
    return values * int(dataset.BitsAllocated)
