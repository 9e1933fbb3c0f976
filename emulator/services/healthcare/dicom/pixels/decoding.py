"""Decoding of pixel data, which may be invalid in any way."""

from pathlib import Path
from typing import Any

import pydicom
from pydicom.multival import MultiValue
from pydicom.pixels.utils import pixel_array

from emulator.core.errors import ApiError, not_acceptable
from emulator.services.healthcare.dicom.parsing import byte_order
from emulator.services.healthcare.dicom.parsing.attributes import frame_count
from emulator.services.healthcare.dicom.parsing.pydicom_errors import (
    DECODE_ERRORS,
    translate_errors,
)


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


def frame(dataset: pydicom.Dataset, number: int) -> bytes:
    """Return the decoded values of a compressed frame, not converted in any other way.

    Args:
        dataset: the stored instance
        number: the frame, from 1

    Raises:
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    set_frame_count(dataset)
    values: Any = pixel_array(dataset, index=number - 1, raw=True)
    return bytes(values.tobytes())


def decompress(dataset: pydicom.Dataset) -> None:
    """Decode an instance's pixels in place.

    Raises:
        Exception: one of `pydicom_errors.DECODE_ERRORS`
    """
    set_frame_count(dataset)
    try:
        dataset.decompress(generate_instance_uid=False)
    except ValueError:
        # Where signs must be corrected, pydicom writes into an array that it may only read; by
        # itself it makes a copy of that.
        photometric = str(dataset.PhotometricInterpretation)
        dataset.set_pixel_data(
            pixel_array(dataset),
            "RGB" if photometric.startswith("YBR") else photometric,
            int(dataset.BitsStored),
            generate_instance_uid=False,
        )
