"""The BigQuery columns of DICOM elements.

A schema is a plain dict, name to column, so that it travels as JSON: a column has `type`, `mode`
and, if it is a RECORD, `fields` (a schema again). Which columns a table has is known only from the
data, so each instance brings its own schema and an export merges them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

from pydicom.datadict import dictionary_has_tag, dictionary_keyword, dictionary_VM, dictionary_VR
from pydicom.tag import BaseTag

Schema = dict[str, dict[str, Any]]

STRING = "STRING"
INTEGER = "INTEGER"
RECORD = "RECORD"
NULLABLE = "NULLABLE"
REPEATED = "REPEATED"

_TYPES = {
    "DATE": ("DA",),
    "TIME": ("TM",),
    "TIMESTAMP": ("DT",),
    "FLOAT": ("FL", "FD"),
    INTEGER: ("US", "SS", "UL", "SL", "UV", "SV", "AT"),
    RECORD: ("SQ", "PN"),
    STRING: ("AE", "AS", "CS", "DS", "IS", "LO", "LT", "SH", "ST", "UC", "UI", "UR", "UT"),
}
TYPE_OF_VR = {vr: kind for kind, vrs in _TYPES.items() for vr in vrs}
BINARY_VRS = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})

NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


def field(kind: str, mode: str = NULLABLE, fields: Schema | None = None) -> dict[str, Any]:
    """Make a column."""
    column: dict[str, Any] = {"type": kind, "mode": mode}
    if fields is not None:
        column["fields"] = fields
    return column


PERSON_NAME: Schema = {
    group: field(RECORD, fields={part: field(STRING) for part in NAME_PARTS})
    for group in NAME_GROUPS
}
OTHER_ELEMENTS = field(RECORD, REPEATED, {"Tag": field(STRING), "Data": field(STRING, REPEATED)})
ALWAYS: Schema = {
    "BlobStorageSize": field(INTEGER),
    "DroppedTags": field(STRING, REPEATED),
    "LastUpdated": field("TIMESTAMP"),
    "StorageClass": field(STRING),
}
"""Columns of every table: they tell of the storage, not of the data."""


@dataclass(frozen=True)
class Column:
    """Where an element of the dictionary goes.

    Attributes:
        name: its keyword.
        vr: the dictionary's VR, the first where it offers several.
        kind: BigQuery type.
        repeated: whether the dictionary lets it have more than one value.
    """

    name: str
    vr: str
    kind: str
    repeated: bool


@cache
def column_of(tag: int) -> Column | None:
    """Give a standard element's column.

    Returns:
        None for a private, unknown or binary element, and for repeating groups after the first,
        whose keywords are the same as the first's.
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


def merge(into: Schema, other: Schema) -> None:
    """Add the columns of another schema, at every depth."""
    for name, column in other.items():
        known = into.get(name)
        if known is None:
            into[name] = {**column}
            if "fields" in column:
                into[name]["fields"] = {}
                merge(into[name]["fields"], column["fields"])
        elif "fields" in column:
            merge(known["fields"], column["fields"])


def to_api(schema: Schema) -> list[dict[str, Any]]:
    """Give the schema as BigQuery's `TableSchema.fields`, in the order of the names.

    A RECORD without a field (a sequence that is empty everywhere) is left out: BigQuery knows none.
    """
    fields = []
    for name, column in sorted(schema.items()):
        made = {"name": name, "type": column["type"], "mode": column["mode"]}
        if column["type"] == RECORD:
            made["fields"] = to_api(column["fields"])
            if not made["fields"]:
                continue
        fields.append(made)
    return fields
