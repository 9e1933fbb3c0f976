"""Checks of updates of instances and of patches of their metadata, in v1beta1."""

import json

from conformance import samples
from conformance.check import DICOM_JSON, Check, Lab
from conformance.cloud_project import Json
from conformance.pulling import pull
from conformance.waiting import poll

_STUDY = "2.25.74050"
_JSON_PATCH = "application/json-patch+json"
_NAME = {"op": "add", "path": "/00081030", "value": {"vr": "LO", "Value": ["patched"]}}
_FOREIGN = {"op": "add", "path": "/00081030", "value": {"vr": "LO", "Value": ["\u6f22"]}}
_MAX_SECONDS = 60.0


def _put(lab: Lab, number: int, store: str = "scratch", **elements: str) -> Json:
    """Update an instance; return what the check compares of the response."""
    return _send(
        lab,
        "PUT",
        f"{lab.names.store(store)}/dicomWeb/studies",
        samples.make(_STUDY, number, **elements),
        "application/dicom",
    )


def _patch(
    lab: Lab, path: str, *operations: Json, store: str = "scratch", content_type: str = _JSON_PATCH
) -> Json:
    """Patch metadata; return what the check compares of the response."""
    url = f"{lab.names.store(store)}/dicomWeb/{path}/metadata"
    return _send(lab, "PATCH", url, json.dumps(operations).encode(), content_type)


def _send(lab: Lab, method: str, path: str, content: bytes, content_type: str) -> Json:
    headers = {"Content-Type": content_type, "Accept": DICOM_JSON}
    return lab.call("healthcare", method, f"v1beta1/{path}", data=content, headers=headers)


def _patched(lab: Lab, number: int, operation: Json, content_type: str = _JSON_PATCH) -> Json:
    """Store an instance and patch it; return the response."""
    _put(lab, number)
    path = samples.path(_STUDY, number)
    return _patch(lab, path, operation, content_type=content_type)


def _added_and_replaced(lab: Lab) -> Json:
    return [_put(lab, 1), _put(lab, 1, StudyDescription="Other")]


def _same_again(lab: Lab) -> Json:
    return [_put(lab, 2), _put(lab, 2)]


def _storage_class(lab: Lab) -> Json:
    """Return the storage class of an instance that was patched, and then of it updated."""
    _put(lab, 3)
    path = f"{lab.names.store('scratch')}/dicomWeb"
    settings = {"blobStorageSettings": {"blobStorageClass": "NEARLINE"}}
    url = f"{path}/studies/{_STUDY}:setBlobStorageSettings"
    lab.finish(lab.healthcare("POST", url, json=settings))

    def storage_class() -> Json:
        info = lab.healthcare("GET", f"{path}/{samples.path(_STUDY, 3)}:getStorageInfo")
        return info["body"].get("blobStorageInfo", {}).get("storageClass")

    _patch(lab, samples.path(_STUDY, 3), _NAME)
    patched = storage_class()
    _put(lab, 3, StudyDescription="Other")
    return [patched, storage_class()]


def _by_json(lab: Lab) -> Json:
    url = f"{lab.names.store('scratch')}/dicomWeb/studies"
    content_type = f'multipart/related; type="{DICOM_JSON}"; boundary=b'
    return _send(lab, "PUT", url, b"--b--\r\n", content_type)


def _messages(lab: Lab) -> Json:
    """Return the actions of messages about an instance that is updated twice and patched."""
    _put(lab, 4)
    _put(lab, 4, StudyDescription="Other")
    _patch(lab, samples.path(_STUDY, 4), _NAME)
    sop = f"{_STUDY}.1.4"
    found: dict[str, str] = {}

    def look() -> bool:
        for message in pull(lab.cloud, lab.names.subscription):
            attributes = message.get("attributes", {})
            if attributes.get("sopInstanceUID") == sop:
                found[message["messageId"]] = str(attributes.get("action"))
        return len(found) > 2

    poll(look, min(lab.cloud.max_wait_seconds, _MAX_SECONDS))
    return sorted(found.values())


def _rows(lab: Lab) -> Json:
    """Return the types of streamed rows of an instance that is updated and patched."""
    _put(lab, 5, "streamed")
    _put(lab, 5, "streamed", StudyDescription="Other")
    _patch(lab, samples.path(_STUDY, 5), _NAME, store="streamed")
    names = lab.names
    body = {
        "query": f"SELECT Type FROM `{names.project}.{names.bigquery_dataset}.streamed` "  # noqa: S608 - names of the kit
        f"WHERE SOPInstanceUID = '{_STUDY}.1.5'",
        "useLegacySql": False,
    }

    def look() -> list[Json]:
        answer = lab.call(
            "bigquery", "POST", f"bigquery/v2/projects/{names.project}/queries", json=body
        )
        rows: list[Json] = answer["body"].get("rows", []) if answer["status"] == 200 else []
        return rows if len(rows) > 2 else []

    return poll(look, min(lab.cloud.max_wait_seconds, _MAX_SECONDS))


def _study(lab: Lab) -> Json:
    """Patch a study of which one instance lacks the removed element; return the operation."""
    study = f"{_STUDY}.9"
    lab.store_instance("scratch", samples.make(study, 1, PatientComments="x"))
    lab.store_instance("scratch", samples.make(study, 2))
    removal = {"op": "remove", "path": "/00104000"}
    return lab.finish(_patch(lab, f"studies/{study}", removal))


def _refusals(lab: Lab) -> Json:
    """Return the responses to patches that are not valid or do not fit."""
    path = samples.path(_STUDY, 10)
    _put(lab, 10)
    return [
        _patch(lab, path, {"op": "increase", "path": "/00100010"}),
        _patch(lab, path, {"op": "remove", "path": "/00104000"}),
        _patch(lab, path, {"op": "test", "path": "/00100020/Value/0", "value": "x"}),
        _patch(lab, path, {"op": "add", "path": "/00100010", "value": "Roe"}),
        _patch(lab, path, _NAME, content_type=DICOM_JSON),
    ]


def _identity(lab: Lab) -> Json:
    """Return the responses to patches of a UID, of the character set and of the file meta."""
    path = samples.path(_STUDY, 11)
    _put(lab, 11)
    charset = {"vr": "CS", "Value": ["ISO_IR 100"]}
    return [
        _patch(lab, path, {"op": "replace", "path": "/00080018/Value/0", "value": "2.25.1"}),
        _patch(lab, path, {"op": "add", "path": "/00080005", "value": charset}),
        _patch(lab, path, {"op": "remove", "path": "/00020010"}),
    ]


CHECKS = (
    Check("dicom-update-response", "updates that add and replace an instance", _added_and_replaced),
    Check("dicom-update-same", "an update with the same content again", _same_again),
    Check(
        "dicom-update-storage-class", "the storage class after a patch, an update", _storage_class
    ),
    Check("dicom-update-json", "an update by JSON metadata: text", _by_json),
    Check("dicom-update-message", "which updates and patches have a message", _messages),
    Check("dicom-update-stream", "the types of streamed rows of updates and patches", _rows),
    Check("dicom-patch-response", "a patch of an instance", lambda lab: _patched(lab, 6, _NAME)),
    Check(
        "dicom-patch-type",
        "a patch with the Content-Type application/json",
        lambda lab: _patched(lab, 7, _NAME, "application/json"),
    ),
    Check(
        "dicom-patch-path",
        "a patch whose paths begin at the array of instances",
        lambda lab: _patched(lab, 8, {**_NAME, "path": "/0/00081030"}),
    ),
    Check("dicom-patch-operation", "a patch of a study that does not fit all instances", _study),
    Check("dicom-patch-identity", "patches of what identifies or encodes an instance", _identity),
    Check("dicom-patch-text", "patches that are not valid: texts", _refusals),
    Check(
        "dicom-patch-charset",
        "a patch with a text that the character set lacks",
        lambda lab: _patched(lab, 12, _FOREIGN),
    ),
)
