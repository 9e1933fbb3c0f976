"""The export to BigQuery: one load job, so that a table never holds half of a store."""

import json
from collections.abc import Iterator, Sequence
from sqlite3 import Row
from typing import TYPE_CHECKING

from emulator.errors import already_exists
from emulator.healthcare.dicom import bigquery_schema, filters
from emulator.healthcare.dicom.bigquery import BigQuery, Table
from emulator.healthcare.dicom.bigquery_schema import Schema
from emulator.healthcare.dicom.models import Place
from emulator.healthcare.dicom.parsing import compact
from emulator.operations import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

COLUMNS = "bigquery_row, storage_class, updated, size"


def run(cloud: "Cloud", operation: OperationRun) -> None:
    """Run an export.

    Raises:
        ApiError: 409 for WRITE_EMPTY on a table with rows; what BigQuery refuses.
    """
    request = operation.request
    contents = cloud.dicom.contents
    reference = request["table"]
    table = Table(reference["projectId"], reference["datasetId"], reference["tableId"])
    places = filters.places(request["store"], request.get("places"))
    total = sum(contents.count(place) for place in places)
    operation.progress(success=0, failure=0, pending=total)
    with BigQuery(cloud.bigquery_url) as bigquery:
        # After a crash nobody knows whether the load had ended: the count from before tells.
        before = contents.rows_before(operation.name, lambda: bigquery.rows(table) or 0)
        if request["disposition"] == "WRITE_EMPTY" and before:
            raise already_exists(
                f"BigQuery table {table} already exists and has rows. "
                "Set write_disposition to WRITE_TRUNCATE or WRITE_APPEND, or name another table."
            )
        loaded = total and bigquery.rows(table) == before + total
        if request["disposition"] == "WRITE_TRUNCATE" or not loaded:
            _load(cloud, operation, bigquery, table, places)
    absent = filters.log_absent(contents, operation, places)
    operation.progress(success=total, failure=absent, pending=0)


def _load(
    cloud: "Cloud",
    operation: OperationRun,
    bigquery: BigQuery,
    table: Table,
    places: Sequence[Place],
) -> None:
    contents, store = cloud.dicom.contents, operation.request["store"]
    schema: Schema = {}
    bigquery_schema.merge(schema, bigquery_schema.ALWAYS)
    for one in contents.schemas(store):
        bigquery_schema.merge(schema, json.loads(one))
    fields = bigquery_schema.to_api(schema)
    disposition = operation.request["disposition"]
    if any(contents.count(place) for place in places):
        bigquery.load(table, fields, disposition, _lines(cloud, operation, places))
    else:
        bigquery.create(table, fields, anew=disposition == "WRITE_TRUNCATE")


def _lines(cloud: "Cloud", operation: OperationRun, places: Sequence[Place]) -> Iterator[bytes]:
    """Give the rows as lines of JSON."""
    for page in (page for place in places for page in cloud.dicom.contents.pages(place, COLUMNS)):
        operation.check_cancelled()
        yield from map(line, page)


def line(row: Row) -> bytes:
    """Give a row as a line of JSON, with what tells of the storage added."""
    storage = compact(
        {
            "BlobStorageSize": row["size"],
            "LastUpdated": row["updated"],
            "StorageClass": row["storage_class"],
        }
    )
    # Both are JSON objects in text form: joined as text, a row is not parsed again.
    stored: str = row["bigquery_row"]
    joined = storage if stored == "{}" else f"{stored[:-1]},{storage[1:]}"
    return joined.encode() + b"\n"
