"""The export to BigQuery: one load job, so that a table never holds half of a store."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from emulator.errors import already_exists
from emulator.healthcare.dicom import bigquery_schema, filters
from emulator.healthcare.dicom.bigquery import BigQuery, Table
from emulator.healthcare.dicom.bigquery_layouts import Layout
from emulator.healthcare.dicom.models import DicomContents
from emulator.healthcare.dicom.places import Place
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud


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
    contents, request = cloud.dicom.contents, operation.request
    store, disposition = request["store"], request["disposition"]
    layout = Layout(store, f"{cloud.settings.root_url}/v1", **request.get("layout", {}))
    fields = bigquery_schema.to_api(layout.schema(contents.schemas(store)))
    if any(contents.count(place) for place in places):
        lines = _lines(contents, operation, places, layout)
        bigquery.load(table, fields, disposition, lines)
    else:
        bigquery.create(table, fields, anew=disposition == "WRITE_TRUNCATE")


def _lines(
    contents: DicomContents, operation: OperationRun, places: Sequence[Place], layout: Layout
) -> Iterator[bytes]:
    """Give the rows as lines of JSON."""
    for place in places:
        for page in contents.pages(place, layout.columns):
            operation.check_cancelled()
            yield from map(layout.line, page)
