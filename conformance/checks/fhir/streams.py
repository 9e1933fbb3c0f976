"""Checks of the streams of FHIR stores into BigQuery, and of exports with the schema LOSSLESS."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, patient, put, store
from conformance.cloud_project import Json
from conformance.waiting import poll

_VERSIONS = 3
"""Two writes and a deletion."""


def _stream(lab: Lab, **schema: Any) -> dict[str, Any]:
    uri = f"bq://{lab.names.project}.{lab.names.bigquery_dataset}"
    config = {"schemaType": "ANALYTICS_V2", **schema}
    return {"bigqueryDestination": {"datasetUri": uri, "schemaConfig": config}}


def _table(lab: Lab, name: str, what: str = "") -> Json:
    dataset = f"projects/{lab.names.project}/datasets/{lab.names.bigquery_dataset}"
    return lab.call("bigquery", "GET", f"bigquery/v2/{dataset}/tables/{name}{what}")


def _rows(lab: Lab) -> Json:
    """Create, change and delete a resource; return the rows of its type, and the view."""
    stream = {**_stream(lab), "resourceTypes": ["Basic"]}
    name = store(lab, "fhir-streamed", streamConfigs=[stream])
    for code in ("a", "b"):
        basic = {"resourceType": "Basic", "id": "streamed", "code": {"text": code}}
        put(lab, basic, to=name)
    call(lab, "DELETE", "Basic/streamed", to=name)

    def look() -> Json | None:
        rows = _table(lab, "Basic", "/data")
        return rows if len(rows["body"].get("rows", [])) == _VERSIONS else None

    rows = poll(look, lab.cloud.max_wait_seconds) or _table(lab, "Basic", "/data")
    view = _table(lab, "BasicView")["body"]
    return [rows, {field: view.get(field) for field in ("type", "view", "schema", "error")}]


def _texts(lab: Lab) -> Json:
    path = f"v1beta1/{lab.names.dataset}/fhirStores"
    refused = (
        [_stream(lab)] * 11,
        [_stream(lab, schemaType="LOSSLESS")],
        [_stream(lab, recursiveStructureDepth="6")],
        [_stream(lab, lastUpdatedPartitionConfig={})],
        [{**_stream(lab), "resourceTypes": ["Nothing"]}],
    )
    return [
        lab.call(
            "healthcare",
            "POST",
            path,
            params={"fhirStoreId": "fhir-refused"},
            json={"version": "R4", "streamConfigs": streams},
        )
        for streams in refused
    ]


def _lossless(lab: Lab) -> Json:
    """Return the operation of an export with the schema LOSSLESS, and its columns."""
    name = store(lab, "fhir-lossless")
    extension = {"url": "urn:conformance:x", "valueString": "a"}
    put(lab, patient("whole", birthDate="1970-01-01", extension=[extension]), to=name)
    destination = _stream(lab, schemaType="LOSSLESS")["bigqueryDestination"]
    body = {"bigqueryDestination": {**destination, "writeDisposition": "WRITE_TRUNCATE"}}
    started = lab.call("healthcare", "POST", f"v1beta1/{name}:export", json=body)
    done = lab.finish(started)
    table = _table(lab, "Patient")
    return [done, table["body"].get("schema") if table["status"] == 200 else table]


def _deidentified(lab: Lab) -> Json:
    """Change and delete resources of a store; return their copies, and what is not copied."""
    given = {"disableReferentialIntegrity": True}
    target = store(lab, "fhir-stream-copies", **given)
    copies = {"store": target, "config": {"fhir": {}}}
    stream = {"deidentifiedStoreDestination": copies}
    name = store(lab, "fhir-stream-source", streamConfigs=[stream])
    put(lab, patient("copied", name=[{"family": "Sample"}]), to=name)
    put(lab, patient("deleted"), to=name)
    call(lab, "DELETE", "Patient/deleted", to=name)
    paths = ("Patient/copied", "Patient/deleted", "Patient/copied/_history")
    return [call(lab, "GET", path, to=target) for path in paths]


CHECKS = (
    Check("fhir-stream-rows", "the rows of a stream, and its view", _rows),
    Check("fhir-stream-text", "streams that are refused: codes and texts", _texts),
    Check("fhir-deidentified-stream", "copies of a de-identified stream", _deidentified),
    Check("fhir-export-lossless", "the columns of a table of LOSSLESS", _lossless),
)
