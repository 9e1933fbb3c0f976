"""Checks of rollbacks and bulk exports of FHIR stores."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, observation, patient, put, store
from conformance.cloud_project import Json


def _roll_back(lab: Lab, **body: Any) -> Json:
    return lab.healthcare("POST", f"{store(lab, 'fhir-rolled')}:rollback", json=body)


def _rollback_texts(lab: Lab) -> Json:
    old, bucket = "2024-01-01T00:00:00Z", f"gs://{lab.names.bucket}"
    bodies: tuple[dict[str, Any], ...] = (
        {},
        {"rollbackTime": old, "resultGcsBucket": bucket},
        {"resultGcsBucket": bucket},
    )
    return [_roll_back(lab, **body) for body in bodies]


def _rolled_back(lab: Lab, *, force: bool, metadata_filter: str = "") -> Json:
    """Return the operation of a rollback, a resource after it, and the objects of the result."""
    name = store(lab, "fhir-rolled")
    first = put(lab, patient("rolled", active=True), to=name)["body"]
    moment = first.get("meta", {}).get("lastUpdated", "")
    tag = {"tag": [{"system": "urn:conformance", "code": "wrong"}]}
    put(lab, patient("rolled", active=False, meta=tag), to=name)
    folder = f"fhir-rolled-{force}-{bool(metadata_filter)}".lower()
    done = lab.finish(
        _roll_back(
            lab,
            rollbackTime=moment,
            resultGcsBucket=f"gs://{lab.names.bucket}/{folder}",
            force=force,
            filteringFields={"metadataFilter": metadata_filter},
        )
    )
    path = f"storage/v1/b/{lab.names.bucket}/o"
    listed = lab.cloud.send("storage", "GET", path, params={"prefix": folder})
    names = [one["name"] for one in listed.json().get("items", [])] if listed.is_ok else []
    return [done, call(lab, "GET", "Patient/rolled", to=name), names]


def _export(lab: Lab, path: str, headers: dict[str, str] | None = None) -> Json:
    sent = headers or {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    url = f"v1beta1/{_exported(lab)}/fhir/{path}"
    return lab.call("healthcare", "GET", url, headers=sent)


def _exported(lab: Lab) -> str:
    """Return a store that has a destination of bulk exports, with a group of one patient."""

    def make(lab: Lab) -> str:
        name = store(lab, "fhir-exported")
        folder = {"uriPrefix": f"gs://{lab.names.bucket}/fhir-exported"}
        mask = {"updateMask": "bulkExportGcsDestination"}
        lab.healthcare("PATCH", name, json={"bulkExportGcsDestination": folder}, params=mask)
        put(lab, patient("member"), to=name)
        put(lab, observation("seen", "Patient/member"), to=name)
        group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
        put(lab, {**group, "member": [{"entity": {"reference": "Patient/member"}}]}, to=name)
        return name

    return str(lab.once("fhir-exported", make))


def _export_texts(lab: Lab) -> Json:
    plain = {"Accept": "application/fhir+json"}
    queries = ("$export?_type=Nothing", "$export?_since=yesterday", "Group/g/$export")
    return [*(_export(lab, query) for query in queries), _export(lab, "$export", plain)]


def _absent(lab: Lab) -> Json:
    """Return the status and the cancellation of an export that does not exist."""
    path = f"v1/{_exported(lab)}/operations/1"
    return [lab.call("healthcare", verb, path) for verb in ("GET", "DELETE")]


CHECKS = (
    Check("fhir-rollback-text", "rollbacks that are refused: codes and texts", _rollback_texts),
    Check(
        "fhir-rollback-dry-run",
        "a rollback without force: a resource and objects",
        lambda lab: _rolled_back(lab, force=False),
    ),
    Check(
        "fhir-rollback-result",
        "a rollback: a resource and objects",
        lambda lab: _rolled_back(lab, force=True),
    ),
    Check(
        "fhir-rollback-filter",
        "a rollback of resources with a tag",
        lambda lab: _rolled_back(
            lab, force=True, metadata_filter='tag("urn:conformance") = "wrong"'
        ),
    ),
    Check("fhir-bulk-export-text", "bulk exports that are refused", _export_texts),
    Check(
        "fhir-bulk-export",
        "the start of a bulk export of a group",
        lambda lab: _export(lab, "Group/g/$export?organizeOutputBy=Patient"),
    ),
    Check("fhir-bulk-export-status", "an export that does not exist", _absent),
)
