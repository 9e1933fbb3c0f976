"""Searches: QIDO-RS (PS3.18 10.6) as the Healthcare API narrows it."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from sqlite3 import Row
from typing import Any

from pydicom.datadict import tag_for_keyword

from emulator.errors import invalid_argument
from emulator.healthcare.dicom import dicom_json
from emulator.healthcare.dicom.attributes import (
    AVAILABILITY,
    MATCH_KEYS,
    MORE,
    RETRIEVE_URL,
    DicomJson,
    Level,
)
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.places import Place

LIMITS = {Level.STUDY: (100, 5_000), Level.SERIES: (100, 5_000), Level.INSTANCE: (1_000, 50_000)}
"""Default and most."""
MOST_OFFSET = 1_000_000
_TAG = re.compile(r"[0-9A-Fa-f]{8}")
_DATE_RANGE = re.compile(r"(\d{8})?-(\d{8})?")
_NAMES = frozenset({"patient_name", "referring_physician"})
_UIDS = frozenset({"study", "series", "sop", "sop_class"})
_MODALITIES_IN_STUDY = "00080061"


@dataclass
class Search:
    """A search: where, what and how much of it.

    Attributes:
        level: what is searched for.
        place: where.
        limit: most results.
        offset: results left out at the beginning.
        fields: tags of further attributes to return.
        everything: whether all attributes are returned.
        conditions: SQL conditions, all of which must hold.
        parameters: of the conditions.
    """

    level: Level
    place: Place
    limit: int
    offset: int = 0
    fields: list[str] = field(default_factory=list)
    everything: bool = False
    conditions: list[str] = field(default_factory=list)
    parameters: list[str] = field(default_factory=list)


def parse(level: Level, place: Place, query: Iterable[tuple[str, str]]) -> Search:
    """Read a search's query.

    Raises:
        ApiError: 400, naming the parameter that is unknown or wrong.
    """
    pairs = list(query)
    default, most = LIMITS[level]
    search = Search(level, place, default)
    fuzzy = any(_truth(name, value) for name, value in pairs if name == "fuzzymatching")
    for name, value in pairs:
        if name == "limit":
            search.limit = _number(name, value, most)
        elif name == "offset":
            search.offset = _number(name, value, MOST_OFFSET)
        elif name == "includefield":
            _include(search, value)
        elif name not in ("fuzzymatching", "alt", "access_token", "key", "prettyPrint"):
            _match(search, name, value, fuzzy=fuzzy)
    return search


def _number(name: str, text: str, most: int) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10) or int(text) > most:
        raise invalid_argument(f"invalid {name} {text!r}: a number from 0 to {most} is expected")
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise invalid_argument(f"invalid {name} {text!r}: true or false is expected")
    return text == "true"


def _tag(name: str) -> str | None:
    if _TAG.fullmatch(name):
        return name.upper()
    tag = tag_for_keyword(name)
    return None if tag is None else f"{tag:08X}"


def _include(search: Search, value: str) -> None:
    for name in filter(None, value.split(",")):
        tag = _tag(name)
        if name == "all":
            search.everything = True
        elif tag is None:
            raise invalid_argument(f"invalid includefield {name!r}: no DICOM keyword or tag")
        else:
            search.fields.append(tag)


def _match(search: Search, name: str, value: str, *, fuzzy: bool) -> None:
    tag = _tag(name)
    if tag == _MODALITIES_IN_STUDY:
        search.conditions.append(
            "study IN (SELECT study FROM dicom_instances WHERE store = ? AND modality = ?)"
        )
        search.parameters += [search.place.store, value]
        return
    known = {
        key_tag: (keyword, column)
        for level in Level
        if level <= search.level
        for keyword, key_tag, column in MATCH_KEYS[level]
    }
    if tag is None or tag not in known:
        supported = ", ".join(keyword for keyword, _ in known.values())
        raise invalid_argument(f"unsupported search parameter {name!r}; supported: {supported}")
    column = known[tag][1]
    if value in ("", "*"):
        return  # universal matching, PS3.4 C.2.2.2.3
    condition, parameters = _condition(column, value, fuzzy=fuzzy)
    search.conditions.append(condition)
    search.parameters += parameters


def _condition(column: str, value: str, *, fuzzy: bool) -> tuple[str, list[str]]:
    if column in _UIDS:
        uids = [uid for uid in re.split(r"[,\\]", value) if uid]
        return f"{column} IN ({', '.join('?' * len(uids))})", uids
    if column == "study_date" and "-" in value:
        match = _DATE_RANGE.fullmatch(value)
        if match is None:
            raise invalid_argument(f"invalid StudyDate {value!r}: YYYYMMDD or YYYYMMDD-YYYYMMDD")
        return f"{column} BETWEEN ? AND ?", [match[1] or "00000000", match[2] or "99999999"]
    if column == "patient_name" and fuzzy:
        # Any of the words must begin some word of the name.
        words = [word for word in re.split(r"[\s^=*]+", value) if word]
        one = "instr(' ' || replace(replace(lower(patient_name), '^', ' '), '=', ' '), ?) > 0"
        alternatives = " OR ".join([one] * len(words)) or "1"
        return f"({alternatives})", [f" {word.lower()}" for word in words]
    folded = column in _NAMES
    side = f"lower({column})" if folded else column
    text = value.lower() if folded else value
    if "*" in value or "?" in value:
        return f"{side} GLOB ?", [text.replace("[", "[[]")]
    return f"{side} = ?", [text]


_GROUPS = {Level.STUDY: ("study",), Level.SERIES: ("study", "series")}
_COLUMNS = {
    Level.STUDY: "study, study_attributes",
    Level.SERIES: "study, series, study_attributes, series_attributes",
    Level.INSTANCE: (
        "study, series, sop, study_attributes, series_attributes, instance_attributes"
    ),
}


def run(contents: DicomContents, search: Search, root: str) -> list[DicomJson]:
    """Find what a search asks for, in the order of arrival.

    Args:
        contents: the stores.
        search: what is asked.
        root: URL of the store's DICOMweb service.
    """
    where, parameters = search.place.condition()
    conditions = " AND ".join([where, *search.conditions])
    columns = _COLUMNS[search.level]
    if search.fields or search.everything:
        columns += ", metadata"
    group = ""
    if search.level is not Level.INSTANCE:
        # SQLite takes the other columns from the row of the least id.
        columns += ", MIN(id) AS id"
        # By an expression, not a column, where few rows are left: else SQLite walks the whole store
        # in the order of the groups, rather than take those rows from a match key's index.
        sign = "+" if search.conditions else ""
        group = "GROUP BY " + ", ".join(sign + column for column in _GROUPS[search.level])
    # What is found is counted as it was when it was found.
    with contents.snapshot():
        rows = contents.select(
            f"SELECT {columns} FROM dicom_instances WHERE {conditions} {group}"  # noqa: S608
            " ORDER BY id LIMIT ? OFFSET ?",
            [*parameters, *search.parameters, search.limit, search.offset],
        )
        return [_result(contents, search, row, root) for row in rows]


def _result(contents: DicomContents, search: Search, row: Row, root: str) -> DicomJson:
    level, place = search.level, search.place
    found: DicomJson = {}
    # Attributes of the levels above come along unless the path has named them already.
    if place.study is None or level is Level.STUDY:
        found |= json.loads(row["study_attributes"])
    if level >= Level.SERIES and (place.series is None or level is Level.SERIES):
        found |= json.loads(row["series_attributes"])
    if level is Level.INSTANCE:
        found |= json.loads(row["instance_attributes"])
    url = f"{root}/studies/{row['study']}"
    if level >= Level.SERIES:
        url += f"/series/{row['series']}"
    if level is Level.INSTANCE:
        url += f"/instances/{row['sop']}"
    if search.everything or search.fields:
        found |= _more(search, row["metadata"], url)
    found[RETRIEVE_URL] = {"vr": "UR", "Value": [url]}
    found[AVAILABILITY] = {"vr": "CS", "Value": ["ONLINE"]}
    found |= _counted(contents, level, place.store, row)
    return dict(sorted(found.items()))


def _more(search: Search, text: str, url: str) -> DicomJson:
    """Give the further attributes that a search asks for, of the instance that stands for all."""
    if search.level is Level.INSTANCE:
        metadata: DicomJson = json.loads(dicom_json.with_references(text, url))
        if search.everything:
            return metadata
        wanted = set(search.fields)
    else:
        # A study or a series has no bulk data: an instance's are not found below its URL.
        metadata = dicom_json.without_references(json.loads(text))
        wanted = {*search.fields, *(MORE[search.level] if search.everything else ())}
    return {tag: element for tag, element in metadata.items() if tag in wanted}


def _counted(contents: DicomContents, level: Level, store: str, row: Row) -> DicomJson:
    """Count what is inside a study or a series, all of it, whatever the search matched."""
    if level is Level.INSTANCE:
        return {}
    inside = Place(store, row["study"], row["series"] if level is Level.SERIES else None)
    columns = "COUNT(*) AS instances, COUNT(DISTINCT series) AS series"
    counts = contents.find(inside, columns)[0]
    if level is Level.SERIES:
        return {"00201209": _integer(counts["instances"])}
    distinct = "SELECT DISTINCT modality FROM dicom_instances WHERE store = ? AND study = ?"
    modalities = [one["modality"] for one in contents.select(distinct, [store, row["study"]])]
    return {
        _MODALITIES_IN_STUDY: _strings("CS", sorted(filter(None, modalities))),
        "00201206": _integer(counts["series"]),
        "00201208": _integer(counts["instances"]),
    }


def _integer(value: int) -> dict[str, Any]:
    return {"vr": "IS", "Value": [value]}


def _strings(vr: str, values: Sequence[str]) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
