"""Every answer of every served method is of the discovery document's schema.

A walk through a project calls each method by plain HTTP, at the path that the document gives; then
each method's answers are read by `schemas`. A served method that no walk calls fails here. This is
the Healthcare API; the services around it are in `test_schemas_of_*.py`.
"""

import io
import re
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pydicom
import pytest
from pydicom.data import get_testdata_file

from emulator.api_coverage import methods as served_methods
from emulator.server.server_file import ServerInfo
from tests.support import consent_walk, fhir_walk, hl7v2_messages, http, schema_walk, schemas
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

VERSIONS = ("v1", "v1beta1")
LOCATION = "us-central1"
DATASETS = "projects.locations.datasets"
DICOM = f"{DATASETS}.dicomStores"
HL7V2 = f"{DATASETS}.hl7V2Stores"
BUCKET = "gcs-public-data--healthcare-nih-chest-xray"
FILE = "CT_small.dcm"
SERVED = [
    pytest.param(version, method.name, id=f"{version}-{method.name.removeprefix(f'{DATASETS}.')}")
    for version in VERSIONS
    for method in served_methods(version)
    if method.served
]


class Walk(schema_walk.Walk):
    """A walk through the Healthcare API, in one location."""

    def __init__(self, url: str, project: str, version: str) -> None:
        segments = {"projectsId": project, "locationsId": LOCATION}
        super().__init__(url, "healthcare", version, project, segments)

    def finish(self, started: httpx.Response) -> dict[str, Any]:
        """Ask for an operation until it is done."""
        *_, dataset, _, operation = started.json()["name"].split("/")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            done: dict[str, Any] = self(f"{DATASETS}.operations.get", dataset, operation).json()
            if done.get("done"):
                return done
            time.sleep(0.05)
        raise TimeoutError(f"{started.json()['name']} did not end in {PATIENCE_SECONDS} s")


def walk_policies(walk: Walk, resource: str, *ids: str) -> None:
    member = "user:reader@example.org"
    binding = {
        "role": "roles/healthcare.datasetViewer",
        "members": [member],
        "condition": {"title": "for a while", "expression": "request.time < timestamp('2100')"},
    }
    audit = {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}
    body = {"policy": {"version": 3, "bindings": [binding], "auditConfigs": [audit]}}
    mask = {"updateMask": "bindings,auditConfigs,etag"}
    given = walk(f"{resource}.setIamPolicy", *ids, body={**body, **mask}).json()
    assert given["bindings"] == [binding]
    version = {"options.requestedPolicyVersion": "3"}
    assert walk(f"{resource}.getIamPolicy", *ids, params=version).json() == given
    walk(f"{resource}.getIamPolicy", *ids)
    wanted = ["healthcare.datasets.get"]
    tested = walk(f"{resource}.testIamPermissions", *ids, body={"permissions": wanted}).json()
    assert tested == {"permissions": wanted}


def walk_datasets(walk: Walk) -> None:
    created = walk(f"{DATASETS}.create", body={"timeZone": "UTC"}, params={"datasetId": "d"})
    assert walk.finish(created)["response"]["name"].endswith("/datasets/d")
    other = walk(f"{DATASETS}.create", body={}, params={"datasetId": "other"})
    walk.finish(other)
    assert walk(f"{DATASETS}.get", "d").json()["timeZone"] == "UTC"
    mask = {"updateMask": "timeZone"}
    walk(f"{DATASETS}.patch", "d", body={"timeZone": "Europe/Zurich"}, params=mask)
    page = walk(f"{DATASETS}.list", params={"pageSize": "1"}).json()
    assert page["nextPageToken"]
    walk(f"{DATASETS}.list", params={"pageToken": page["nextPageToken"]})
    walk_policies(walk, DATASETS, "d")


def notification(walk: Walk) -> dict[str, Any]:
    return {"pubsubTopic": f"projects/{walk.project}/topics/events"}


def stream(walk: Walk) -> dict[str, Any]:
    return {"bigqueryDestination": {"tableUri": f"bq://{walk.project}.d.images"}}


def bodies(walk: Walk) -> Mapping[str, dict[str, Any]]:
    """Stores with about every field that this version has."""
    labels = {"labels": {"team": "imaging"}}
    schema = {"schemaType": "ANALYTICS", "recursiveStructureDepth": "3"}
    dataset = {"datasetUri": f"bq://{walk.project}.d", "schemaConfig": schema}
    return {
        "dicomStores": {
            **labels,
            "notificationConfig": {**notification(walk), "sendForBulkImport": True},
            "streamConfigs": [stream(walk)],
        },
        "fhirStores": {
            **labels,
            "version": "R4",
            "disableReferentialIntegrity": True,
            "enableUpdateCreate": True,
            "defaultSearchHandlingStrict": True,
            "complexDataTypeReferenceParsing": "ENABLED",
            "notificationConfigs": [{**notification(walk), "sendFullResource": True}],
            "streamConfigs": [{"resourceTypes": ["Patient"], "bigqueryDestination": dataset}],
            "validationConfig": {"disableProfileValidation": True},
        },
        "hl7V2Stores": {
            **labels,
            "parserConfig": {"allowNullHeader": True, "segmentTerminator": "DQ==", "version": "V3"},
            "rejectDuplicateMessage": True,
            "notificationConfigs": [{**notification(walk), "filter": 'sendFacility = "A"'}],
        },
        "consentStores": {
            **labels,
            "defaultConsentTtl": "86400s",
            "enableConsentCreateOnUpdate": True,
        },
    }


def walk_stores(walk: Walk) -> None:
    for collection, body in bodies(walk).items():
        resource, parameter = f"{DATASETS}.{collection}", f"{collection[:-1]}Id"
        created = walk(f"{resource}.create", "d", body=body, params={parameter: "s"}).json()
        assert set(body) <= set(created)
        plain = {"version": "STU3"} if collection == "fhirStores" else {}
        walk(f"{resource}.create", "d", body=plain, params={parameter: "other"})
        assert walk(f"{resource}.get", "d", "s").json() == created
        labels = {"labels": {"team": "ward"}}
        mask = {"updateMask": "labels"}
        walk(f"{resource}.patch", "d", "s", body=labels, params=mask)
        page = walk(f"{resource}.list", "d", params={"pageSize": "1"}).json()
        assert page["nextPageToken"]
        walk(f"{resource}.list", "d")
        walk_policies(walk, resource, "d", "s")
        walk(f"{resource}.delete", "d", "other")


def walk_dicom_web(walk: Walk, dicom: bytes) -> tuple[str, str, str]:
    """Store an instance, then search for it and retrieve it in every way."""
    read = pydicom.dcmread(io.BytesIO(dicom))
    uids = (read.StudyInstanceUID, read.SeriesInstanceUID, read.SOPInstanceUID)
    study, series, instance = (("d", "s", *uids[:number]) for number in (1, 2, 3))
    sent = {"content": dicom, "headers": {"Content-Type": "application/dicom"}}
    walk(f"{DICOM}.storeInstances", "d", "s", **sent)
    walk(f"{DICOM}.studies.storeInstances", *study, **sent)
    for level in ("Studies", "Series", "Instances"):
        walk(f"{DICOM}.searchFor{level}", "d", "s", params={"includefield": "all"})
    walk(f"{DICOM}.studies.searchForSeries", *study)
    walk(f"{DICOM}.studies.searchForInstances", *study)
    walk(f"{DICOM}.studies.series.searchForInstances", *series)
    walk(f"{DICOM}.studies.retrieveMetadata", *study)
    walk(f"{DICOM}.studies.series.retrieveMetadata", *series)
    walk(f"{DICOM}.studies.series.instances.retrieveMetadata", *instance)
    walk(f"{DICOM}.studies.retrieveStudy", *study)
    walk(f"{DICOM}.studies.series.retrieveSeries", *series)
    walk(f"{DICOM}.studies.series.instances.retrieveInstance", *instance)
    walk(f"{DICOM}.studies.series.instances.retrieveRendered", *instance)
    frame = (*instance, "1")
    walk(f"{DICOM}.studies.series.instances.frames.retrieveFrames", *frame)
    walk(f"{DICOM}.studies.series.instances.frames.retrieveRendered", *frame)
    return uids


def walk_updates(walk: Walk, uids: tuple[str, str, str], dicom: bytes) -> None:
    """Update an instance, and patch the metadata at every level."""
    study, series, instance = (("d", "s", *uids[:number]) for number in (1, 2, 3))
    read = pydicom.dcmread(io.BytesIO(dicom))
    read.InstitutionName = "updated"
    buffer = io.BytesIO()
    read.save_as(buffer)
    sent = {"content": buffer.getvalue(), "headers": {"Content-Type": "application/dicom"}}
    walk(f"{DICOM}.updateInstances", "d", "s", **sent)
    walk(f"{DICOM}.studies.updateInstances", *study, **sent)
    patch = [{"op": "replace", "path": "/00080080/Value/0", "value": "patched"}]
    one = f"{DICOM}.studies.series.instances"
    [metadata] = walk(f"{one}.retrieveMetadata", *instance).json()
    assert metadata["00080080"]["Value"] == ["updated"]
    [metadata] = walk(f"{one}.updateMetadata", *instance, body=patch).json()
    assert metadata["00080080"]["Value"] == ["patched"]
    for method, ids in (("studies.series", series), ("studies", study)):
        patch[0]["value"] = f"patched by {method}"
        done = walk.finish(walk(f"{DICOM}.{method}.updateMetadata", *ids, body=patch))
        assert done["metadata"]["counter"] == {"success": "1"}
        [metadata] = walk(f"{one}.retrieveMetadata", *instance).json()
        assert metadata["00080080"]["Value"] == [f"patched by {method}"]


def walk_numbers(walk: Walk, uids: tuple[str, str, str]) -> None:
    """Metrics and storage classes at every level."""
    web = f"{DICOM}.dicomWeb.studies"
    store, study, series, instance = (("d", "s", *uids[:number]) for number in (0, 1, 2, 3))
    walk(f"{DICOM}.getDICOMStoreMetrics", *store)
    walk(f"{web}.getStudyMetrics", *study)
    walk(f"{web}.series.getSeriesMetrics", *series)
    body = {"blobStorageSettings": {"blobStorageClass": "NEARLINE"}}
    for started in (
        walk(f"{DICOM}.setBlobStorageSettings", *store, body=body),
        walk(f"{web}.setBlobStorageSettings", *study, body=body),
    ):
        assert "error" not in walk.finish(started)
    info = walk(f"{web}.series.instances.getStorageInfo", *instance).json()
    assert info["blobStorageInfo"]["storageClass"] == "NEARLINE"


def walk_bulk(walk: Walk) -> None:
    """Import, export, de-identification; one of each ends well and one import badly."""
    source = {"gcsSource": {"uri": f"gs://{BUCKET}/dicom/00000088*.dcm"}}
    assert walk.finish(walk(f"{DICOM}.import", "d", "s", body=source))["metadata"]["counter"]
    table = {"bigqueryDestination": {"tableUri": f"bq://{walk.project}.d.table"}}
    done = walk.finish(walk(f"{DICOM}.export", "d", "s", body=table))
    assert done["response"], done
    config = {"dicom": {"filterProfile": "KEEP_ALL_PROFILE"}}
    location = f"projects/{walk.project}/locations/{LOCATION}"
    walk(f"{DICOM}.create", "d", body={}, params={"dicomStoreId": "copies"})
    copies = {"destinationStore": f"{location}/datasets/d/dicomStores/copies", "config": config}
    done = walk.finish(walk(f"{DICOM}.deidentify", "d", "s", body=copies))
    assert done["response"], done
    copy = {"destinationDataset": f"{location}/datasets/copy", "config": config}
    walk(f"{DATASETS}.create", body={}, params={"datasetId": "small"})
    done = walk.finish(walk(f"{DATASETS}.deidentify", "small", body=copy))
    assert done["response"], done
    far = {"gcsSource": {"uri": f"gs://{BUCKET}/dicom/*.dcm"}}
    started = walk(f"{DICOM}.import", "d", "copies", body=far).json()["name"].rpartition("/")[2]
    walk(f"{DATASETS}.operations.cancel", "d", started, body={})
    walk(f"{DATASETS}.operations.get", "d", started)
    page = walk(f"{DATASETS}.operations.list", "d", params={"pageSize": "2"}).json()
    assert page["nextPageToken"]
    walk(f"{DATASETS}.operations.list", "d")


def walk_messages(walk: Walk) -> None:
    """Messages of an HL7v2 store, one by one and in bulk."""
    of = f"{HL7V2}.messages"
    admission = hl7v2_messages.body(hl7v2_messages.admission())
    result = hl7v2_messages.body(hl7v2_messages.RESULT, team="ward")
    ingested = walk(f"{of}.ingest", "d", "s", body=admission).json()["message"]
    created = walk(f"{of}.create", "d", "s", body=result).json()
    message = ("d", "s", created["name"].rpartition("/")[2])
    assert walk(f"{of}.get", *message).json() == created
    walk(f"{of}.list", "d", "s", params={"view": "FULL"})
    page = walk(f"{of}.list", "d", "s", params={"pageSize": "1"}).json()
    assert page["nextPageToken"]
    mask = {"updateMask": "labels"}
    walk(f"{of}.patch", *message, body={"labels": {"team": "other"}}, params=mask)
    if walk.version == "v1beta1":
        walk(f"{of}.batchGet", "d", "s", params={"ids": message[2], "view": "FULL"})
    assert walk(f"{HL7V2}.getHL7v2StoreMetrics", "d", "s").json()["metrics"]
    bucket = f"gs://hl7v2-{walk.version}"
    folder = {"gcsDestination": {"uriPrefix": f"{bucket}/out"}}
    assert walk.finish(walk(f"{HL7V2}.export", "d", "s", body=folder))["response"]
    source = {"gcsSource": {"uri": f"{bucket}/out/*"}}
    assert walk.finish(walk(f"{HL7V2}.import", "d", "s", body=source))["response"]
    past = {"rollbackTime": ingested["createTime"], "resultGcsBucket": bucket, "force": True}
    assert walk.finish(walk(f"{HL7V2}.rollback", "d", "s", body=past))["response"]
    walk(f"{of}.delete", "d", "s", ingested["name"].rpartition("/")[2])


def walk_bulk_data(walk: Walk, uids: tuple[str, str, str]) -> None:
    """Assert that the metadata's references are paths of methods."""
    name = f"{DICOM}.studies.series.instances"
    [metadata] = walk(f"{name}.retrieveMetadata", "d", "s", *uids).json()
    path = metadata["7FE00010"]["BulkDataURI"].rpartition("/bulkdata/")[2]
    pattern = walk.methods[f"{name}.bulkdata.retrieveBulkdata"]["flatPath"]
    bulk_data = path.split("/")
    # The document shows two parts behind /bulkdata; what lies at the top has one.
    url = f"{walk.url}/v1/{pattern.partition('/bulkdata')[0].partition('/')[2]}"
    values = iter((walk.project, LOCATION, "d", "s", *uids))
    url = re.sub(r"\{\w+\}", lambda _: next(values), url)
    answer = http.get("/".join([url, "bulkdata", *bulk_data]))
    assert answer.is_success
    walk.answers[f"{name}.bulkdata.retrieveBulkdata"].append(answer)


def walk_deletions(walk: Walk, uids: tuple[str, str, str], dicom: bytes) -> None:
    studies = f"{DICOM}.studies"
    sent = {"content": dicom, "headers": {"Content-Type": "application/dicom"}}
    walk(f"{studies}.series.instances.delete", "d", "s", *uids)
    for method, ids in ((f"{studies}.series.delete", uids[:2]), (f"{studies}.delete", uids[:1])):
        walk(f"{DICOM}.storeInstances", "d", "s", **sent)
        assert "error" not in walk.finish(walk(method, "d", "s", *ids))
    for collection in bodies(walk):
        walk(f"{DATASETS}.{collection}.delete", "d", "s")
    walk(f"{DATASETS}.delete", "d")


@pytest.fixture(scope="module")
def walked(emulator: ServerInfo) -> Callable[[str], Walk]:
    """A function that returns the walk of a version: one in each project, created once."""

    @cache
    def walked(version: str) -> Walk:
        return walk_all(emulator, version)

    return walked


def walk_all(emulator: ServerInfo, version: str) -> Walk:
    """Call every method of a version."""
    project = f"schemas-{version}"
    prepare(emulator, project)
    walk = Walk(emulator.url, project, version)
    dicom = Path(str(get_testdata_file(FILE))).read_bytes()
    walk_datasets(walk)
    walk_stores(walk)
    uids = walk_dicom_web(walk, dicom)
    if version == "v1beta1":
        walk_updates(walk, uids, dicom)
    walk_bulk_data(walk, uids)
    walk_numbers(walk, uids)
    walk_bulk(walk)
    walk_messages(walk)
    fhir_walk.walk_resources(walk)
    fhir_walk.walk_conditions(walk)
    fhir_walk.walk_binaries(walk)
    fhir_walk.walk_consents(walk, walk.finish)
    fhir_walk.walk_bulk_resources(walk, f"gs://hl7v2-{version}", walk.finish)
    consent_walk.walk_consents(walk, f"gs://hl7v2-{version}", walk.finish)
    walk_deletions(walk, uids, dicom)
    return walk


def prepare(emulator: ServerInfo, project: str) -> None:
    """Enable services; give the service agent its roles; make a topic and a BigQuery dataset."""
    api = f"{emulator.url}/v1/projects/{project}"
    names = ["healthcare", "bigquery", "storage", "pubsub"]
    services = {"serviceIds": [f"{name}.googleapis.com" for name in names]}
    identity = f"{api}/services/healthcare.googleapis.com:generateServiceIdentity"
    for url, body in ((f"{api}/services:batchEnable", services), (identity, {})):
        http.post(url, json=body).raise_for_status()
    number = http.get(api).json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    policy = http.post(f"{api}:getIamPolicy", json={}).json()
    for role in ("bigquery.admin", "storage.objectAdmin", "pubsub.publisher"):
        policy["bindings"].append({"role": f"roles/{role}", "members": [agent]})
    http.post(f"{api}:setIamPolicy", json={"policy": policy}).raise_for_status()
    http.put(f"{api}/topics/events", json={}).raise_for_status()
    bucket = f"{emulator.url}/storage/v1/b?project={project}"
    http.post(bucket, json={"name": project.replace("schemas", "hl7v2")}).raise_for_status()
    bigquery_dataset = {"datasetReference": {"projectId": project, "datasetId": "d"}}
    url = f"{emulator.url}/bigquery/v2/projects/{project}/datasets"
    http.post(url, json=bigquery_dataset).raise_for_status()


WEB_TYPES = {
    "search": "application/dicom+json",
    "retrieveMetadata": "application/dicom+json",
    "retrieveRendered": "image/jpeg",
    "storeInstances": "application/dicom+xml",
    "updateInstances": "application/dicom+xml",
    "updateMetadata": "application/dicom+json",
    "retrieve": "multipart/related",
}
"""What DICOMweb answers where the document says HttpBody and no more: by the method's beginning."""


@pytest.mark.parametrize(("version", "name"), SERVED)
def test_answers_are_of_the_schema(walked: Callable[[str], Walk], version: str, name: str) -> None:
    walk = walked(version)
    answers = walk.answers[name]
    assert answers, f"{name} is served, but no walk calls it: add it to one"
    message = walk.methods[name]["response"]["$ref"]
    for answer in answers:
        content_type = answer.headers.get("content-type", "").partition(";")[0]
        if ".fhirStores." in name and message == "HttpBody":
            check_fhir(answer, name, content_type)
            continue
        if message == "HttpBody":
            verb = name.rpartition(".")[2]
            assert content_type == next(
                to for begin, to in WEB_TYPES.items() if verb.startswith(begin)
            )
            continue
        assert content_type == "application/json"
        body = answer.json()
        assert schemas.faults("healthcare", version, message, body) == []
        says_nothing = message in ("Empty", "ArchiveUserDataMappingResponse")
        assert (body == {}) == says_nothing, "an answer must say something"
        if message == "Operation":
            check_operation(body, version, first=name != f"{DATASETS}.operations.get")


def check_fhir(answer: httpx.Response, name: str, content_type: str) -> None:
    """Resources are JSON of FHIR; documents have their own media type."""
    if ".Binary-" in name and answer.content:
        assert (content_type, answer.content) == ("text/plain", b"a letter")
    elif answer.content:
        assert content_type == "application/fhir+json"
        body = answer.json()
        is_manifest = name.endswith("operation-status")  # of an export that has ended
        assert not body or body["transactionTime" if is_manifest else "resourceType"]


def check_operation(operation: dict[str, Any], version: str, *, first: bool) -> None:
    """The first answer is a name; then there is metadata, and at the end one of two results."""
    assert re.fullmatch(r"projects/.+/datasets/[^/]+/operations/\d+", operation["name"])
    if first:
        assert set(operation) == {"name"}
        return
    package = f"google.cloud.healthcare.{version}"
    metadata = operation["metadata"]
    assert metadata["@type"] == f"type.googleapis.com/{package}.OperationMetadata"
    assert metadata["apiMethodName"].startswith(f"{package}.")
    assert metadata["logsUrl"]
    if operation.get("done"):
        assert metadata["endTime"] >= metadata["createTime"]
        assert ("error" in operation) != ("response" in operation)
    if "response" in operation:
        assert operation["response"]["@type"].startswith(f"type.googleapis.com/{package}.")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("code", "status", "method", "ids", "body", "params"),
    [
        (404, "NOT_FOUND", f"{DATASETS}.get", ["absent"], None, {}),
        (404, "NOT_FOUND", f"{DICOM}.get", ["here", "absent"], None, {}),
        (404, "NOT_FOUND", f"{DATASETS}.operations.get", ["here", "1"], None, {}),
        (404, "NOT_FOUND", f"{DICOM}.studies.retrieveMetadata", ["here", "s", "1.2"], None, {}),
        (409, "ALREADY_EXISTS", f"{DATASETS}.create", [], {}, {"datasetId": "here"}),
        (400, "INVALID_ARGUMENT", f"{DATASETS}.create", [], {"x": 1}, {"datasetId": "n"}),
        (400, "INVALID_ARGUMENT", f"{DATASETS}.create", [], {"timeZone": 1}, {"datasetId": "n"}),
        (400, "INVALID_ARGUMENT", f"{DATASETS}.create", [], {}, {"datasetId": "a/b"}),
        (400, "INVALID_ARGUMENT", f"{DATASETS}.patch", ["here"], {}, {}),
        (400, "INVALID_ARGUMENT", f"{DATASETS}.setIamPolicy", ["here"], {"policy": 1}, {}),
        (400, "INVALID_ARGUMENT", f"{DICOM}.import", ["here", "s"], {"uri": ""}, {}),
        (403, "PERMISSION_DENIED", f"{DICOM}.create", ["here"],
         {"streamConfigs": [{"bigqueryDestination": {"tableUri": "bq://far.away.table"}}]},
         {"dicomStoreId": "streaming"}),
        (501, "UNIMPLEMENTED", f"{DATASETS}.dataMapperWorkspaces.getIamPolicy", ["here", "w"],
         None, {}),
    ],
)  # fmt: skip
def test_errors_have_googles_shape(
    emulator: ServerInfo,
    project: str,
    version: str,
    code: int,
    status: str,
    method: str,
    ids: list[str],
    body: Any,
    params: dict[str, str],
) -> None:
    walk = Walk(emulator.url, project, version)
    walk(f"{DATASETS}.create", body={}, params={"datasetId": "here"})
    walk(f"{DICOM}.create", "here", body={}, params={"dicomStoreId": "s"})
    answer = walk.send(method, *ids, body=body, params=params)
    assert answer.status_code == code, answer.text
    assert answer.headers["content-type"].partition(";")[0] == "application/json"
    [(key, error)] = answer.json().items()
    assert key == "error"
    assert set(error) - {"details"} == {"code", "message", "status"}
    assert (error["code"], error["status"]) == (code, status)
    assert error["message"]
    assert all(
        detail["@type"].startswith("type.googleapis.com/") for detail in error.get("details", [])
    )
