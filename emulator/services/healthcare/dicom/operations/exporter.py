"""Export to BigQuery or to Cloud Storage; a run that was interrupted is safe to repeat.

Inferred (conformance: export-destinations-text, export-table-text): the texts of refusals.
"""

import re
from typing import Any

from emulator.core.errors import failed_precondition, invalid_argument
from emulator.core.operations.operation_type import OperationRun
from emulator.core.resource_name import ResourceName
from emulator.services.healthcare.clients.agent_writes import require_folder
from emulator.services.healthcare.clients.bigquery import BigQueryClient, Table
from emulator.services.healthcare.dicom.bigquery import table_layout
from emulator.services.healthcare.dicom.operations import bigquery_export, filter_config, gcs_export
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.operation_types import operation_type

METHOD = "dicom.DicomService.ExportDicomData"
_TABLE = re.compile(r"bq://([a-z0-9.:-]+)\.(\w{1,1024})\.([\w-]{1,1024})")
DISPOSITIONS = frozenset({"WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_APPEND"})


def begin(dicom: Dicom, store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as Google does before an operation, and start the operation.

    Raises:
        ApiError: 400 for an invalid destination, 403 if the agent lacks a role
    """
    given = [key for key in ("bigqueryDestination", "gcsDestination") if body.get(key)]
    if len(given) != 1:
        raise invalid_argument(
            "exactly one of bigquery_destination and gcs_destination is required"
        )
    check = _bigquery_request if given == ["bigqueryDestination"] else _storage_request
    name = ResourceName.parse(store)
    request = {"store": store, **check(dicom, name.project, body[given[0]])}
    request["places"] = filter_config.read_filter_config(dicom, name.project, body)
    return dicom.operations.start(str(name.parent), METHOD, request, version=version)


def _bigquery_request(dicom: Dicom, project: str, given: dict[str, Any]) -> dict[str, Any]:
    layout = table_layout.options(given)
    uri = given.get("tableUri", "")
    match = _TABLE.fullmatch(uri)
    if match is None:
        raise invalid_argument(f"invalid BigQuery table URI {uri!r}: bq://project.dataset.table")
    table = Table(*match.groups())
    disposition = given.get("writeDisposition") or "WRITE_DISPOSITION_UNSPECIFIED"
    if disposition == "WRITE_DISPOSITION_UNSPECIFIED":
        disposition = "WRITE_TRUNCATE" if given.get("force") else "WRITE_EMPTY"
    if disposition not in DISPOSITIONS:
        raise invalid_argument(f"invalid write_disposition {disposition!r}")
    dataset = f"{table.project}.{table.dataset}"
    dicom.agent.require_load_job(project, table.project, table.dataset)
    with BigQueryClient(dicom.settings.bigquery_url) as bigquery:
        if not bigquery.has_dataset(table.project, table.dataset):
            raise failed_precondition(f"failed to verify dataset ({dataset}): it does not exist")
    return {"table": table.reference(), "disposition": disposition, "layout": layout}


def _storage_request(dicom: Dicom, project: str, given: dict[str, Any]) -> dict[str, Any]:
    media_type, syntax = gcs_export.parse_mime_type(given.get("mimeType", ""))
    url = dicom.settings.storage_url
    folder = require_folder(dicom.agent, url, project, given.get("uriPrefix", ""))
    return {**folder, "kind": media_type, "syntax": syntax}


def register(dicom: Dicom) -> None:
    """Register the operation, which a restart resumes."""

    def run(operation: OperationRun) -> dict[str, Any]:
        target = bigquery_export if "table" in operation.request else gcs_export
        target.run(dicom, operation)
        return {}

    dicom.operations.register(operation_type(METHOD, run))
