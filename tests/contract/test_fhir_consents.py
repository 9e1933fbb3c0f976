"""Consents of FHIR stores under Google's own client, and in audit logs."""

from collections.abc import Callable

import pytest
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.fhir_consents import consent
from tests.support.fhir_resources import observation, patient
from tests.support.fhir_ward import Ward, decoded

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin")
    ward = Ward(emulator, project)
    config = {
        "version": "V1",
        "accessEnforced": True,
        "accessDeterminationLogConfig": {"logLevel": "VERBOSE"},
    }
    body = {"consentConfig": config}
    ward.stores.patch(name=ward.store, updateMask="consentConfig", body=body).execute()
    ward.put({"resourceType": "Practitioner", "id": "1"})
    ward.put(patient("1"))
    ward.put(observation("Patient/1", "o"))
    ward.put(consent("yes", "Patient/1", types=("Observation",)))
    return ward


def test_a_consent_decides_on_reads_and_the_audit_log_says_so(
    ward: Ward, emulator: ServerInfo, project: str
) -> None:
    done = ward.wait(ward.stores.applyConsents(name=ward.store, body={}))
    assert done["response"]["consentApplySuccess"] == "1"
    assert done["metadata"]["counter"]["secondarySuccess"] == "3"
    audit = {"service": "allServices", "auditLogConfigs": [{"logType": "DATA_READ"}]}
    body = {"policy": {"auditConfigs": [audit]}, "updateMask": "auditConfigs"}
    url = f"{emulator.url}/v1/projects/{project}:setIamPolicy"
    http.post(url, json=body).raise_for_status()
    read = ward.fhir.read(name=ward.name("Observation/o"))
    read.headers["X-Consent-Scope"] = "actor/Practitioner/1 env/App/1"
    assert decoded(read)["id"] == "o"
    denied = ward.fhir.read(name=ward.name("Patient/1"))
    denied.headers["X-Consent-Scope"] = "actor/Practitioner/1"
    with pytest.raises(HttpError) as error:
        denied.execute()
    assert error.value.status_code == 403
    explained = ward.stores.explainDataAccess(name=ward.store, resourceId="Observation/o").execute()
    [scope] = explained["consentScopes"]
    assert scope["accessorScope"] == {"actor": "Practitioner/1"}
    assert scope["decision"] == "CONSENT_DECISION_TYPE_PERMIT"
    status = decoded(ward.fhir.Consent_enforcement_status(name=ward.name("Consent/yes")))
    assert status["resourceType"] == "Parameters"

    listing = {"resourceNames": [f"projects/{project}"], "filter": 'logName:"data_access"'}
    entries = http.post(f"{emulator.url}/v2/entries:list", json=listing).json()["entries"]
    logged = [
        entry["protoPayload"]["metadata"]
        for entry in entries
        if entry["protoPayload"]["methodName"].endswith("FhirService.GetResource")
    ]
    assert sorted(one["decision"] for one in logged) == ["NO_CONSENT", "PERMIT"]
    [permit] = [one for one in logged if one["decision"] == "PERMIT"]
    assert (permit["consentMode"], permit["logLevel"]) == ("enforced", "VERBOSE")
    assert permit["requestHeaders"] == {"X-Consent-Scope": "actor/Practitioner/1 env/App/1"}
    [used] = permit["consents"]
    assert used["name"] == ward.name("Consent/yes")
    assert used["resourceOwner"] == ward.name("Patient/1")
    assert (used["policyType"], used["consentScope"]) == ("PATIENT", "actor/Practitioner/1")
