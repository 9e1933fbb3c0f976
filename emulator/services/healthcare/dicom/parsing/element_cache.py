"""Elements by their bytes, so that what becomes of equal ones is worked out once.

Instances of a study, and all that a scanner makes, share most of their elements: the time that
reading takes goes into converting the same values again and again.
"""

from functools import cache
from typing import NamedTuple

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from emulator.healthcare.dicom.bigquery_schema import BINARY_VRS

MOST_BYTES = 128
"""Longer values are seldom seen twice."""
MOST_SEQUENCE_BYTES = 2 << 10
REMEMBERED = 1 << 14
"""Elements that each user of this module remembers, some MB."""
_NEVER = BINARY_VRS | {"SQ"}

Charset = str | tuple[str, ...]


class Key(NamedTuple):
    """All that an element's conversion depends on, but for its place in the file."""

    tag: int
    vr: str | None
    value: bytes | None
    implicit: bool
    little_endian: bool
    charset: Charset

    def element(self) -> DataElement:
        """Convert it.

        Raises:
            Exception: one of `malformed.UNREADABLE`.
        """
        value = self.value or b""
        raw = RawDataElement(
            BaseTag(self.tag), self.vr, len(value), value, 0, self.implicit, self.little_endian
        )
        charset = self.charset if isinstance(self.charset, str) else list(self.charset)
        return convert_raw_data_element(raw, encoding=charset)


def charset_of(dataset: Dataset) -> Charset:
    """Give the character set that the elements of a data set or of an item are read by."""
    charset = dataset.original_character_set or "iso8859"
    return charset if isinstance(charset, str) else tuple(charset)


def key_of(raw: object, charset: Charset) -> Key | None:
    """Give the key of an element that is not converted yet.

    Returns:
        None for those that are long, sequences, binary, private, or ambiguous without the rest of
        the data set.
    """
    if not isinstance(raw, RawDataElement) or raw.length > MOST_BYTES:
        return None
    if not _is_plain(int(raw.tag), raw.VR):
        return None
    return _key(raw, charset)


def sequence_key_of(raw: object, charset: Charset) -> Key | None:
    """Give the key of a sequence that is not converted yet.

    Returns:
        None for what is none, or is long, or has items whose elements name no VR: what these are
        may depend on the data set around them.
    """
    if not isinstance(raw, RawDataElement) or raw.VR != "SQ" or raw.is_implicit_VR:
        return None
    return None if raw.value is None or raw.length > MOST_SEQUENCE_BYTES else _key(raw, charset)


def _key(raw: RawDataElement, charset: Charset) -> Key:
    return Key(int(raw.tag), raw.VR, raw.value, raw.is_implicit_VR, raw.is_little_endian, charset)


@cache
def _is_plain(number: int, vr: str | None) -> bool:
    tag = BaseTag(number)
    if vr in _NEVER or tag.is_private or not dictionary_has_tag(tag):
        return False
    if vr is not None:
        return " or " not in vr
    given = dictionary_VR(tag)
    return " or " not in given and given not in _NEVER
