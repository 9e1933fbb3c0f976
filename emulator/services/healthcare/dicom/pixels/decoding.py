"""Decoding of pixel data, which may be invalid in any way."""

from pathlib import Path
from typing import Any

import pydicom
from pydicom.multival import MultiValue
from pydicom.pixels.utils import pixel_array
from pydicom.uid import JPEGBaseline8Bit, JPEGExtended12Bit

from emulator.core.errors import ApiError, not_acceptable
from emulator.services.healthcare.dicom.parsing import byte_order
from emulator.services.healthcare.dicom.parsing.attributes import frame_count
from emulator.services.healthcare.dicom.parsing.pydicom_errors import (
    DECODE_ERRORS,
    translate_errors,
)

_INVERTED_BY_DECODERS = ("YBR_ICT", "YBR_RCT")
"""Transformations of JPEG 2000, which its decoders invert."""


def read(path: Path, *, defer_size: int | None = None) -> pydicom.FileDataset:
    """Read a stored instance; a big-endian one as the little-endian one that it stands for.

    Raises:
        ApiError: 406, its byte order can't be changed
        FileNotFoundError: it was deleted during the request, or is missing
    """
    dataset = pydicom.dcmread(path, defer_size=defer_size)
    try:
        with translate_errors():
            byte_order.make_little_endian(dataset)
    except DECODE_ERRORS as error:
        raise undecodable(dataset, error) from error
    return dataset


def undecodable(dataset: pydicom.Dataset, error: BaseException) -> ApiError:
    """Return the 406 of pixel data that can't be decoded."""
    syntax = dataset.file_meta.TransferSyntaxUID
    return not_acceptable(
        f"The pixel data of transfer syntax {syntax} can't be decoded ({type(error).__name__})."
    )


def set_frame_count(dataset: pydicom.Dataset) -> int:
    """Return the number of frames, and put it where NumberOfFrames is not a valid one."""
    given = dataset.get("NumberOfFrames")
    count = frame_count(given[0] if isinstance(given, MultiValue) and given else given)
    if "NumberOfFrames" in dataset and given != count:
        dataset.NumberOfFrames = count
    return count


def photometric(dataset: pydicom.Dataset) -> str:
    """Return the photometric interpretation of the values that `values` returns."""
    stored = str(dataset.PhotometricInterpretation)
    is_rgb = _becomes_rgb(dataset) or stored in _INVERTED_BY_DECODERS
    return "RGB" if is_rgb else stored


def _becomes_rgb(dataset: pydicom.Dataset) -> bool:
    """Whether decoded colours are converted: those of a JPEG, and those of pairs of pixels."""
    syntax, stored = dataset.file_meta.TransferSyntaxUID, str(dataset.PhotometricInterpretation)
    is_jpeg = syntax in (JPEGBaseline8Bit, JPEGExtended12Bit)
    return syntax.is_compressed and (
        stored == "YBR_FULL_422" or (is_jpeg and stored.startswith("YBR"))
    )


def values(dataset: pydicom.Dataset, number: int) -> Any:
    """Return the values of a frame, decoded if they are compressed.

    The colours of a JPEG become RGB, as those of a whole file do and as DCMTK decodes them;
    Google's ez-wsi-dicomweb takes such frames for RGB. YBR_FULL_422 would be a form of 2 values a
    pixel, which no decoder returns (PS3.3 C.7.6.3.1.2).

    Args:
        dataset: the stored instance
        number: the frame, from 1
    """
    return pixel_array(dataset, index=number - 1, raw=not _becomes_rgb(dataset))


def frame(dataset: pydicom.Dataset, number: int) -> bytes:
    """Return the decoded values of a compressed frame; frames count from 1.

    Raises:
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    set_frame_count(dataset)
    return bytes(values(dataset, number).tobytes())


def decompress(dataset: pydicom.Dataset) -> None:
    """Decode an instance's pixels in place.

    Raises:
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    set_frame_count(dataset)
    is_rgb = _becomes_rgb(dataset)
    try:
        dataset.decompress(as_rgb=is_rgb, generate_instance_uid=False)
    except ValueError:
        # Where signs must be corrected, pydicom writes into an array that it may only read; by
        # itself it makes a copy of that.
        dataset.set_pixel_data(
            pixel_array(dataset, as_rgb=is_rgb),
            photometric(dataset),
            int(dataset.BitsStored),
            generate_instance_uid=False,
        )
