"""A walk through the methods of FHIR stores, for the test of their answers."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from tests.support.fhir_consents import consent
from tests.support.fhir_resources import IDENTIFIER, entry, observation, patient
from tests.support.schema_walk import Walk
from tests.support.waiting import wait_until

STORES = "projects.locations.datasets.fhirStores"
FHIR = f"{STORES}.fhir"
STORE = ("d", "s")
_MAP = {
    "resourceType": "ConceptMap",
    "url": "http://example.org/map",
    "status": "active",
    "group": [
        {
            "source": "http://example.org/here",
            "target": "http://example.org/there",
            "element": [{"code": "a", "target": [{"code": "b", "equivalence": "equal"}]}],
        }
    ],
}


def _content(resource: Any, media_type: str = "application/fhir+json") -> dict[str, Any]:
    return {"content": json.dumps(resource), "headers": {"Content-Type": media_type}}


def walk_resources(walk: Walk) -> None:
    """Write, read, search and delete resources of a store that clients may choose ids in."""
    created = walk(f"{FHIR}.create", *STORE, "Patient", **_content(patient())).json()
    one = (*STORE, "Patient", "p")
    walk(f"{FHIR}.update", *one, **_content(patient("p", identifier=[IDENTIFIER])))
    first = walk(f"{FHIR}.read", *one).json()["meta"]["versionId"]
    change = [{"op": "add", "path": "/active", "value": True}]
    walk(f"{FHIR}.patch", *one, **_content(change, "application/json-patch+json"))
    walk(f"{FHIR}.vread", *one, first)
    assert len(walk(f"{FHIR}.history", *one).json()["entry"]) == 2
    seen = observation("Patient/p", identifier=[IDENTIFIER], code={"coding": [{"code": "c"}]})
    walk(f"{FHIR}.create", *STORE, "Observation", **_content(seen))
    walk(f"{FHIR}.Resource-validate", *STORE, "Patient", **_content(patient()))
    assert walk(f"{FHIR}.search", *STORE).json()["total"] == 3
    assert walk(f"{FHIR}.search-type", *STORE, "Patient").json()["total"] == 2
    walk(f"{FHIR}.Patient-everything", *STORE, "p")
    walk(f"{FHIR}.capabilities", *STORE)
    bundle = {
        "resourceType": "Bundle",
        "type": "batch",
        "entry": [entry("GET", "Patient/p"), entry("GET", "Patient/absent")],
    }
    walk(f"{FHIR}.executeBundle", *STORE, **_content(bundle))
    if walk.version == "v1beta1":
        _walk_previews(walk)
    walk(f"{FHIR}.Resource-purge", *one)
    walk(f"{FHIR}.delete", *STORE, "Patient", created["id"])


def walk_conditions(walk: Walk) -> None:
    """Change the one resource that an identifier names."""
    identifier = f"{IDENTIFIER['system']}|{IDENTIFIER['value']}"

    def call(method: str, **content: Any) -> None:
        query = {"identifier": identifier}
        walk(f"{FHIR}.{method}", *STORE, "Patient", params=query, **content)

    call("conditionalUpdate", **_content(patient(identifier=[IDENTIFIER], active=False)))
    change = [{"op": "replace", "path": "/active", "value": True}]
    call("conditionalPatch", **_content(change, "application/json-patch+json"))
    found = {"identifier": identifier}
    walk(f"{FHIR}.conditionalDelete", *STORE, "Observation", params=found)


def walk_binaries(walk: Walk) -> None:
    """Write and read a document in its own media type."""
    text = {"content": b"a letter", "headers": {"Content-Type": "text/plain"}}
    created = walk(f"{FHIR}.Binary-create", *STORE, **text)
    id_ = created.headers["Location"].partition("/Binary/")[2].partition("/")[0]
    updated = walk(f"{FHIR}.Binary-update", *STORE, id_, **text)
    accepted = {"headers": {"Accept": "text/plain"}}
    assert walk(f"{FHIR}.Binary-read", *STORE, id_, **accepted).content == b"a letter"
    version = updated.headers["Location"].rpartition("/")[2]
    walk(f"{FHIR}.Binary-vread", *STORE, id_, version, **accepted)


def walk_bulk_resources(
    walk: Walk, bucket: str, end_of: Callable[[httpx.Response], dict[str, Any]]
) -> None:
    """Export, import and delete resources, and count them; `end_of` waits for an operation."""

    def finish(method: str, body: Any) -> None:
        done = end_of(walk(f"{STORES}.{method}", *STORE, body=body))
        assert "response" in done, done

    last = walk(f"{FHIR}.read", *STORE, "Patient", "p").json()["meta"]["lastUpdated"]
    finish("export", {"gcsDestination": {"uriPrefix": f"{bucket}/fhir"}})
    source = {"gcsSource": {"uri": f"{bucket}/fhir/*"}, "contentStructure": "RESOURCE"}
    finish("import", source)
    assert walk(f"{STORES}.getFHIRStoreMetrics", *STORE).json()["metrics"]
    copies = walk(f"{STORES}.create", "d", body={"version": "R4"}, params={"fhirStoreId": "copies"})
    finish("deidentify", {"destinationStore": copies.json()["name"], "config": {"fhir": {}}})
    finish("bulkDelete", {"type": "Observation"})
    finish("rollback", {"rollbackTime": last, "resultGcsBucket": bucket})
    if walk.version == "v1beta1":
        _walk_preview_operations(walk, bucket, end_of)
    _walk_bulk_export(walk, bucket)


def _walk_preview_operations(
    walk: Walk, bucket: str, end_of: Callable[[httpx.Response], dict[str, Any]]
) -> None:
    """Move the history of resources by files, and put a search parameter into force."""
    parameter = {
        "resourceType": "SearchParameter",
        "id": "nickname",
        "url": "http://example.org/nickname",
        "name": "nickname",
        "status": "active",
        "description": "The nickname of a patient",
        "code": "nickname",
        "base": ["Patient"],
        "type": "string",
        "expression": "Patient.extension('urn:nickname').value.as(string)",
    }
    walk(f"{FHIR}.update", *STORE, "SearchParameter", "nickname", **_content(parameter))
    settings = {"version": "R4", "enableHistoryModifications": True}
    walk(f"{STORES}.create", "d", body=settings, params={"fhirStoreId": "versions"})
    files = f"{bucket}/versions"
    for store, method, body in (
        ("s", "exportHistory", {"gcsDestination": {"uriPrefix": files}}),
        ("versions", "importHistory", {"gcsSource": {"uri": f"{files}/*"}}),
        ("s", "configureSearch", {"canonicalUrls": [parameter["url"]]}),
    ):
        done = end_of(walk(f"{STORES}.{method}", "d", store, body=body))
        assert "response" in done, done


def _walk_bulk_export(walk: Walk, bucket: str) -> None:
    """Export by the protocol of SMART; the status of an export that runs is one too."""
    folder = {"bulkExportGcsDestination": {"uriPrefix": bucket}}
    mask = {"updateMask": "bulkExportGcsDestination"}
    walk(f"{STORES}.patch", *STORE, body=folder, params=mask)
    group = {"resourceType": "Group", "id": "g", "type": "person", "actual": True}
    walk(f"{FHIR}.update", *STORE, "Group", "g", **_content(group))
    headers = {"Accept": "application/fhir+json", "Prefer": "respond-async"}
    by_patient = {"organizeOutputBy": "Patient"}
    begun = [walk(f"{FHIR}.bulk-export", *STORE, headers=headers)]
    of_group = {"params": by_patient, "headers": headers}
    begun.append(walk(f"{STORES}.bulk-export-group", *STORE, "g", **of_group))
    if walk.version == "v1beta1":
        begun.append(walk(f"{STORES}.bulk-export-group-post", *STORE, "g", **of_group))
    numbers = [answer.headers["Content-Location"].rpartition("/")[2] for answer in begun]
    walk(f"{STORES}.operations.get-fhir-operation-status", *STORE, numbers[0])

    def cancels() -> bool:
        """Cancel an export, unless it has ended by then."""
        begun = walk(f"{FHIR}.bulk-export", *STORE, headers=headers)
        number = begun.headers["Content-Location"].rpartition("/")[2]
        method = f"{STORES}.operations.delete-fhir-operation"
        answer = walk.send(method, *STORE, number)
        walk.answers[method] += [answer] if answer.is_success else []
        return answer.is_success

    wait_until(cancels, "each export has ended before it could be cancelled")


def walk_consents(walk: Walk, end_of: Callable[[httpx.Response], dict[str, Any]]) -> None:
    """Apply the consents of a patient and a policy, and ask for their state."""

    def finish(method: str, body: Any) -> None:
        done = end_of(walk(f"{STORES}.{method}", *STORE, body=body))
        assert "response" in done, done

    config = {"consentConfig": {"version": "V1", "accessEnforced": True}}
    mask = {"updateMask": "consentConfig"}
    store = walk(f"{STORES}.patch", *STORE, body=config, params=mask).json()["name"]
    policy = consent("policy", types=("Patient",))
    doctor = {"resourceType": "Practitioner", "id": "1"}
    for resource in (doctor, consent("yes", "Patient/p"), policy):
        one = (resource["resourceType"], resource["id"])
        walk(f"{FHIR}.update", *STORE, *one, **_content(resource))
    read = walk(f"{FHIR}.read", *STORE, "Consent", "policy").json()
    name = f"{store}/fhir/Consent/policy/_history/{read['meta']['versionId']}"
    finish("applyConsents", {"patientScope": {"patientIds": ["p"]}})
    finish("applyAdminConsents", {"newConsentsList": {"names": [name]}})
    walk(f"{STORES}.explainDataAccess", *STORE, params={"resourceId": "Patient/p"})
    walk(f"{FHIR}.Consent-enforcement-status", *STORE, "yes")
    walk(f"{FHIR}.Patient-consent-enforcement-status", *STORE, "p")


def _walk_previews(walk: Walk) -> None:
    """Call what v1beta1 alone has."""
    created = walk(f"{FHIR}.create", *STORE, "ConceptMap", **_content(_MAP)).json()
    code = {"code": "a", "system": "http://example.org/here"}
    url = {"url": "http://example.org/map"}
    walk(f"{FHIR}.ConceptMap-search-translate", *STORE, params={**code, **url})
    walk(f"{FHIR}.ConceptMap-translate", *STORE, created["id"], params=code)
    walk(f"{FHIR}.Resource-incoming-references", *STORE, params={"target": "Patient/p"})
    visit = {"resourceType": "Encounter", "id": "e", "status": "planned", "class": {"code": "AMB"}}
    walk(f"{FHIR}.update", *STORE, "Encounter", "e", **_content(visit))
    walk(f"{FHIR}.Encounter-everything", *STORE, "e")
    walk(f"{FHIR}.Observation-lastn", *STORE, params={"subject": "Patient/p", "code": "c"})
