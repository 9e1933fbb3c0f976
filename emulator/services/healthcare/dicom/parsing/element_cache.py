"""Keys of elements by their bytes, so that equal elements are converted once.

Instances of a study, and all that a scanner makes, share most of their elements: the time that
reading takes goes into converting the same values again and again.
"""

from functools import cache
from typing import NamedTuple

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement, RawDataElement, convert_raw_data_element
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from emulator.services.healthcare.dicom.parsing.value_representations import BINARY_VRS

MAX_VALUE_BYTES = 128
"""Longer values seldom occur twice."""
MAX_SEQUENCE_BYTES = 2 << 10
CACHE_SIZE = 1 << 14
"""Size of the cache of each user of this module: some MB."""
_NEVER = BINARY_VRS | {"SQ"}

Charset = str | tuple[str, ...]


class ElementKey(NamedTuple):
    """Everything that an element's conversion depends on."""

    tag: int
    vr: str | None
    value: bytes | None
    implicit: bool
    little_endian: bool
    charset: Charset

    def element(self) -> DataElement:
        """Return the converted element.

        Raises:
            Exception: one of `pydicom_errors.PARSE_ERRORS`
        """
        value = self.value or b""
        raw = RawDataElement(
            BaseTag(self.tag), self.vr, len(value), value, 0, self.implicit, self.little_endian
        )
        charset = self.charset if isinstance(self.charset, str) else list(self.charset)
        return convert_raw_data_element(raw, encoding=charset)


def charset_of(dataset: Dataset) -> Charset:
    """Return the character set of a data set or an item."""
    charset = dataset.original_character_set or "iso8859"
    return charset if isinstance(charset, str) else tuple(charset)


def key_of(raw: object, charset: Charset) -> ElementKey | None:
    """Return the key of an element that is not converted yet.

    Returns:
        None for long, binary or private elements, for sequences, and for elements whose VR
        depends on the rest of the data set
    """
    if not isinstance(raw, RawDataElement) or raw.length > MAX_VALUE_BYTES:
        return None
    if not _is_plain(int(raw.tag), raw.VR):
        return None
    return _key(raw, charset)


def sequence_key_of(raw: object, charset: Charset) -> ElementKey | None:
    """Return the key of a sequence that is not converted yet.

    Returns:
        None for other elements, for long sequences, and for items without VRs: those may depend
        on the data set around them
    """
    if not isinstance(raw, RawDataElement) or raw.VR != "SQ" or raw.is_implicit_VR:
        return None
    return None if raw.value is None or raw.length > MAX_SEQUENCE_BYTES else _key(raw, charset)


def _key(raw: RawDataElement, charset: Charset) -> ElementKey:
    return ElementKey(
        int(raw.tag), raw.VR, raw.value, raw.is_implicit_VR, raw.is_little_endian, charset
    )


@cache
def _is_plain(number: int, vr: str | None) -> bool:
    tag = BaseTag(number)
    if vr in _NEVER or tag.is_private or not dictionary_has_tag(tag):
        return False
    if vr is not None:
        return " or " not in vr
    vr = dictionary_VR(tag)
    return " or " not in vr and vr not in _NEVER
