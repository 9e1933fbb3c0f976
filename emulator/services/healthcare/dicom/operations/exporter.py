"""Export to BigQuery or to Cloud Storage; a run that was interrupted is safe to repeat."""

import re
from typing import TYPE_CHECKING, Any

from emulator.errors import failed_precondition, invalid_argument
from emulator.healthcare.dicom import (
    bigquery_layouts,
    export_bigquery,
    export_storage,
    filters,
    permissions,
)
from emulator.healthcare.dicom.bigquery import BigQuery, Table
from emulator.healthcare.dicom.storage import Storage
from emulator.operations.running import OperationRun
from emulator.storage import names

if TYPE_CHECKING:
    from emulator.cloud import Cloud

METHOD = "dicom.DicomService.ExportDicomData"
ADMIN = "roles/storage.objectAdmin"
_TABLE = re.compile(r"bq://([a-z0-9.:-]+)\.(\w{1,1024})\.([\w-]{1,1024})")
_PREFIX = re.compile(r"gs://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/([^*?]*))?")
DISPOSITIONS = frozenset({"WRITE_EMPTY", "WRITE_TRUNCATE", "WRITE_APPEND"})


def begin(cloud: "Cloud", store: str, body: dict[str, Any], version: str) -> dict[str, Any]:
    """Check a request as far as the cloud does before it starts, and start it.

    Raises:
        ApiError: 400 for a bad destination, 403 for the agent.
    """
    given = [key for key in ("bigqueryDestination", "gcsDestination") if body.get(key)]
    if len(given) != 1:
        raise invalid_argument(
            "exactly one of bigquery_destination and gcs_destination is required"
        )
    check = _bigquery_request if given == ["bigqueryDestination"] else _storage_request
    project = store.split("/")[1]
    request = {"store": store, **check(cloud, project, body[given[0]])}
    request["places"] = filters.read(cloud, project, body)
    return cloud.operations.start(store.split("/dicomStores/")[0], METHOD, request, version=version)


def _bigquery_request(cloud: "Cloud", project: str, given: dict[str, Any]) -> dict[str, Any]:
    layout = bigquery_layouts.options(given)
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
    permissions.require_on_bigquery(cloud, project, table.project, table.dataset)
    with BigQuery(cloud.bigquery_url) as bigquery:
        if not bigquery.has_dataset(table.project, table.dataset):
            raise failed_precondition(f"failed to verify dataset ({dataset}): it does not exist")
    return {"table": table.reference(), "disposition": disposition, "layout": layout}


def _storage_request(cloud: "Cloud", project: str, given: dict[str, Any]) -> dict[str, Any]:
    uri = given.get("uriPrefix", "")
    match = _PREFIX.fullmatch(uri)
    if match is None:
        raise invalid_argument(f"invalid Cloud Storage URI {uri!r}: gs://bucket/folder")
    kind, syntax = export_storage.kind_of(given.get("mimeType", ""))
    bucket, prefix = match.groups()
    names.check(prefix or "")
    for permission in ("storage.objects.create", "storage.objects.delete"):
        permissions.require_on_bucket(cloud, project, bucket, permission, ADMIN)
    with Storage(cloud.storage_url) as storage:
        storage.check_bucket(bucket)
    folder = prefix.rstrip("/") + "/" if prefix and prefix.strip("/") else ""
    return {"bucket": bucket, "prefix": folder, "kind": kind, "syntax": syntax}


def register(cloud: "Cloud") -> None:
    """Have exports run, and go on after a restart."""

    def run(operation: OperationRun) -> dict[str, Any]:
        target = export_bigquery if "table" in operation.request else export_storage
        target.run(cloud, operation)
        return {}

    cloud.operations.register(METHOD, run)
