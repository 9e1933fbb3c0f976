"""Export to BigQuery: a table for each resource type, each by one load job.

Documented (`GoogleCloudHealthcareV1FhirBigQueryDestination` and `SchemaConfig`): the dispositions,
the schemas and their depth. Inferred (conformance: fhir-export-bigquery-text): the texts of
refusals, and the names of the tables, which are those of the types.
"""

import re
from collections.abc import Iterator, Mapping
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from functools import partial
from itertools import chain, islice
from tempfile import TemporaryFile
from typing import IO, Any

from emulator.core.errors import already_exists, failed_precondition, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.clients.bigquery_exports import rows_before
from emulator.services.healthcare.fhir.analytics import batches
from emulator.services.healthcare.fhir.analytics.batches import Batch, Rows
from emulator.services.healthcare.fhir.analytics.extensions import RowError
from emulator.services.healthcare.fhir.analytics.layout import TableLayout, parse_layout
from emulator.services.healthcare.fhir.operations.selection import Selection
from emulator.services.healthcare.fhir.service import Fhir

MANY = 40
"""Batches from which on workers make the rows: their start costs the time of half of these."""
PART_BYTES = 1 << 20
"""Bytes that are read at once of the rows for a load job."""
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
    with BigQueryClient(fhir.settings.bigquery_url) as bigquery, TemporaryFile() as spool:
        # After a crash it is unknown whether the load had ended: the count from before it decides.
        load = f"{operation.name}/{type_}"
        before = rows_before(fhir.context.database, load, lambda: bigquery.rows(table) or 0)
        if request["disposition"] == _EMPTY and before:
            raise already_exists(
                f"BigQuery table {table} already exists and has rows. "
                "Set write_disposition to WRITE_TRUNCATE or WRITE_APPEND, or name another dataset."
            )
        fields = export.write(spool)
        is_loaded = (bigquery.rows(table) or 0) != before
        if export.count and (request["disposition"] == _TRUNCATE or not is_loaded):
            partitioning = export.layout.partitioning
            spool.seek(0)
            parts = iter(partial(spool.read, PART_BYTES), b"")
            bigquery.load(table, fields, request["disposition"], parts, partitioning)
    for name, reason in export.failures.items():
        progress.fail(f"{request['store']}/fhir/{name}", reason)
    progress.succeed(export.count)


class _TypeExport:
    """The rows of a type.

    Attributes:
        layout: of the table
        count: of rows
        failures: resources without a row -> why
    """

    def __init__(self, fhir: Fhir, operation: OperationRun, type_: str) -> None:
        self._fhir, self._operation, self._type = fhir, operation, type_
        self.layout = TableLayout.of(operation.request)
        self.count = 0
        self.failures: dict[str, str] = {}

    def write(self, spool: IO[bytes]) -> list[dict[str, Any]]:
        """Write the rows as lines of JSON into a file; return the schema of the table.

        The load job needs the schema first, and all rows together may be larger than the memory.
        """
        columns = self.layout.columns(self._type)
        for batch, rows in self._results():
            try:
                columns.merge(rows.columns)
            except RowError:
                # A row does not fit those of other batches: the table takes one after the other.
                rows = batches.add(Rows(columns), batch)
            spool.writelines(rows.lines)
            self.failures |= rows.failures
            self.count += rows.count
        return columns.schema()

    def _results(self) -> Iterator[tuple[Batch, Rows]]:
        """Yield batches with their rows, which workers make if there are many."""
        waiting = self._batches()
        first = [*islice(waiting, MANY)]
        if len(first) < MANY:
            yield from ((batch, batches.make(batch)) for batch in first)
            return
        workers = self._fhir.workers
        with closing(workers.map(batches.make, chain(first, waiting), _discard)) as results:
            for batch, rows in results:
                yield batch, batches.make(batch) if isinstance(rows, BrokenProcessPool) else rows

    def _batches(self) -> Iterator[Batch]:
        request = self._operation.request
        selection = Selection([self._type], request["since"])
        for page in selection.pages(self._fhir.resources, request["store"]):
            self._operation.check_cancelled()
            yield Batch(self.layout.record(), [version.body for version in page])


def _discard(_rows: object) -> None:
    """Nothing is left of rows that are not written."""
