"""Export to BigQuery: one load job, so that a table never holds a part of a store.

Inferred (conformance: export-not-empty): the text of a refusal.
"""

from collections.abc import Iterator, Sequence

from emulator.core.errors import already_exists
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients import table_schema
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.bigquery_exports import rows_before
from emulator.services.healthcare.dicom.bigquery.table_layout import TableLayout
from emulator.services.healthcare.dicom.instances.models import InstanceStore
from emulator.services.healthcare.dicom.operations import filter_config
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom


def run(dicom: Dicom, operation: OperationRun) -> None:
    """Run an export.

    Raises:
        ApiError: 409 for WRITE_EMPTY on a table with rows; errors of BigQuery
    """
    request = operation.request
    contents = dicom.contents
    reference = request["table"]
    table = Table(reference["projectId"], reference["datasetId"], reference["tableId"])
    resource_paths = filter_config.resolve(request["store"], request.get("places"))
    total = sum(contents.count(resource_path) for resource_path in resource_paths)
    operation.progress(success=0, failure=0, pending=total)
    with BigQueryClient(dicom.settings.bigquery_url) as bigquery:
        # After a crash it is unknown whether the load had ended: the count from before it decides.
        before = rows_before(
            dicom.context.database, operation.name, lambda: bigquery.rows(table) or 0
        )
        if request["disposition"] == "WRITE_EMPTY" and before:
            raise already_exists(
                f"BigQuery table {table} already exists and has rows. "
                "Set write_disposition to WRITE_TRUNCATE or WRITE_APPEND, or name another table."
            )
        loaded = total and bigquery.rows(table) == before + total
        if request["disposition"] == "WRITE_TRUNCATE" or not loaded:
            _load(dicom, operation, bigquery, table, resource_paths)
    absent = filter_config.log_missing(contents, operation, resource_paths)
    operation.progress(success=total, failure=absent, pending=0)


def _load(
    dicom: Dicom,
    operation: OperationRun,
    bigquery: BigQueryClient,
    table: Table,
    resource_paths: Sequence[ResourcePath],
) -> None:
    contents, request = dicom.contents, operation.request
    store, disposition = request["store"], request["disposition"]
    layout = TableLayout(store, f"{dicom.settings.root_url}/v1", **request.get("layout", {}))
    fields = table_schema.to_api(layout.schema(contents.schemas(store)))
    if any(contents.count(resource_path) for resource_path in resource_paths):
        lines = _lines(contents, operation, resource_paths, layout)
        bigquery.load(table, fields, disposition, lines)
    else:
        bigquery.create(table, fields, replace=disposition == "WRITE_TRUNCATE")


def _lines(
    contents: InstanceStore,
    operation: OperationRun,
    resource_paths: Sequence[ResourcePath],
    layout: TableLayout,
) -> Iterator[bytes]:
    """Yield the rows as lines of JSON."""
    for resource_path in resource_paths:
        for page in contents.pages(resource_path, layout.columns):
            operation.check_cancelled()
            yield from map(layout.line, page)
