"""The frames of an instance: read with all their bits, and written back uncompressed."""

import warnings
from collections.abc import Sequence
from typing import Any

import pydicom
from pydicom.encaps import parse_fragments
from pydicom.pixels.utils import pixel_array
from pydicom.uid import ExplicitVRLittleEndian

from emulator.services.healthcare.dicom.pixels.decoding import set_frame_count

OVERLAY_GROUPS = range(0x6000, 0x6100, 2)
_OVERLAY_BITS_ALLOCATED, _OVERLAY_BIT_POSITION = 0x0100, 0x0102


def read_frame(dataset: pydicom.Dataset, index: int, *, raw: bool) -> Any:
    """Return the integers of a frame, the bits above BitsStored too.

    Args:
        dataset: the instance
        index: from 0
        raw: leave colours as they are stored; else YBR becomes RGB
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom warns of excess data, which `has_excess` finds
        return pixel_array(dataset, index=index, raw=raw, correct_unused_bits=False)


def has_excess(dataset: pydicom.Dataset) -> bool:
    """Whether the pixel data hold more than the frames, such as a frame that is not counted."""
    if dataset.file_meta.TransferSyntaxUID.is_encapsulated:
        fragments, _ = parse_fragments(dataset.PixelData)
        return fragments - 1 != set_frame_count(dataset)  # the first is the offset table
    bits = int(dataset.Rows) * int(dataset.Columns) * int(dataset.BitsAllocated)
    bits *= int(dataset.SamplesPerPixel) * set_frame_count(dataset)
    if dataset.PhotometricInterpretation == "YBR_FULL_422":
        bits = bits * 2 // 3
    return len(dataset.PixelData) > (length := -(-bits // 8)) + length % 2


def embedded_overlay_bits(dataset: pydicom.Dataset, groups: Sequence[int]) -> int:
    """Return a mask of the unused bits of a value in which overlays are stored (retired)."""
    allocated, stored = int(dataset.BitsAllocated), int(dataset.BitsStored)
    mask = 0
    for group in groups:
        overlay_bits = dataset.get((group, _OVERLAY_BITS_ALLOCATED))
        position = dataset.get((group, _OVERLAY_BIT_POSITION))
        if overlay_bits is None or position is None or overlay_bits.value in (None, 1):
            continue
        if isinstance(position.value, int) and stored <= position.value < allocated:
            mask |= 1 << position.value
    return mask


def stored_values(values: Any, bits_stored: int) -> Any:
    """Return values without the bits above BitsStored."""
    unused = values.dtype.itemsize * 8 - bits_stored
    return values if unused <= 0 else (values << unused) >> unused


def write_frames(dataset: pydicom.Dataset, frames: Any, photometric: str) -> None:
    """Replace an instance's pixels, uncompressed and little-endian.

    Args:
        dataset: changed in resource_path
        frames: integers, `(frames, rows, columns)` or with samples
        photometric: what they stand for
    """
    syntax = dataset.file_meta.TransferSyntaxUID
    allocated = frames.dtype.itemsize * 8
    content = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
    vr = "OW" if allocated > 8 else "OB" if syntax.is_encapsulated else dataset["PixelData"].VR
    dataset.PixelData = content + b"\0" * (len(content) % 2)
    dataset["PixelData"].VR = vr
    dataset["PixelData"].is_undefined_length = False
    if dataset.BitsAllocated != allocated:
        dataset.BitsAllocated = allocated
        dataset.BitsStored = min(int(dataset.BitsStored), allocated)
        dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(frames.dtype.kind == "i")
    dataset.PhotometricInterpretation = photometric
    if frames.ndim == 4:
        dataset.PlanarConfiguration = 0
    if syntax.is_encapsulated:
        dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
