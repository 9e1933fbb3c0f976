"""Little-endian order of values whose words pydicom leaves in the order of the file.

pydicom converts numbers, but returns the bytes of OW, OF, OL, OD and OV as they are. Only Explicit
VR Big Endian (retired, PS3.5 A.3) is affected.
"""

from collections.abc import Mapping

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian

WORD_BYTES: Mapping[str, int] = {"OW": 2, "OF": 4, "OL": 4, "OD": 8, "OV": 8}
"""Bytes of a word, by the VRs that hold words."""
_NUMBER_BYTES = {"US": 2, "SS": 2, "AT": 2, "UL": 4, "SL": 4, "FL": 4} | dict.fromkeys(
    ("FD", "SV", "UV"), 8
)
_PIXEL_DATA = 0x7FE00010


def is_big_endian(dataset: Dataset) -> bool:
    """Whether the words of an instance's binary values are big-endian."""
    meta = getattr(dataset, "file_meta", {})
    return bool(meta.get("TransferSyntaxUID") == ExplicitVRBigEndian)


def swap(value: bytes, vr: str) -> bytes:
    """Return a value of another byte order, of words or of numbers; others as they are."""
    return _swap(value, WORD_BYTES.get(vr) or _NUMBER_BYTES.get(vr) or 1)


def _swap(value: bytes, size: int) -> bytes:
    whole = len(value) - len(value) % size
    return np.frombuffer(value, f"u{size}", whole // size).byteswap().tobytes() + value[whole:]


def make_little_endian(dataset: Dataset) -> None:
    """Convert an instance in place; one that is little-endian stays as it is."""
    if is_big_endian(dataset):
        swap_words(dataset)
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian


def swap_words(dataset: Dataset) -> None:
    """Swap the words of the binary values of a data set and of its items, in place."""
    for tag, raw in list(dataset.items()):
        if raw.VR == "SQ":
            for item in dataset[tag].value:
                swap_words(item)
        elif (size := _word_bytes(dataset, tag, str(raw.VR))) > 1:
            element = dataset[tag]
            element.value = _swap(element.value or b"", size)


def _word_bytes(dataset: Dataset, tag: BaseTag, vr: str) -> int:
    """Return the size of a value's words.

    A pixel of more than 16 bits is one word, as pydicom and others read and write it, though PS3.5
    knows words of 16 bits only.
    """
    size = WORD_BYTES.get(vr, 1)
    if tag != _PIXEL_DATA:
        return size
    allocated = dataset.get("BitsAllocated")
    return {16: 2, 32: 4, 64: 8}.get(allocated, size) if isinstance(allocated, int) else size
