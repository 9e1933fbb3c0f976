"""Checks of exports, and of the BigQuery rows that they write."""

from typing import Any

from conformance import samples
from conformance.check import Check, Lab
from conformance.checks.imports import log_entries, operation_entries
from conformance.cloud_project import Json

_COLUMNS = (
    "StudyInstanceUID",
    "PatientName",
    "StudyDate",
    "ReferringPhysicianName",
    "WindowCenter",
    "Rows",
    "OtherElements",
    "DroppedTags",
)
_MAX_ROW_BYTES = 1 << 20


def _export(lab: Lab, store: str = "main", **destination: Any) -> Json:
    return lab.healthcare("POST", f"{lab.names.store(store)}:export", json=destination)


def _to_table(lab: Lab, table: str, **more: str) -> Json:
    uri = f"bq://{lab.names.project}.{lab.names.bigquery_dataset}.{table}"
    return _export(lab, bigqueryDestination={"tableUri": uri, **more})


def _exported(lab: Lab) -> Json:
    return lab.once("export", lambda lab: lab.finish(_to_table(lab, "exported")))


def _not_empty(lab: Lab) -> Json:
    _exported(lab)
    return lab.finish(_to_table(lab, "exported"))


def _schema(lab: Lab) -> Json:
    """Return name, type and mode of each column of the exported table."""
    _exported(lab)
    path = f"bigquery/v2/projects/{lab.names.project}/datasets/{lab.names.bigquery_dataset}"
    found = lab.call("bigquery", "GET", f"{path}/tables/exported")
    if found["status"] != 200:
        return found
    return _columns(found["body"].get("schema", {}).get("fields", []))


def _columns(fields: list[Json]) -> Json:
    return {
        field["name"]: [
            field["type"],
            field.get("mode", "NULLABLE"),
            *([_columns(field["fields"])] if field.get("fields") else []),
        ]
        for field in fields
    }


def _rows(lab: Lab) -> Json:
    """Return some columns of the rows of a few instances, as JSON."""
    _exported(lab)
    table = f"`{lab.names.project}.{lab.names.bigquery_dataset}.exported`"
    numbers = ", ".join(
        f"'{uid}'"
        for uid in (
            f"{samples.STUDY}.1.1",
            *(
                f"{samples.ODD_STUDY}.1.{samples.odd_number(one)}"
                for one in ("private", "decimal-nan")
            ),
        )
    )
    query = (
        f"SELECT {', '.join(_COLUMNS)} FROM {table} "  # noqa: S608 - our own names
        f"WHERE SOPInstanceUID IN ({numbers}) ORDER BY SOPInstanceUID"
    )
    body = {
        "query": query,
        "useLegacySql": False,
        "location": lab.names.location,
        "timeoutMs": 60_000,
    }
    found = lab.call(
        "bigquery", "POST", f"bigquery/v2/projects/{lab.names.project}/queries", json=body
    )
    return found if found["status"] != 200 else found["body"].get("rows", [])


def _pictures_of_nothing(lab: Lab) -> Json:
    """Export the picture of an instance without pixels; return operation and log entries."""
    destination = {"uriPrefix": f"gs://{lab.names.bucket}/pictures", "mimeType": "image/png"}
    only = f"/{samples.path(samples.STUDY, 5)}".replace("/studies", "studies", 1)
    started = _export(
        lab, gcsDestination=destination, filterConfig={"resourcePathsGcsUri": _paths(lab, only)}
    )
    finished = lab.finish(started)
    return {"operation": finished, "entries": operation_entries(lab, finished)}


def _paths(lab: Lab, path: str) -> str:
    """Write a file with the DICOMweb path of an instance; return its URI."""
    lab.cloud.require(
        "storage",
        "POST",
        f"upload/storage/v1/b/{lab.names.bucket}/o",
        params={"uploadType": "media", "name": "paths.txt"},
        data=f"/{path}\n".encode(),
        headers={"Content-Type": "text/plain"},
    )
    return f"gs://{lab.names.bucket}/paths.txt"


def _copied_over(lab: Lab) -> Json:
    """De-identify into a store that has an instance of the same UIDs and other content."""
    lab.store_instance("copied", samples.make(samples.STUDY, 1, StudyDescription="Other"))
    config = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE", "skipIdRedaction": True}}
    body = {
        "destinationStore": lab.names.store("copied"),
        "config": config,
        "filterConfig": {"resourcePathsGcsUri": _paths(lab, samples.path(samples.STUDY, 1))},
    }
    finished = lab.finish(
        lab.healthcare("POST", f"{lab.names.store('main')}:deidentify", json=body)
    )
    return {"operation": finished, "entries": operation_entries(lab, finished)}


def _row_too_large(lab: Lab) -> Json:
    """Store an instance whose row is too large for a stream; return the log entries."""
    text = "x" * (_MAX_ROW_BYTES + 1)
    lab.store_instance("streamed", samples.make("2.25.74030", 1, TextValue=text))
    restriction = 'resource.labels.dicom_store_id="streamed" AND severity>=ERROR'
    return log_entries(lab, restriction, 1)


CHECKS = (
    Check(
        "export-destinations-text",
        "an export without a destination: text",
        lambda lab: _export(lab),
    ),
    Check(
        "export-table-text",
        "an export with an invalid table URI: text",
        lambda lab: _export(lab, bigqueryDestination={"tableUri": "bq://table"}),
    ),
    Check(
        "export-dataset-text",
        "an export into a BigQuery dataset that does not exist: code and text",
        lambda lab: _export(
            lab,
            bigqueryDestination={"tableUri": f"bq://{lab.names.project}.conformance_missing.t"},
        ),
    ),
    Check(
        "export-bucket-text",
        "an export into a bucket that the service agent may not write to: code and text",
        lambda lab: _export(
            lab, gcsDestination={"uriPrefix": f"gs://{lab.names.bucket}-missing/x"}
        ),
    ),
    Check(
        "export-mime-type-text",
        "an export in a media type that is not supported: text",
        lambda lab: _export(
            lab,
            gcsDestination={"uriPrefix": f"gs://{lab.names.bucket}/x", "mimeType": "image/bmp"},
        ),
    ),
    Check("export-operation", "an export to BigQuery: metadata and response", _exported),
    Check("export-not-empty", "an export into a table with rows: error", _not_empty),
    Check("bigquery-schema", "columns of the exported table", _schema),
    Check("bigquery-rows", "values of exported rows, also of odd ones", _rows),
    Check(
        "export-log-entries", "an instance that can't be exported: log entry", _pictures_of_nothing
    ),
    Check("deidentify-log-entries", "an instance that can't be copied: log entry", _copied_over),
    Check("stream-log-entries", "a row that is too large for a stream: log entry", _row_too_large),
)
