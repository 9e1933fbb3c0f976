"""Checks of resources: reads, writes, conditions, histories, bundles, notifications."""

from typing import Any

from conformance.check import Check, Lab
from conformance.checks.fhir.calls import JSON_PATCH, call, observation, patient, put, store
from conformance.cloud_project import Json
from conformance.pulling import pull
from conformance.waiting import poll

_IDENTIFIER = {"system": "urn:conformance", "value": "1"}


def _missing(lab: Lab) -> Json:
    return [call(lab, "GET", "Patient/none"), call(lab, "GET", "Patient/none/_history")]


def _deleted(lab: Lab) -> Json:
    put(lab, patient("gone"))
    return [call(lab, "DELETE", "Patient/gone"), call(lab, "GET", "Patient/gone")]


def _delete(lab: Lab) -> Json:
    answers = [call(lab, "DELETE", "Patient/never")]
    put(lab, patient("conditional", identifier=[{**_IDENTIFIER, "value": "del"}]))
    query = "Patient?identifier=urn:conformance|del"
    return [*answers, call(lab, "DELETE", query), call(lab, "DELETE", query)]


def _precondition(lab: Lab) -> Json:
    put(lab, patient("match"))
    stale = {"If_Match": 'W/"MTU3NzgzNjgwMDAwMDAwMDAwMA"'}
    for number in "ab":
        put(lab, patient(f"same-{number}", identifier=[{**_IDENTIFIER, "value": "same"}]))
    query = "Patient?identifier=urn:conformance|same"
    return [
        put(lab, patient("match", gender="other"), **stale),
        put(lab, patient("match"), If_None_Match="*"),
        call(lab, "PUT", query, {"resourceType": "Patient"}),
        call(lab, "DELETE", query),
    ]


def _update_create(lab: Lab) -> Json:
    fixed = store(lab, "fhir-fixed", enableUpdateCreate=False)
    return [put(lab, patient("chosen"), to=fixed), put(lab, patient("chosen"))]


def _ids(lab: Lab) -> Json:
    return [
        call(lab, "GET", "Patient/a_b"),
        call(lab, "GET", "Patient/_history"),
        call(lab, "GET", "Nothing/a"),
        call(lab, "PUT", "Patient/one", patient("two")),
        call(lab, "GET", "ValueSet/$expand"),
    ]


def _conditions(lab: Lab) -> Json:
    body = {"resourceType": "Patient"}
    return [
        call(lab, "PUT", "Patient?name=a", body),
        call(lab, "PUT", "Patient", body),
        call(lab, "PUT", "Patient?identifier=", body),
        call(lab, "PATCH", "Patient?identifier=none", [], media_type=JSON_PATCH),
    ]


def _canonical(lab: Lab) -> Json:
    def value_set(id_: str, **members: str) -> dict[str, Any]:
        url = "urn:conformance:value-set"
        return {"resourceType": "ValueSet", "id": id_, "url": url, "status": "draft", **members}

    ids = (value_set("v1"), value_set("v2"), value_set("v3", version="2"))
    return [put(lab, each) for each in ids]


def _integrity(lab: Lab) -> Json:
    inner = patient("container", managingOrganization={"reference": "#none"})
    return [put(lab, observation("dangling", "Patient/none")), put(lab, inner)]


def _referenced(lab: Lab) -> Json:
    put(lab, patient("held"))
    put(lab, observation("holding", "Patient/held"))
    return call(lab, "DELETE", "Patient/held")


def _patch(lab: Lab) -> Json:
    put(lab, patient("patched"))
    patches: tuple[Any, ...] = (
        [{"op": "remove", "path": "/gender"}],
        [{"op": "replace", "path": "/id", "value": "other"}],
        [{"op": "test", "path": "/active", "value": True}],
        [{"op": "turn", "path": "/active"}],
        {"op": "remove"},
        [{"op": "add", "path": "/active", "value": True}],
    )
    path = "Patient/patched"
    return [call(lab, "PATCH", path, each, media_type=JSON_PATCH) for each in patches]


def _undelete(lab: Lab) -> Json:
    put(lab, patient("back"))
    call(lab, "DELETE", "Patient/back")
    return [put(lab, patient("back")), put(lab, patient("back"))]


def _media_types(lab: Lab) -> Json:
    body = {"resourceType": "Patient"}
    return [
        call(lab, "POST", "Patient", body, media_type="text/plain"),
        call(lab, "PATCH", "Patient/none", [], media_type="application/json"),
    ]


def _vread(lab: Lab) -> Json:
    put(lab, patient("versions"))
    plain = store(lab, "fhir-plain", disableResourceVersioning=True)
    put(lab, patient("versions"), to=plain)
    return [
        call(lab, "GET", "Patient/versions/_history/none"),
        call(lab, "GET", "Patient/versions/_history", to=plain),
    ]


def _history(lab: Lab) -> Json:
    put(lab, patient("changing"))
    path = "Patient/changing"
    change = [{"op": "add", "path": "/active", "value": True}]
    call(lab, "PATCH", path, change, media_type=JSON_PATCH)
    call(lab, "DELETE", path)
    return [call(lab, "GET", f"{path}/_history"), call(lab, "GET", f"{path}/_history?_at=2020")]


def _purge(lab: Lab) -> Json:
    put(lab, patient("purged"))
    put(lab, patient("purged", active=True))
    return [
        call(lab, "DELETE", "Patient/purged/$purge"),
        call(lab, "GET", "Patient/purged/_history"),
        call(lab, "DELETE", "Patient/none/$purge"),
    ]


def _pages(lab: Lab) -> Json:
    path = "Patient/paged/_history"
    for _ in range(3):
        put(lab, patient("paged"))
    answers = [call(lab, "GET", f"{path}?_count={count}") for count in ("0", "1001", "x")]
    page = call(lab, "GET", f"{path}?_count=2")
    relations = [link["relation"] for link in page["body"].get("link", [])]
    return [*answers, relations, call(lab, "GET", f"{path}?_page_token=none")]


def _validate(lab: Lab) -> Json:
    parameters = {"resourceType": "Parameters"}
    return [
        call(lab, "POST", "Patient/$validate", patient("valid")),
        call(lab, "POST", "Patient/$validate", parameters),
        call(lab, "POST", "Patient/$validate?profile=urn:none", patient("valid")),
    ]


def _binary(lab: Lab) -> Json:
    call(lab, "PUT", "Binary/raw", b"text", media_type="text/plain")
    accepts = ("", "*/*", "text/plain", "application/fhir+json", "image/png")
    return [call(lab, "GET", "Binary/raw", Accept=accept) for accept in accepts]


def _bundle(lab: Lab, type_: str, *entries: Any, **headers: str) -> Json:
    body = {"resourceType": "Bundle", "type": type_, "entry": list(entries)}
    return call(lab, "POST", "", body, **headers)


def _entry(method: str, url: str, resource: Any = None, **request: str) -> dict[str, Any]:
    found = {"request": {"method": method, "url": url, **request}}
    return found | ({"resource": resource} if resource else {})


def _refused_bundles(lab: Lab) -> Json:
    twice = _entry("PUT", "Patient/twice", patient("twice"))
    return [
        _bundle(lab, "collection"),
        _bundle(lab, "batch", _entry("GET", "Patient?name=a"), _entry("GET", "Patient/none")),
        _bundle(lab, "transaction", twice, twice),
        _bundle(lab, "transaction", {"resource": patient("alone")}),
        _bundle(lab, "transaction", _entry("PUT", "Observation/o", patient("o"))),
    ]


def _bundles(lab: Lab) -> Json:
    entries = (
        _entry("PUT", "Patient/bundled", patient("bundled")),
        _entry("GET", "Patient/bundled"),
        _entry("DELETE", "Patient/not-there"),
    )
    return [
        _bundle(lab, "transaction", *entries),
        _bundle(lab, "batch", *entries, Prefer="return=representation"),
    ]


def _history_bundle(lab: Lab) -> Json:
    past = {"lastUpdated": "2020-01-01T00:00:00Z"}
    resource = patient("past", meta=past)
    body = {
        "resourceType": "Bundle",
        "type": "history",
        "entry": [_entry("PUT", "Patient/past", resource)],
    }
    takes = store(lab, "fhir-history", enableHistoryModifications=True)
    return [
        call(lab, "POST", "", body),
        call(lab, "POST", "", body, to=takes),
        call(lab, "GET", "Patient/past/_history", to=takes),
    ]


def _notified(lab: Lab) -> Json:
    """Return the attributes of messages about a creation and a deletion."""
    config = {"pubsubTopic": lab.names.topic, "sendFullResource": True}
    name = store(lab, "fhir-notified", notificationConfigs=[config])
    put(lab, patient("notified"), to=name)
    call(lab, "DELETE", "Patient/notified", to=name)
    found: dict[str, Json] = {}

    def look() -> bool:
        for message in pull(lab.cloud, lab.names.subscription):
            attributes = message.get("attributes", {})
            if attributes.get("storeName") == name:
                found[attributes["action"]] = attributes
        return len(found) > 1

    poll(look, min(lab.cloud.max_wait_seconds, 60.0))
    return found


CHECKS = (
    Check("fhir-missing", "a resource that does not exist: code and text", _missing),
    Check("fhir-deleted", "a resource that was deleted: code and text", _deleted),
    Check("fhir-delete", "a DELETE of nothing, and by a condition: answers", _delete),
    Check("fhir-precondition", "conditions that do not hold: code and text", _precondition),
    Check("fhir-update-create", "an update of nothing: code and text", _update_create),
    Check("fhir-id-text", "ids and types that are not valid: code and text", _ids),
    Check("fhir-condition-text", "conditions that are not by identifier: text", _conditions),
    Check("fhir-canonical", "two resources with one canonical URL", _canonical),
    Check("fhir-integrity", "references to what does not exist: code and text", _integrity),
    Check("fhir-delete-referenced", "a DELETE of what is referred to: text", _referenced),
    Check("fhir-patch-text", "patches that can't be applied: code and text", _patch),
    Check("fhir-update-deleted", "an update of a deleted resource", _undelete),
    Check("fhir-media-types", "bodies of other media types: code and text", _media_types),
    Check("fhir-vread-text", "versions that do not exist: code and text", _vread),
    Check("fhir-history", "the entries of a history", _history),
    Check("fhir-purge", "a purge, and the history after it", _purge),
    Check("fhir-page-links", "links and refusals of pages", _pages),
    Check("fhir-validate", "$validate of valid and other input", _validate),
    Check("fhir-binary-accept", "a Binary by the header Accept", _binary),
    Check("fhir-bundle-text", "bundles that are refused: code and text", _refused_bundles),
    Check("fhir-bundle", "the answers of a transaction and of a batch", _bundles),
    Check("fhir-history-bundle", "a history bundle", _history_bundle),
    Check("fhir-notification", "messages about resources", _notified),
)
