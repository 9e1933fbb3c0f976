"""Bulk data: values that metadata refers to by a URI (PS3.18 10.4.1.1.5).

Inferred (conformance: bulk-data-missing-text): the text of a refusal.
"""

from sqlite3 import Row
from typing import Any

from pydicom.dataelem import RawDataElement

from emulator.core.errors import ApiError, not_found
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.parsing import byte_order, dicom_json
from emulator.services.healthcare.dicom.parsing.pydicom_errors import (
    DECODE_ERRORS,
    translate_errors,
)
from emulator.services.healthcare.dicom.pixels import decoding


def find(contents: InstanceStore, row: Row, where: str) -> bytes:
    """Return the value that a BulkDataURI refers to.

    Args:
        contents: the instances of all stores
        row: the row of the instance, with its metadata
        where: tags and item numbers, separated by slashes

    Raises:
        ApiError: 404, the metadata does not refer to such a value
    """
    where = where.upper()
    if not dicom_json.refers_to(row["metadata"], where):
        raise _missing(where)
    dataset = decoding.read(contents.blobs.path(row["sha256"]))
    *outer, last = where.split("/")
    try:
        with translate_errors():
            item: Any = dataset
            for tag, number in zip(outer[::2], outer[1::2], strict=True):
                item = item[int(tag, 16)].value[int(number)]
            element = item.get_item(int(last, 16))
    except DECODE_ERRORS:
        raise _missing(where) from None
    # pydicom converts an element when it is first read: this one is still the bytes of the file,
    # or words that `decoding.read` has put into little-endian order.
    assert isinstance(element, RawDataElement) or isinstance(element.value, bytes)
    value: bytes = element.value or b""
    if isinstance(element, RawDataElement) and not element.is_little_endian:
        return byte_order.swap(value, str(element.VR))
    return value


def _missing(where: str) -> ApiError:
    return not_found(f"The instance has no bulk data {where}.")
