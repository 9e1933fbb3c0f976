"""Export to BigQuery: a table for each resource type, each by one load job.

Documented (`GoogleCloudHealthcareV1FhirBigQueryDestination` and `SchemaConfig`): the dispositions,
the schemas and their depth. Inferred (conformance: fhir-export-bigquery-text): the texts of
refusals, and the names of the tables, which are those of the types.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from emulator.core.errors import already_exists, failed_precondition, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.bigquery_exports import rows_before
from emulator.services.healthcare.fhir import json_text
from emulator.services.healthcare.fhir.analytics.extensions import RowError
from emulator.services.healthcare.fhir.analytics.layout import TableLayout, parse_layout
from emulator.services.healthcare.fhir.operations.selection import Selection
from emulator.services.healthcare.fhir.resources.version import Version
from emulator.services.healthcare.fhir.service import Fhir

_DATASET = re.compile(r"bq://([a-z0-9.:-]+)\.(\w{1,1024})")
_EMPTY, _TRUNCATE = "WRITE_EMPTY", "WRITE_TRUNCATE"
_DISPOSITIONS = (_EMPTY, _TRUNCATE, "WRITE_APPEND")


def request_of(fhir: Fhir, project: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of an operation's request about a destination, checked.

    Raises:
        ApiError: 400 for a destination or a schema that is not valid, 403 if the agent lacks a
            role, 501 for what is not served
    """
    uri = given.get("datasetUri", "")
    match = _DATASET.fullmatch(uri)
    if match is None:
        raise invalid_argument(f"invalid BigQuery dataset URI {uri!r}: bq://project.dataset")
    disposition = given.get("writeDisposition") or "WRITE_DISPOSITION_UNSPECIFIED"
    if disposition == "WRITE_DISPOSITION_UNSPECIFIED":
        disposition = _TRUNCATE if given.get("force") else _EMPTY
    if disposition not in _DISPOSITIONS:
        raise invalid_argument(f"invalid write_disposition {disposition!r}")
    schema = parse_layout(given).record()
    fhir.agent.require_load_job(project, match[1], match[2])
    with BigQueryClient(fhir.settings.bigquery_url) as bigquery:
        if not bigquery.has_dataset(match[1], match[2]):
            name = f"{match[1]}.{match[2]}"
            raise failed_precondition(f"failed to verify dataset ({name}): it does not exist")
    return {"dataset": [match[1], match[2]], "disposition": disposition, **schema}


def export_type(fhir: Fhir, operation: OperationRun, progress: BatchProgress, type_: str) -> None:
    """Load the resources of a type into their table.

    Raises:
        ApiError: 409 for WRITE_EMPTY on a table with rows; errors of BigQuery
    """
    request = operation.request
    project, dataset = request["dataset"]
    table = Table(project, dataset, type_)
    export = _TypeExport(fhir, operation, type_)
    with BigQueryClient(fhir.settings.bigquery_url) as bigquery:
        # After a crash it is unknown whether the load had ended: the count from before it decides.
        load = f"{operation.name}/{type_}"
        before = rows_before(fhir.context.database, load, lambda: bigquery.rows(table) or 0)
        if request["disposition"] == _EMPTY and before:
            raise already_exists(
                f"BigQuery table {table} already exists and has rows. "
                "Set write_disposition to WRITE_TRUNCATE or WRITE_APPEND, or name another dataset."
            )
        fields = export.fields()
        is_loaded = (bigquery.rows(table) or 0) != before
        if export.count and (request["disposition"] == _TRUNCATE or not is_loaded):
            partitioning = export.layout.partitioning
            bigquery.load(table, fields, request["disposition"], export.lines(), partitioning)
    for name, reason in export.failures.items():
        progress.fail(f"{request['store']}/fhir/{name}", reason)
    progress.succeed(export.count)


class _TypeExport:
    """The rows of a type, which are made twice: for the schema, and for the load job.

    Attributes:
        layout: of the table
        count: of rows
        failures: resources without a row -> why
    """

    def __init__(self, fhir: Fhir, operation: OperationRun, type_: str) -> None:
        self._fhir, self._operation, self._type = fhir, operation, type_
        self.layout = TableLayout.of(operation.request)
        # Resources that are written meanwhile are not exported: their columns are not known.
        self._last = self._versions_until()
        self.count = 0
        self.failures: dict[str, str] = {}

    def fields(self) -> list[dict[str, Any]]:
        """Return the schema of the table."""
        columns = self.layout.columns(self._type)
        for version in self._versions():
            try:
                columns.widen(self.layout.row(version.resource()))
            except RowError as error:
                self.failures[version.name] = str(error)
            else:
                self.count += 1
        return columns.schema()

    def lines(self) -> Iterator[bytes]:
        """Yield the rows as lines of JSON."""
        for version in self._versions():
            if version.name not in self.failures:
                yield json_text.dump(self.layout.row(version.resource())) + b"\n"

    def _versions(self) -> Iterator[Version]:
        request = self._operation.request
        selection = Selection([self._type], request["since"], self._last)
        for page in selection.pages(self._fhir.resources, request["store"]):
            self._operation.check_cancelled()
            yield from page

    def _versions_until(self) -> int:
        rows = self._fhir.resources.select(
            "SELECT MAX(version) AS last FROM fhir_resources WHERE store = ? AND type = ?",
            (self._operation.request["store"], self._type),
        )
        return int(rows[0]["last"] or 0)
