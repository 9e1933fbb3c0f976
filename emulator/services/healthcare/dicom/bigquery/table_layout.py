"""Table layouts of exports and streams: a column for each element, or one JSON column for all.

The descriptions of `SchemaFlattened`, `SchemaJSON` and `includeSourceStore` in the API's reference.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sqlite3 import Row
from typing import Any

from emulator.core.errors import invalid_argument, unimplemented
from emulator.services.healthcare.clients import table_schema
from emulator.services.healthcare.clients.table_schema import INTEGER, STRING, Schema, field
from emulator.services.healthcare.dicom.parsing import bigquery_schema, dicom_json
from emulator.services.healthcare.dicom.parsing.instance_json import compact
from emulator.services.healthcare.dicom.resource_path import ResourcePath

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
class TableLayout:
    """The layout of the rows of an export or a stream.

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
        """The columns of the index that a row needs."""
        if self.as_json:
            return f"study, series, sop, metadata, bigquery_row, {_STORED}"
        return f"bigquery_row, {_STORED}"

    def schema(self, needed: Iterable[str]) -> Schema:
        """Return the table's schema.

        Args:
            needed: the schemas of the instances, as JSON.
        """
        schema: Schema = {}
        table_schema.merge(schema, _AS_JSON if self.as_json else bigquery_schema.ALWAYS)
        if not self.as_json:
            for one in needed:
                table_schema.merge(schema, json.loads(one))
        if self.with_source:
            schema[SOURCE] = field(STRING)
        return schema

    def line(self, row: Row) -> bytes:
        """Return a row as a line of JSON, with the columns about its storage."""
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
        """Return the columns of a row that holds all elements in one."""
        name = ResourcePath(self.store, row["study"], row["series"], row["sop"])
        url = f"{self.root}/{name}"
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
    """Return the options of a layout from a `bigqueryDestination`.

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


def check_store(store: Mapping[str, Any]) -> None:
    """Refuse a DICOM store whose streams need a layout that is not implemented.

    Raises:
        ApiError: as `options`.
    """
    for stream in store.get("streamConfigs", []):
        options(stream.get("bigqueryDestination", {}))
