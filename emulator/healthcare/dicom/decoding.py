"""Reading pixels, which may be anything that an uploader claimed to be pixels."""

from pathlib import Path
from typing import Any

import pydicom
from pydicom.pixels.utils import pixel_array

from emulator.errors import ApiError, not_acceptable, not_found
from emulator.healthcare.dicom.malformed import UNDECODABLE


def read(path: Path, *, defer_size: int | None = None) -> pydicom.FileDataset:
    """Read a stored instance.

    Raises:
        ApiError: 404, it was deleted after the request came.
    """
    try:
        return pydicom.dcmread(path, defer_size=defer_size)
    except FileNotFoundError:
        raise not_found("The instance has just been deleted.") from None


def undecodable(dataset: pydicom.Dataset, error: BaseException) -> ApiError:
    """Say that an instance's pixels can't be decoded here."""
    syntax = dataset.file_meta.TransferSyntaxUID
    return not_acceptable(
        f"The pixel data of transfer syntax {syntax} can't be decoded ({type(error).__name__})."
    )


def frame(dataset: pydicom.Dataset, number: int) -> bytes:
    """Give the values of a frame, not converted in any way but decoded.

    Args:
        dataset: as it was stored.
        number: from 1.

    Raises:
        ApiError: 406, the pixels can't be decoded.
    """
    try:
        values: Any = pixel_array(dataset, index=number - 1, raw=True)
    except UNDECODABLE as error:
        raise undecodable(dataset, error) from error
    return bytes(values.tobytes())
