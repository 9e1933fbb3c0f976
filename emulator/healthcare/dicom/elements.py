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
REMEMBERED = 1 << 14
"""Elements that each user of this module remembers, some MB."""
_NEVER = BINARY_VRS | {"SQ"}


class Key(NamedTuple):
    """All that an element's conversion depends on, but for its place in the file."""

    tag: BaseTag
    vr: str | None
    value: bytes | None
    implicit: bool
    little_endian: bool
    charset: str | tuple[str, ...]

    def element(self) -> DataElement:
        """Convert it.

        Raises:
            Exception: one of `malformed.UNREADABLE`.
        """
        value = self.value or b""
        raw = RawDataElement(
            self.tag, self.vr, len(value), value, 0, self.implicit, self.little_endian
        )
        charset = self.charset if isinstance(self.charset, str) else list(self.charset)
        return convert_raw_data_element(raw, encoding=charset)


def key_of(dataset: Dataset, raw: object) -> Key | None:
    """Give the key of an element that is not converted yet.

    Returns:
        None for those that are long, sequences, binary, private, or ambiguous without the rest of
        the data set.
    """
    if not isinstance(raw, RawDataElement) or raw.length > MOST_BYTES:
        return None
    if raw.VR in _NEVER or not _is_plain(raw.tag, raw.VR):
        return None
    charset = dataset.original_character_set or "iso8859"
    known = charset if isinstance(charset, str) else tuple(charset)
    return Key(raw.tag, raw.VR, raw.value, raw.is_implicit_VR, raw.is_little_endian, known)


@cache
def _is_plain(tag: BaseTag, vr: str | None) -> bool:
    if tag.is_private or not dictionary_has_tag(tag):
        return False
    if vr is not None:
        return " or " not in vr
    given = dictionary_VR(tag)
    return " or " not in given and given not in _NEVER
