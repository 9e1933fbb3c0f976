"""Exports of a DICOM store, as sources of features: a table of BigQuery, or files.

An instance of either becomes the DICOM JSON model, as a search of the store returns it, so that its
row is the same. Documented: the columns of an export
(https://cloud.google.com/healthcare-api/docs/how-tos/dicom-export-bigquery) are keywords, those
of `schemaJson` are the UIDs and `Metadata`; a stream adds a row for each change, with `Type` and
`LastUpdated` (https://cloud.google.com/healthcare-api/docs/how-tos/dicom-bigquery-streaming).
"""

import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import pydicom
from pydicom.datadict import keyword_for_tag

from pipelines.common.tables import QueryError, columns_of_table
from pipelines.features.extraction import TAGS

BIGQUERY, FILES = "bq://", "gs://"
ROWS = 5_000
"""Rows that a worker reads at a time."""
_TABLE = re.compile(r"bq://(?P<table>(?:[a-z0-9.-]+:)?[a-z0-9-]+\.\w+\.[^./`]+)")
_UIDS = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")
_METADATA, _TYPE, _UPDATED = "Metadata", "Type", "LastUpdated"

Instance = Mapping[str, Any]


class ExportError(Exception):
    """An export that can't be read, in a sentence for people."""


class UnreadableError(Exception):
    """A file that is not an instance, with the reason."""


def table_of(uri: str) -> str:
    """Return PROJECT.DATASET.TABLE.

    Raises:
        ExportError: not the URI of a table
    """
    match = _TABLE.fullmatch(uri)
    if match is None:
        raise ExportError(f"{uri!r} is not a valid export: write bq://PROJECT.DATASET.TABLE.")
    return match["table"]


def query(table: str) -> str:
    """Return the SQL of the newest row of each instance that is not deleted.

    Args:
        table: PROJECT.DATASET.TABLE

    Raises:
        ExportError: it can't be read, or is not an export of a DICOM store
    """
    try:
        columns = columns_of_table(table)
    except QueryError as error:
        raise ExportError(f"{table} can't be read: {error}") from error
    missing = [name for name in _UIDS if name not in columns]
    if missing:
        raise ExportError(
            f"{table} has no column {missing[0]}: export the metadata of a DICOM store to it."
        )
    wanted = [*_UIDS, _METADATA] if _METADATA in columns else _keywords()
    listed = ", ".join(f"`{name}`" for name in wanted if name in columns)
    newest = f"{listed}, ROW_NUMBER() OVER ({_window(columns)}) AS _age"
    has_type = _TYPE in columns
    inner = f"SELECT {newest}{', `Type` AS _type' if has_type else ''} FROM `{table}`"  # noqa: S608
    kept = "_age = 1" + (" AND IFNULL(_type, '') != 'DELETE'" if has_type else "")
    return f"SELECT {listed} FROM ({inner}) WHERE {kept}"  # noqa: S608


def from_row(row: Mapping[str, Any]) -> Instance:
    """Return a row of a table in the DICOM JSON model."""
    lower = {name.lower(): value for name, value in row.items()}
    if (metadata := lower.get(_METADATA.lower())) is not None:
        found: Instance = json.loads(metadata) if isinstance(metadata, str) else metadata
        return found
    instance = {}
    for tag in TAGS:
        value = lower.get(_keyword(tag).lower())
        values = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        if plain := [_plain(one) for one in values if one is not None]:
            instance[tag] = {"Value": plain}
    return instance


def from_file(content: bytes) -> Instance:
    """Return an exported file in the DICOM JSON model.

    Raises:
        UnreadableError: it is not a DICOM file, or has no UIDs
    """
    try:
        dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
        instance = dict(_elements(dataset))
    except Exception as error:  # pydicom raises what its parsers do; a text may quote a patient
        raise UnreadableError(f"not a DICOM file ({type(error).__name__})") from error
    if not all(tag in instance for tag in ("0020000D", "0020000E", "00080018")):
        raise UnreadableError("the file has no UID of a study, a series or an instance")
    return instance


def ranges(rows: int) -> Iterator[int]:
    """Yield the first index of each part of the rows that one worker reads."""
    yield from range(0, rows, ROWS)


def _elements(dataset: pydicom.Dataset) -> Iterator[tuple[str, Any]]:
    for tag in TAGS:
        element = dataset.get(int(tag, 16))
        if element is None or element.is_empty:
            continue
        values = element.value if element.VM > 1 else [element.value]
        yield tag, {"Value": [_plain(one) for one in values]}


def _keywords() -> list[str]:
    return [*map(_keyword, TAGS)]


def _keyword(tag: str) -> str:
    return keyword_for_tag(int(tag, 16))


def _window(columns: Mapping[str, str]) -> str:
    """Return the window of the rows of an instance, the newest first."""
    last = f"`{_UPDATED}` DESC" if _UPDATED in columns else "`SOPInstanceUID`"
    return f"PARTITION BY {', '.join(_UIDS)} ORDER BY {last}"


def _plain(value: Any) -> Any:
    """Return a value as a search has it."""
    if isinstance(value, date):
        return value.strftime("%Y%m%d")
    return value if isinstance(value, (int, float)) else str(value)
