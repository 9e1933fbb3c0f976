"""The Search transaction: QIDO-RS (PS3.18 10.6).

Inferred (conformance: search-study-attributes, search-series-attributes,
search-instance-attributes, search-all-fields): which attributes of other levels a result has.
"""

import json
from collections.abc import Sequence
from sqlite3 import Row
from typing import Any

from emulator.core.conditions import and_
from emulator.services.healthcare.dicom.dicomweb.search_parameters import (
    MODALITIES_IN_STUDY,
    Search,
)
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.parsing import dicom_json
from emulator.services.healthcare.dicom.parsing.attributes import (
    AVAILABILITY,
    MORE,
    RETRIEVE_URL,
    DicomJson,
    Level,
)
from emulator.services.healthcare.dicom.resource_path import ResourcePath

_GROUPS = {Level.STUDY: ("study",), Level.SERIES: ("study", "series")}
_COLUMNS = {
    Level.STUDY: "study, study_attributes",
    Level.SERIES: "study, series, study_attributes, series_attributes",
    Level.INSTANCE: (
        "study, series, sop, study_attributes, series_attributes, instance_attributes"
    ),
}


def run(contents: InstanceStore, search: Search, root: str) -> list[DicomJson]:
    """Return the results of a search, in the order in which they were stored.

    Args:
        contents: the instances of all stores
        search: from `search_parameters.parse`
        root: URL of the store's DICOMweb service
    """
    columns = _COLUMNS[search.level]
    if search.fields or search.everything:
        columns += ", metadata"
    group = ""
    if search.level is not Level.INSTANCE:
        # SQLite takes the other columns from the row of the least id.
        columns += ", MIN(id) AS id"
        # By an expression, not a column, where few rows are left: else SQLite walks the whole store
        # in the order of the groups, rather than take those rows from a match key's index.
        sign = "+" if search.matches else ""
        group = "GROUP BY " + ", ".join(sign + column for column in _GROUPS[search.level])
    # What is found is counted as it was when it was found.
    with contents.snapshot():
        store = search.resource_path.store
        matches = [match.condition(contents, store) for match in search.matches]
        condition = and_(search.resource_path.where_clause(), *matches)
        rows = contents.select(
            f"SELECT {columns} FROM dicom_instances WHERE {condition.sql} {group}"  # noqa: S608
            " ORDER BY id LIMIT ? OFFSET ?",
            [*condition.parameters, search.limit, search.offset],
        )
        return [_result(contents, search, row, root) for row in rows]


def _result(contents: InstanceStore, search: Search, row: Row, root: str) -> DicomJson:
    level, resource_path = search.level, search.resource_path
    url = f"{root}/studies/{row['study']}"
    if level >= Level.SERIES:
        url += f"/series/{row['series']}"
    if level is Level.INSTANCE:
        url += f"/instances/{row['sop']}"
    found: DicomJson = {}
    # Attributes of the levels above come along unless the path has named them already.
    if resource_path.study is None or level is Level.STUDY:
        found |= _model(level, row["study_attributes"], url)
    if level >= Level.SERIES and (resource_path.series is None or level is Level.SERIES):
        found |= _model(level, row["series_attributes"], url)
    if level is Level.INSTANCE:
        found |= _model(level, row["instance_attributes"], url)
    if search.everything or search.fields:
        found |= _more(search, row["metadata"], url)
    found[RETRIEVE_URL] = {"vr": "UR", "Value": [url]}
    found[AVAILABILITY] = {"vr": "CS", "Value": ["ONLINE"]}
    found |= _counted(contents, level, resource_path.store, row)
    return dict(sorted(found.items()))


def _model(level: Level, text: str, url: str) -> DicomJson:
    """Return a stored model as a result has it."""
    if level is Level.INSTANCE:
        return dict(json.loads(dicom_json.with_references(text, url)))
    model: DicomJson = json.loads(text)
    # A study or a series has no bulk data: an instance's are not found below its URL.
    return dicom_json.without_references(model) if dicom_json.has_references(text) else model


def _more(search: Search, text: str, url: str) -> DicomJson:
    """Return the further requested attributes, from the first instance of the result."""
    metadata = _model(search.level, text, url)
    if search.level is Level.INSTANCE and search.everything:
        return metadata
    wanted = {*search.fields, *(MORE.get(search.level, ()) if search.everything else ())}
    return {tag: element for tag, element in metadata.items() if tag in wanted}


def _counted(contents: InstanceStore, level: Level, store: str, row: Row) -> DicomJson:
    """Return the numbers of all series and instances in a study or a series."""
    if level is Level.INSTANCE:
        return {}
    inside = ResourcePath(store, row["study"], row["series"] if level is Level.SERIES else None)
    columns = "COUNT(*) AS instances, COUNT(DISTINCT series) AS series"
    counts = contents.find(inside, columns)[0]
    if level is Level.SERIES:
        return {"00201209": _integer(counts["instances"])}
    distinct = "SELECT DISTINCT modality FROM dicom_instances WHERE store = ? AND study = ?"
    modalities = [one["modality"] for one in contents.select(distinct, [store, row["study"]])]
    return {
        MODALITIES_IN_STUDY: _strings("CS", sorted(filter(None, modalities))),
        "00201206": _integer(counts["series"]),
        "00201208": _integer(counts["instances"]),
    }


def _integer(value: int) -> dict[str, Any]:
    return {"vr": "IS", "Value": [value]}


def _strings(vr: str, values: Sequence[str]) -> dict[str, Any]:
    return {"vr": vr, "Value": list(values)} if values else {"vr": vr}
