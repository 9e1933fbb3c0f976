"""Retrieving what metadata only refers to (PS3.18 10.4.1.1.5, bulk data resources)."""

from sqlite3 import Row
from typing import Any

from pydicom.dataelem import RawDataElement

from emulator.errors import ApiError, not_found
from emulator.healthcare.dicom import decoding, dicom_json
from emulator.healthcare.dicom.malformed import UNDECODABLE, reading
from emulator.healthcare.dicom.models import DicomContents


def find(contents: DicomContents, row: Row, where: str) -> bytes:
    """Give the value that a BulkDataURI refers to.

    Args:
        contents: the stores.
        row: of the instance, with its metadata.
        where: tags and item numbers, by slashes.

    Raises:
        ApiError: 404, the metadata refer to no such value.
    """
    where = where.upper()
    if not dicom_json.refers_to(row["metadata"], where):
        raise _missing(where)
    dataset = decoding.read(contents.blobs.path(row["sha256"]))
    *outer, last = where.split("/")
    try:
        with reading():
            item: Any = dataset
            for tag, number in zip(outer[::2], outer[1::2], strict=True):
                item = item[int(tag, 16)].value[int(number)]
            element = item.get_item(int(last, 16))
    except UNDECODABLE:
        raise _missing(where) from None
    # What was not looked at yet is still as it is in the file, numbers too.
    assert isinstance(element, RawDataElement) or isinstance(element.value, bytes)
    return element.value or b""


def _missing(where: str) -> ApiError:
    return not_found(f"The instance has no bulk data {where}.")
