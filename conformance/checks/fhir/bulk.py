"""Checks of operations of FHIR stores: import, export, bulk deletion, everything, translation."""

import json
from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, observation, patient, put, store
from conformance.checks.imports import operation_entries
from conformance.cloud_project import Json


def _start(lab: Lab, verb: str, body: Any, name: str = "") -> Json:
    return lab.healthcare("POST", f"{name or store(lab, 'fhir-bulk')}:{verb}", json=body)


def _upload(lab: Lab, name: str, *lines: Any) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    lab.cloud.send(
        "storage",
        "POST",
        f"upload/storage/v1/b/{lab.names.bucket}/o",
        params={"uploadType": "media", "name": name},
        data="\n".join(texts).encode(),
    )
    return f"gs://{lab.names.bucket}/{name}"


def _imported(lab: Lab) -> Json:
    """Import a file of which some lines hold no resource."""

    def run(lab: Lab) -> Json:
        lines = (patient("one"), {"resourceType": "Patient"}, {"resourceType": "None"}, "text")
        source = {"uri": _upload(lab, "fhir/in.ndjson", *lines)}
        body = {"contentStructure": "RESOURCE", "gcsSource": source}
        return lab.finish(_start(lab, "import", body))

    return lab.once("fhir-imported", run)


def _import_texts(lab: Lab) -> Json:
    uris = ("", f"gs://{lab.names.bucket}/none/*")
    return [_start(lab, "import", {"gcsSource": {"uri": uri}}) for uri in uris]


def _export_texts(lab: Lab) -> Json:
    folder = {"uriPrefix": f"gs://{lab.names.bucket}/fhir-none"}
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"gcsDestination": {"uriPrefix": "folder"}},
        {"gcsDestination": folder, "_type": "Nothing"},
        {"gcsDestination": folder, "_since": "yesterday"},
    )
    return [_start(lab, "export", body) for body in bodies]


def _exported(lab: Lab) -> Json:
    """Return the operation of an export, and the names of the objects that it writes."""
    _imported(lab)
    prefix = "fhir-out"
    folder = {"uriPrefix": f"gs://{lab.names.bucket}/{prefix}"}
    done = lab.finish(_start(lab, "export", {"gcsDestination": folder}))
    path = f"storage/v1/b/{lab.names.bucket}/o"
    listed = lab.cloud.send("storage", "GET", path, params={"prefix": prefix})
    names = [one["name"] for one in listed.json().get("items", [])] if listed.is_ok else []
    return [done, names]


def _to_bigquery(lab: Lab, name: str, **more: Any) -> Json:
    uri = f"bq://{lab.names.project}.{lab.names.bigquery_dataset}"
    destination = {"datasetUri": uri, "schemaConfig": {"schemaType": "ANALYTICS_V2"}, **more}
    return _start(lab, "export", {"bigqueryDestination": destination}, name)


def _bigquery_texts(lab: Lab) -> Json:
    name = store(lab, "fhir-analytics")
    schemas: tuple[Json, ...] = ({}, {"schemaType": "ANALYTICS", "recursiveStructureDepth": "6"})
    return [
        _to_bigquery(lab, name, datasetUri="dataset"),
        *(_to_bigquery(lab, name, schemaConfig=schema) for schema in schemas),
    ]


def _in_bigquery(lab: Lab) -> Json:
    """Return the operation of an export to BigQuery, and the columns of the table of a type."""
    name = store(lab, "fhir-analytics")
    put(lab, patient("analysed", birthDate="1970-01-01"), to=name)
    done = lab.finish(_to_bigquery(lab, name, writeDisposition="WRITE_TRUNCATE"))
    dataset = f"projects/{lab.names.project}/datasets/{lab.names.bigquery_dataset}"
    table = lab.call("bigquery", "GET", f"bigquery/v2/{dataset}/tables/Patient")
    return [done, table["body"].get("schema") if table["status"] == 200 else table]


def _bulk_delete(lab: Lab) -> Json:
    name = store(lab, "fhir-deleting")
    put(lab, patient("held"), to=name)
    put(lab, observation("holding", "Patient/held"), to=name)
    bodies: tuple[dict[str, Any], ...] = (
        {"type": "Nothing"},
        {"until": "yesterday"},
        {"type": "Patient", "validateOnly": True},
        {"type": "Patient", "versionConfig": "CURRENT_ONLY"},
    )
    done = [lab.finish(_start(lab, "bulkDelete", body, name)) for body in bodies]
    return [*done, call(lab, "GET", "Patient/held", to=name)]


def _everything(lab: Lab) -> Json:
    put(lab, patient("whole"))
    for id_, when in (("dated", "2020-01-01"), ("undated", "")):
        dates = {"effectiveDateTime": when} if when else {}
        put(lab, {**observation(id_, "Patient/whole"), **dates})
    queries = ("", "?start=2023-01-01", "?_type=Nothing")
    return [call(lab, "GET", f"Patient/whole/$everything{query}") for query in queries]


def _translate(lab: Lab) -> Json:
    target = {"code": "b", "equivalence": "equal"}
    group = {
        "source": "urn:conformance:a",
        "target": "urn:conformance:b",
        "element": [{"code": "a", "target": [target]}],
    }
    put(lab, {"resourceType": "ConceptMap", "id": "map", "status": "draft", "group": [group]})
    path = f"v1beta1/{store(lab)}/fhir/ConceptMap/map/$translate"
    queries = ("code=a&system=urn:conformance:a", "code=c&system=urn:conformance:a", "code=a")
    return [lab.call("healthcare", "GET", f"{path}?{query}") for query in queries]


def _lastn(lab: Lab) -> Json:
    path = f"v1beta1/{store(lab)}/fhir/Observation/$lastn"
    queries = ("code=a", "patient=a", "patient=a&code=a&max=0", "patient=a&code=a")
    return [lab.call("healthcare", "GET", f"{path}?{query}") for query in queries]


CHECKS = (
    Check("fhir-import-text", "imports that are refused: codes and texts", _import_texts),
    Check(
        "fhir-import-failures",
        "an import of which a part fails, and its log",
        lambda lab: [_imported(lab), operation_entries(lab, _imported(lab), 3)],
    ),
    Check("fhir-export-text", "exports that are refused: codes and texts", _export_texts),
    Check("fhir-export-objects", "the objects of an export", _exported),
    Check("fhir-export-bigquery-text", "exports to BigQuery that are refused", _bigquery_texts),
    Check("fhir-export-bigquery", "the columns of an exported table", _in_bigquery),
    Check("fhir-bulk-delete", "bulk deletions: refusals and operations", _bulk_delete),
    Check("fhir-everything", "the resources of a patient", _everything),
    Check("fhir-lastn", "refusals of $lastn, and a subject without observations", _lastn),
    Check("fhir-translate", "a translation, and codes without one", _translate),
)
