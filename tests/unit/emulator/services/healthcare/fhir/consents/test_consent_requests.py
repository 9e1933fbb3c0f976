"""Consents of a store in process: applied, enforced on reads, explained."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.fhir_consents import consent
from tests.support.fhir_resources import entry, observation, patient
from tests.support.waiting import wait_until

DENIED = "Consent access denied or the resource being accessed does not exist"
DOCTOR = {"X_Consent_Scope": "actor/Practitioner/1"}
IN_APP = {"X_Consent_Scope": "actor/Practitioner/1 env/App/123"}
EMERGENCY = {"X_Consent_Scope": "actor/Practitioner/1 purp/v3/ETREAT env/App/123"}
SOURCE = {
    "url": "https://g.co/fhir/medicalrecords/DataSource",
    "valueUri": "http://example.com/HappyHospital",
}
Make = Callable[..., Any]


@pytest.fixture
def store(make_fhir: Make) -> Any:
    """The store of the guide's example, with consents that are not applied yet."""
    store = make_fhir(consentConfig={"version": "V1", "accessEnforced": True})
    store.put({"resourceType": "Practitioner", "id": "1"})
    store.put(patient("1", name=[{"given": ["Darcy"]}]))
    happy = {"source": "http://example.com/HappyHospital"}
    store.put(observation("Patient/1", "here", meta=happy))
    store.put(observation("Patient/1", "there"))
    store.put(consent("app", "Patient/1", environment="App/123", extension=[SOURCE]))
    store.put(consent("emergency", "Patient/1", purpose="ETREAT"))
    store.put(consent("research", purpose="BIORCH", environment="App/golden"))
    return store


def call(store: Any, verb: str, body: Any) -> Any:
    response = store.client.post(f"/v1/{store.store}:{verb}", json=body)
    assert response.status_code == 200, response.text
    name = response.json()["name"]

    def ended() -> Any:
        operation = store.client.get(f"/v1/{name}").json()
        return operation if operation.get("done") else None

    return wait_until(ended, f"{verb} does not end")


def apply(store: Any, **body: Any) -> Any:
    done = call(store, "applyConsents", body)
    assert done["metadata"]["apiMethodName"].endswith("v1.fhir.FhirStoreService.ApplyConsents")
    return done


def apply_policies(store: Any, *ids: str, **body: Any) -> Any:
    names = [versioned(store, id_) for id_ in ids]
    return call(store, "applyAdminConsents", {"newConsentsList": {"names": names}, **body})


def versioned(store: Any, id_: str) -> str:
    version = store.ok("GET", f"Consent/{id_}")["meta"]["versionId"]
    return f"{store.store}/fhir/Consent/{id_}/_history/{version}"


def found(store: Any, path: str, **headers: str) -> list[str]:
    bundle = store.ok("GET", path, **headers)
    entries = bundle.get("entry", [])
    matches = [each for each in entries if each["search"]["mode"] == "match"]
    assert bundle["total"] == len(matches)
    resources = [each["resource"] for each in entries]
    return sorted(f"{each['resourceType']}/{each['id']}" for each in resources)


def test_example_of_the_guide(store: Any) -> None:
    done = apply(store)
    assert done["response"] == {
        "@type": "type.googleapis.com/google.cloud.healthcare.v1.fhir.ApplyConsentsResponse",
        "consentApplySuccess": "2",
        "affectedResources": "5",
    }
    assert done["metadata"]["counter"] == {"success": "2", "secondarySuccess": "5"}
    done = apply_policies(store, "research")
    assert done["response"]["consentApplySuccess"] == "1"
    assert done["response"]["affectedResources"] == "7"
    assert done["metadata"]["counter"] == {"success": "1", "secondarySuccess": "7"}
    config = store.client.get(f"/v1/{store.store}").json()["consentConfig"]
    assert config["enforcedAdminConsents"] == [versioned(store, "research")]

    # Reads
    assert store.ok("GET", "Observation/here", **IN_APP)["id"] == "here"
    elsewhere = {"X_Consent_Scope": "actor/Practitioner/1 env/App/unknown"}
    assert store.refused(403, "GET", "Observation/here", **elsewhere) == {
        "severity": "error",
        "code": "security",
        "details": {"text": "permission_denied"},
        "diagnostics": DENIED,
    }
    research = {"X_Consent_Scope": "actor/Practitioner/1 purp/v3/BIORCH env/App/golden"}
    assert store.ok("GET", "Patient/1", **research)["id"] == "1"
    glass = {"X_Consent_Scope": "btg actor/Practitioner/1"}
    assert store.ok("GET", "Observation/there", **glass)["id"] == "there"

    # Searches
    assert found(store, "Observation?status=final", **IN_APP) == ["Observation/here"]
    chain = "Observation?subject:Patient.given=Darcy"
    assert found(store, chain, **IN_APP) == []
    assert found(store, chain, **EMERGENCY) == ["Observation/here", "Observation/there"]
    include = "Observation?_include=Observation:subject"
    assert found(store, include, **IN_APP) == ["Observation/here"]
    assert "Patient/1" in found(store, include, **EMERGENCY)
    two = {"X_Consent_Scope": "actor/Practitioner/1 purp/v3/TREAT purp/v3/HRESCH"}
    refused = store.refused(403, "GET", "Observation?status=final", **two)
    assert refused["diagnostics"] == (
        "the maximum number of allowed consent purpose scopes is 1, got 2"
    )


def test_nothing_is_permitted_before_consents_are_applied(store: Any) -> None:
    assert found(store, "Observation", **IN_APP) == []
    assert store.refused(403, "GET", "Observation/here", **IN_APP)["diagnostics"] == DENIED
    assert found(store, "Observation") == ["Observation/here", "Observation/there"]
    apply(store, validateOnly=True)
    assert found(store, "Observation", **IN_APP) == []


def test_changes_of_consents_wait_for_the_next_application(store: Any) -> None:
    apply(store)
    store.put(consent("no", "Patient/1", type_="deny"))
    assert found(store, "Observation", **IN_APP) == ["Observation/here"]
    apply(store, patientScope={"patientIds": ["other"]})
    assert found(store, "Observation", **IN_APP) == ["Observation/here"]
    apply(store, patientScope={"patientIds": ["1"]})
    assert found(store, "Observation", **EMERGENCY) == []
    store.ok("DELETE", "Consent/no")
    apply(store, timeRange={"start": "2020-01-01T00:00:00Z"})
    assert found(store, "Observation", **IN_APP) == ["Observation/here"]


def test_versions_history_everything_and_bundles(store: Any) -> None:
    apply(store)
    store.put(observation("Patient/1", "here"))  # no source any more
    versions = store.ok("GET", "Observation/here/_history")["entry"]
    first = versions[1]["resource"]["meta"]["versionId"]
    assert len(store.ok("GET", "Observation/here/_history", **IN_APP)["entry"]) == 1
    assert store.ok("GET", f"Observation/here/_history/{first}", **IN_APP)["id"] == "here"
    assert store.refused(403, "GET", "Observation/there/_history", **IN_APP)
    assert store.refused(403, "GET", "Observation/none", **IN_APP)["diagnostics"] == DENIED
    assert store.refused(403, "GET", "Patient/1/$everything", **IN_APP)["diagnostics"] == DENIED
    assert found(store, "Patient/1/$everything", **EMERGENCY) == [
        "Consent/app",
        "Consent/emergency",
        "Observation/here",
        "Observation/there",
        "Patient/1",
    ]
    path = f"Observation/here/_history/{first}"
    answer = store.bundle(
        "batch", entry("GET", path), entry("GET", "Observation/there"), **IN_APP
    ).json()
    statuses = [each["response"]["status"] for each in answer["entry"]]
    assert statuses == ["200 OK", "403 Forbidden"]
    outcome = answer["entry"][1]["response"]["outcome"]["issue"][0]
    assert outcome["diagnostics"] == DENIED


def test_missing_resources_show_where_a_policy_permits_it(store: Any) -> None:
    store.put(consent("orgs", types=("Organization",)))
    apply_policies(store, "orgs")
    assert store.refused(404, "GET", "Organization/none", **DOCTOR)["code"] == "not-found"
    assert store.refused(403, "GET", "Location/none", **DOCTOR)["diagnostics"] == DENIED


def test_cascading_policies(store: Any) -> None:
    tag = [{"system": "urn:example:tags", "code": "employee"}]
    store.put(patient("2", meta={"tag": tag}))
    store.put(observation("Patient/2", "of-2"))
    store.put(consent("staff", types=("Patient",), tags=("employee",), cascades=True))
    apply_policies(store, "staff")
    assert found(store, "Observation", **DOCTOR) == ["Observation/of-2"]
    store.put(patient("2"))  # the tag goes, and the access with it
    assert found(store, "Observation", **DOCTOR) == []


def test_status_of_consents(store: Any) -> None:
    store.put({**consent("old", "Patient/1"), "status": "inactive"})
    store.put(consent("odd", "Patient/1", period={"start": "2020"}))
    assert status(store.ok("GET", "Consent/app/$consent-enforcement-status")) == "OFF"
    done = apply(store)
    assert done["response"]["consentApplySuccess"] == "3"
    assert done["response"]["consentApplyFailure"] == "1"
    bundle = store.ok("GET", "Patient/1/$consent-enforcement-status")
    states = {each["resource"]["id"]: status(each["resource"]) for each in bundle["entry"]}
    assert states == {
        "app": "ENFORCEABLE",
        "emergency": "ENFORCEABLE",
        "old": "INACTIVE",
        "odd": "UNSUPPORTED",
    }


def status(parameters: Any) -> str:
    values = {each["name"]: each for each in parameters["parameter"]}
    return str(values["consent-enforcement-status"]["valueString"])


def test_policies_that_cannot_be_applied(store: Any) -> None:
    store.put(consent("period", period={"start": "2020"}))
    names = [versioned(store, "period"), versioned(store, "app"), versioned(store, "research")]
    response = store.client.post(
        f"/v1/{store.store}:applyAdminConsents", json={"newConsentsList": {"names": names}}
    )
    error = response.json()["error"]
    assert error["status"] == "INVALID_ARGUMENT"
    [detail] = error["details"]
    assert detail["@type"].endswith("ApplyAdminConsentsErrorDetail")
    assert [each["name"] for each in detail["consentErrors"]] == names[:2]
    assert "period is not supported" in detail["consentErrors"][0]["error"]["message"]


def test_explanation(store: Any) -> None:
    store.put(consent("no", "Patient/1", type_="deny", environment="App/123"))
    apply(store)
    answer = explain(store, "Observation/there")
    scopes = [each["accessorScope"] for each in answer["consentScopes"]]
    assert scopes == [
        {"actor": "Practitioner/1", "environment": "App/123"},
        {"actor": "Practitioner/1", "purpose": "ETREAT"},
        {"actor": "Practitioner/1", "purpose": "ETREAT", "environment": "App/123"},
    ]
    decisions = [each["decision"].rpartition("_")[2] for each in answer["consentScopes"]]
    assert decisions == ["DENY", "PERMIT", "DENY"]
    [exception] = answer["consentScopes"][1]["exceptions"]
    assert exception["accessorScope"] == scopes[2]
    [info] = exception["enforcingConsents"]
    assert info["consentResource"] == f"{store.store}/fhir/Consent/no"
    assert info["patientConsentOwner"] == f"{store.store}/fhir/Patient/1"
    assert info["type"] == "CONSENT_POLICY_TYPE_PATIENT"


def explain(store: Any, name: str) -> Any:
    url = f"/v1/{store.store}:explainDataAccess"
    response = store.client.get(url, params={"resourceId": name})
    assert response.status_code == 200, response.text
    return response.json()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ("purp/v3/TREAT", "at least one consent actor scope"),
        ("btg", "at least one consent actor scope"),
        ("bypass actor/Admin/1", "bypass requires a consent environment"),
        ("actor/A/1 actor/A/2 actor/A/3 actor/A/4", "actor scopes is 3, got 4"),
        ("actor/A/1 env/App/1 env/App/2", "environment scopes is 1, got 2"),
        ("actor/A/1 purp/v2/TREAT", "the system is v3"),
        ("actor/A/1 env/App/a-long-name-of-it", "at most 14 characters"),
        ("actor/A/1 openid", "invalid consent scope 'openid'"),
    ],
)
def test_scopes_that_are_not_valid(store: Any, scope: str, words: str) -> None:
    refused = store.refused(403, "GET", "Patient/1", X_Consent_Scope=scope)
    assert words in refused["diagnostics"]


def test_settings_of_a_store(make_fhir: Make, client: TestClient, dataset: str) -> None:
    handling = {"profile": "REQUIRED_ON_READ"}
    config = {"version": "V1", "accessEnforced": True, "consentHeaderHandling": handling}
    store = make_fhir("strict", consentConfig={**config, "enforcedAdminConsents": ["x"]})
    answer = client.get(f"/v1/{store.store}").json()
    assert answer["consentConfig"] == config
    store.put(patient("1"))
    text = store.refused(403, "GET", "Patient/1")["diagnostics"]
    assert text == "the store requires the header X-Consent-Scope on reads"
    assert store.refused(403, "GET", "Patient")["code"] == "security"
    for body, words in (
        ({"version": "R4", "consentConfig": {}}, "consent_config.version is required"),
        ({"version": "DSTU2", "consentConfig": config}, "not supported by FHIR stores"),
    ):
        refused = client.post(f"/v1/{dataset}/fhirStores?fhirStoreId=no", json=body)
        assert words in refused.json()["error"]["message"]
    plain = make_fhir("plain")
    refused = client.post(f"/v1/{plain.store}:applyConsents", json={})
    assert "has no consent_config" in refused.json()["error"]["message"]
    plain.put(patient("1"))
    assert plain.ok("GET", "Patient/1", **IN_APP)["id"] == "1"
