"""How exports and streams lay out a table: a column for each element, or all in one of JSON.

The descriptions of `SchemaFlattened`, `SchemaJSON` and `includeSourceStore` in the API's reference.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from emulator.errors import invalid_argument, unimplemented
from emulator.healthcare.dicom import bigquery_schema, dicom_json
from emulator.healthcare.dicom.bigquery_schema import INTEGER, STRING, Schema, field
from emulator.healthcare.dicom.texts import compact

SOURCE = "SourceDicomStore"
_STORED = "storage_class, updated, size"
_CREATED = "CREATE"
_AS_JSON: Schema = {
    **bigquery_schema.ALWAYS,
    "Metadata": field("JSON"),
    "SOPInstanceUID": field(STRING),
    "SeriesInstanceUID": field(STRING),
    "StructuredStorageSize": field(INTEGER),
    "StudyInstanceUID": field(STRING),
    "Type": field(STRING),
}


@dataclass(frozen=True)
class Layout:
    """What the rows of an export or a stream look like.

    Attributes:
        store: the full name of the store.
        root: URL of the API's version, for references to bulk data.
        as_json: whether one column holds all elements, as the DICOM JSON Model.
        with_source: whether a column names the store.
    """

    store: str
    root: str
    as_json: bool = False
    with_source: bool = False

    @property
    def columns(self) -> str:
        """The columns of the index that a row is made of."""
        if self.as_json:
            return f"study, series, sop, metadata, bigquery_row, {_STORED}"
        return f"bigquery_row, {_STORED}"

    def schema(self, needed: Iterable[str]) -> Schema:
        """Give the table's schema.

        Args:
            needed: the schemas of the instances, as JSON.
        """
        schema: Schema = {}
        bigquery_schema.merge(schema, _AS_JSON if self.as_json else bigquery_schema.ALWAYS)
        if not self.as_json:
            for one in needed:
                bigquery_schema.merge(schema, json.loads(one))
        if self.with_source:
            schema[SOURCE] = field(STRING)
        return schema

    def line(self, row: Row) -> bytes:
        """Give a row as a line of JSON, with what tells of the storage added."""
        storage: dict[str, Any] = {
            "BlobStorageSize": row["size"],
            "LastUpdated": row["updated"],
            "StorageClass": row["storage_class"],
        }
        if self.with_source:
            storage[SOURCE] = self.store
        if self.as_json:
            return compact(storage | self.as_json_model(row)).encode() + b"\n"
        # Both are JSON objects in text form: joined as text, a row is not parsed again.
        added, stored = compact(storage), str(row["bigquery_row"])
        joined = added if stored == "{}" else f"{stored[:-1]},{added[1:]}"
        return joined.encode() + b"\n"

    def as_json_model(self, row: Row) -> dict[str, Any]:
        """Give the columns of a row that holds all elements in one."""
        path = f"studies/{row['study']}/series/{row['series']}/instances/{row['sop']}"
        url = f"{self.root}/{self.store}/dicomWeb/{path}"
        return {
            "DroppedTags": json.loads(row["bigquery_row"]).get("DroppedTags", []),
            "Metadata": json.loads(dicom_json.with_references(row["metadata"], url)),
            "SOPInstanceUID": row["sop"],
            "SeriesInstanceUID": row["series"],
            "StructuredStorageSize": len(row["metadata"].encode()),
            "StudyInstanceUID": row["study"],
            "Type": _CREATED,
        }


def options(destination: dict[str, Any]) -> dict[str, bool]:
    """Read what a `bigqueryDestination` says of the layout.

    Raises:
        ApiError: 400 for two layouts at once, 501 for change data capture.
    """
    given = {name for name, value in destination.items() if value not in (None, False)}
    if {"schemaJson", "schemaFlattened"} <= given:
        raise invalid_argument(
            "bigquery_destination.schema_json and schema_flattened can't both be set"
        )
    if "changeDataCaptureConfig" in given:
        raise unimplemented(
            "bigquery_destination.changeDataCaptureConfig is not served by the local Google Cloud"
        )
    return {"as_json": "schemaJson" in given, "with_source": "includeSourceStore" in given}
