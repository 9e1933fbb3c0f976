"""Checks of audit logs: changes of resources, and reads of data."""

from typing import Any

from conformance import samples
from conformance.check import Check, Lab
from conformance.checks.fhir.calls import call, patient, put, store
from conformance.cloud_project import Json
from conformance.waiting import poll

_FIELDS = ("serviceName", "methodName", "resourceName", "authorizationInfo", "status")


def entries(lab: Lab, log: str, resource: str, method: str) -> Json:
    """Return the entries about a resource, without what only the caller determines."""
    body: dict[str, Any] = {
        "resourceNames": [f"projects/{lab.names.project}"],
        "filter": f'logName="projects/{lab.names.project}/logs/cloudaudit.googleapis.com%2F{log}" '
        f'AND protoPayload.resourceName:"{resource}" AND protoPayload.methodName:"{method}"',
    }

    def look() -> list[Json]:
        listed = lab.cloud.require("logging", "POST", "v2/entries:list", json=body)
        return list(listed.get("entries", []))

    found = poll(look, min(lab.cloud.max_wait_seconds, 120.0)) or []
    return [
        {
            "resource": entry.get("resource"),
            "severity": entry.get("severity"),
            **{field: entry["protoPayload"].get(field) for field in _FIELDS},
        }
        for entry in found[:1]
    ]


def _retrieve(lab: Lab) -> Json:
    path = f"{samples.path(samples.STUDY, 1)}/metadata"
    lab.dicom_web(path)
    resource = f"{lab.names.store('main')}/dicomWeb/{path}"
    return entries(lab, "data_access", resource, "Metadata")


def _read_resource(lab: Lab) -> Json:
    put(lab, patient("audited"))
    call(lab, "GET", "Patient/audited")
    return entries(lab, "data_access", f"{store(lab)}/fhir/Patient/audited", "GetResource")


def _set_policy(lab: Lab) -> Json:
    body: Json = {"policy": {"bindings": []}}
    lab.healthcare("POST", f"{lab.names.store('copied')}:setIamPolicy", json=body)
    return entries(lab, "activity", lab.names.store("copied"), "SetIamPolicy")


def _of_services(lab: Lab) -> Json:
    """Return the entries about the creation of the resources that all checks use."""
    names = lab.names
    return [
        entries(lab, "activity", names.topic, "CreateTopic"),
        entries(lab, "activity", f"buckets/{names.bucket}", "storage.buckets.create"),
        entries(lab, "activity", f"datasets/{names.bigquery_dataset}", "InsertDataset"),
    ]


CHECKS = (
    Check(
        "audit-activity",
        "the entry about the creation of a store",
        lambda lab: entries(lab, "activity", lab.names.dataset, "CreateDicomStore"),
    ),
    Check(
        "audit-services",
        "the entries about the creation of a topic, a bucket and a table's dataset",
        _of_services,
    ),
    Check("audit-policy", "the entry about a change of a policy: method", _set_policy),
    Check("audit-data-access", "the entry about a DICOMweb retrieval: method", _retrieve),
    Check("fhir-audit", "the entry about a read of a FHIR resource: method", _read_resource),
)
