"""Reading pixels, which may be anything that an uploader claimed to be pixels."""

import logging
from pathlib import Path
from typing import Any

import pydicom
from pydicom.pixels.utils import pixel_array

from emulator.errors import ApiError, not_acceptable
from emulator.healthcare.dicom import isolated_decoder
from emulator.healthcare.dicom.malformed import UNDECODABLE, reading

isolated_decoder.install()
# pydicom logs what its decoders raise, with pieces of the file; here the caller is told.
logging.getLogger("pydicom").setLevel(logging.CRITICAL)
PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
"""The elements that hold an instance's pixels, one of them."""


def read(path: Path, *, defer_size: int | None = None) -> pydicom.FileDataset:
    """Read a stored instance.

    Raises:
        FileNotFoundError: it was deleted after the request came, or it is lost.
    """
    return pydicom.dcmread(path, defer_size=defer_size)


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
        with reading():
            values: Any = pixel_array(dataset, index=number - 1, raw=True)
    except UNDECODABLE as error:
        raise undecodable(dataset, error) from error
    return bytes(values.tobytes())


def decompress(dataset: pydicom.Dataset) -> None:
    """Decode an instance's pixels in place.

    Raises:
        Exception: one of `malformed.UNDECODABLE`.
    """
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
