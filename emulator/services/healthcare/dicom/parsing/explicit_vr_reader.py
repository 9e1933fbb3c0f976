"""Fast reader of plain DICOM files, Explicit VR Little Endian; most files are plain and small.

pydicom asks a file for every few bytes, which takes as long as all that is made of them later.
What it reads is what is read here, element by element; what is not plain is left to it. A file is
plain if all its elements are in Explicit VR Little Endian, and each has a defined length and a VR
of the standard (PS3.5 7.1).
"""

from functools import lru_cache
from struct import Struct
from typing import cast

from pydicom.charset import convert_encodings, default_encoding
from pydicom.dataelem import (
    DataElement,
    RawDataElement,
    convert_raw_data_element,
    empty_value_for_VR,
)
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.tag import BaseTag
from pydicom.uid import UID
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, VR

_PREAMBLE_BYTES = 128
_PREFIX = b"DICM"
_META, _COMMANDS, _ITEMS = 0x0002, 0x0000, 0xFFFE
"""Groups: file meta information; messages and items, which no file should have."""
_CHARSET = BaseTag(0x00080005)
_GROUP_LENGTH = BaseTag(0x00020000)
_SYNTAX = BaseTag(0x00020010)
_HEADER = Struct("<HH2sH")
_LENGTH = Struct("<L")
_UNDEFINED_LENGTH = 0xFFFFFFFF
_VRS = {str(vr).encode(): str(vr) for vr in VR if len(vr) == 2}
_LONG = {str(vr) for vr in EXPLICIT_VR_LENGTH_32}
_EMPTY = {vr: cast("bytes | None", empty_value_for_VR(vr, raw=True)) for vr in _VRS.values()}
_CACHE_SIZE = 1 << 8

_Elements = dict[BaseTag, DataElement | RawDataElement]


def read_explicit_vr_le(content: bytes) -> Dataset | None:
    """Return the data set of a file.

    Returns:
        Its data set, with its `file_meta`; None if the file is not plain

    Raises:
        Exception: one of `pydicom_errors.PARSE_ERRORS`, on an odd character set
    """
    parts = _parts(content)
    if parts is None:
        return None
    meta, elements = parts
    if not elements or not _is_sound(meta):
        return None
    dataset = Dataset(elements)
    dataset.file_meta = FileMetaDataset(meta)
    charset = elements.get(_CHARSET)
    encoding = default_encoding if charset is None else list(_encodings(charset.value or b""))
    dataset.set_original_encoding(False, True, encoding)
    return dataset


def _parts(content: bytes) -> tuple[_Elements, _Elements] | None:
    """Return the file meta information and the data set; None for what is not plain."""
    if content[_PREAMBLE_BYTES : _PREAMBLE_BYTES + len(_PREFIX)] != _PREFIX:
        return None
    meta, elements = _Elements(), _Elements()
    position, end = _PREAMBLE_BYTES + len(_PREFIX), len(content)
    while position < end:
        if position + _HEADER.size > end:
            return None
        group, number, code, length = _HEADER.unpack_from(content, position)
        position += _HEADER.size
        vr = _VRS.get(code)
        if vr is None or group in (_ITEMS, _COMMANDS) or (group == _META and elements):
            return None
        if vr in _LONG:
            if position + _LENGTH.size > end:
                return None
            (length,) = _LENGTH.unpack_from(content, position)
            position += _LENGTH.size
        if length == _UNDEFINED_LENGTH or position + length > end:
            return None
        value = content[position : position + length] if length else _EMPTY[vr]
        tag = BaseTag(group << 16 | number)
        found = RawDataElement(tag, vr, length, value, position, False, True)
        (meta if group == _META else elements)[tag] = found
        position += length
    return meta, elements


def _is_sound(meta: _Elements) -> bool:
    """Whether the file meta information is complete and valid."""
    length, syntax = meta.get(_GROUP_LENGTH), meta.get(_SYNTAX)
    if length is None or (length.VR, len(length.value or b"")) != ("UL", _LENGTH.size):
        return False
    return (
        syntax is not None and syntax.VR == "UI" and _is_explicit_little_endian(syntax.value or b"")
    )


@lru_cache(_CACHE_SIZE)
def _is_explicit_little_endian(value: bytes) -> bool:
    """Whether a transfer syntax is one that this module reads; pydicom reads the others."""
    syntax = UID(value.decode("ascii", errors="replace").rstrip("\0 "))
    return syntax.is_transfer_syntax and not (
        syntax.is_private
        or syntax.is_implicit_VR
        or syntax.is_deflated
        or not syntax.is_little_endian
    )


@lru_cache(_CACHE_SIZE)
def _encodings(value: bytes) -> tuple[str, ...]:
    raw = RawDataElement(_CHARSET, "CS", len(value), value, 0, False, True)
    return tuple(convert_encodings(convert_raw_data_element(raw).value))
