"""The BigQuery columns of DICOM elements.

The columns of a table are known only from the data, so each instance has a schema of its own, and
an export merges them.

Inferred (conformance: bigquery-schema): the columns of elements that the documentation does not
list.
"""

from dataclasses import dataclass
from functools import cache

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VM, dictionary_VR
from pydicom.tag import BaseTag

from emulator.services.healthcare.clients.table_schema import (
    INTEGER,
    RECORD,
    REPEATED,
    STRING,
    TIMESTAMP,
    Schema,
    field,
)
from emulator.services.healthcare.dicom.parsing.value_representations import NAME_GROUPS, NAME_PARTS

_TYPES = {
    "DATE": ("DA",),
    "TIME": ("TM",),
    TIMESTAMP: ("DT",),
    "FLOAT": ("FL", "FD"),
    INTEGER: ("US", "SS", "UL", "SL", "UV", "SV", "AT"),
    RECORD: ("SQ", "PN"),
    STRING: ("AE", "AS", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UC", "UI", "UR", "UT"),
}
TYPE_OF_VR = {vr: column_type for column_type, vrs in _TYPES.items() for vr in vrs}


PERSON_NAME: Schema = {
    group: field(RECORD, fields={part: field(STRING) for part in NAME_PARTS})
    for group in NAME_GROUPS
}
OTHER_ELEMENTS = field(RECORD, REPEATED, {"Tag": field(STRING), "Data": field(STRING, REPEATED)})
ALWAYS: Schema = {
    "BlobStorageSize": field(INTEGER),
    "DroppedTags": field(STRING, REPEATED),
    "LastUpdated": field(TIMESTAMP),
    "StorageClass": field(STRING),
}
"""Columns of every table, which describe the storage."""


@dataclass(frozen=True)
class Column:
    """The column of an element of the dictionary.

    Attributes:
        name: its keyword
        vr: the dictionary's VR, the first where it offers several
        type: the BigQuery type
        repeated: whether the dictionary allows more than one value
    """

    name: str
    vr: str
    type: str
    repeated: bool


@cache
def column_of(tag: int) -> Column | None:
    """Return a standard element's column.

    Returns:
        None for a private, unknown or binary element, and for repeating groups after the first,
        whose keywords are the same as the first's
    """
    base = BaseTag(tag)
    if base.is_private or (not dictionary_has_tag(base) and not _first_of_repeating_group(base)):
        return None
    keyword = dictionary_keyword(base)
    vr = dictionary_VR(base).split(" or ")[0]
    if not keyword or vr not in TYPE_OF_VR:
        return None
    return Column(keyword, vr, TYPE_OF_VR[vr], vr == "SQ" or dictionary_VM(base) != "1")


def _first_of_repeating_group(tag: BaseTag) -> bool:
    if tag.group not in (0x5000, 0x6000):
        return False
    try:
        return bool(dictionary_keyword(tag))
    except KeyError:
        return False
