"""Changes of a FHIR store, de-identified in another one."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.fhir_resources import patient

HIDDEN = {"fhir": {"fieldMetadataList": [{"paths": ["Patient.name"], "action": "TRANSFORM"}]}}
ANN = patient("a", name=[{"family": "Sample"}], gender="female")


class Stores:
    """A store whose changes stream into another one.

    Args:
        client: of the emulator
        dataset: the full name
        settings: of the destination
    """

    def __init__(self, client: TestClient, dataset: str, **settings: Any) -> None:
        self._client = client
        given = {"enableUpdateCreate": True, "disableReferentialIntegrity": True, **settings}
        self.copies = self._make(f"{dataset}/fhirStores", "copies", given)
        stream = {"deidentifiedStoreDestination": {"store": self.copies, "config": HIDDEN}}
        given = {"enableUpdateCreate": True, "streamConfigs": [stream]}
        self.source = self._make(f"{dataset}/fhirStores", "source", given)

    def _make(self, parent: str, name: str, settings: Any) -> str:
        body = {"version": "R4", **settings}
        answer = self._client.post(f"/v1/{parent}?fhirStoreId={name}", json=body)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["name"])

    def grant(self, role: str = "roles/healthcare.fhirResourceEditor") -> None:
        project = self.copies.split("/")[1]
        number = self._client.get(f"/v1/projects/{project}").json()["projectNumber"]
        agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
        policy = {"bindings": [{"role": role, "members": [agent]}]}
        url = f"/v1/{self.copies}:setIamPolicy"
        assert self._client.post(url, json={"policy": policy}).status_code == 200

    def write(self, method: str, path: str, body: Any = None, **more: Any) -> None:
        url = f"/v1/{self.source}/fhir/{path}".rstrip("/")
        answer = self._client.request(method, url, json=body, **more)
        assert answer.status_code < 300, answer.text

    def copy(self, path: str) -> Any:
        answer = self._client.get(f"/v1/{self.copies}/fhir/{path}")
        return answer.json() if answer.status_code == 200 else None

    def logged(self) -> list[dict[str, Any]]:
        body = {"resourceNames": [f"projects/{self.copies.split('/')[1]}"]}
        found = self._client.post("/v2/entries:list", json=body).json().get("entries", [])
        return [one["jsonPayload"] for one in found if "fhir_stream" in one["logName"]]


def test_changes_are_copied_without_what_identifies(client: TestClient, dataset: str) -> None:
    stores = Stores(client, dataset)
    stores.grant()
    stores.write("PUT", "Patient/a", ANN)
    assert (stores.copy("Patient/a")["gender"], "name" in stores.copy("Patient/a")) == (
        "female",
        False,
    )
    bundle = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [
            {
                "resource": {**ANN, "gender": "other"},
                "request": {"method": "PUT", "url": "Patient/a"},
            }
        ],
    }
    stores.write("POST", "", bundle)
    assert stores.copy("Patient/a")["gender"] == "other"
    assert len(stores.copy("Patient/a/_history")["entry"]) == 2
    stores.write("DELETE", "Patient/a")
    assert stores.copy("Patient/a") is None
    assert stores.logged() == []


@pytest.mark.parametrize(
    ("settings", "granted", "code", "culprit"),
    [
        ({}, False, 7, "roles/healthcare.fhirResourceEditor"),
        ({"enableUpdateCreate": False}, True, 9, "enable_update_create"),
        ({"disableReferentialIntegrity": False}, True, 9, "disable_referential_integrity"),
        ({"version": "STU3"}, True, 12, "STU3"),
    ],
)
def test_what_can_not_be_copied_is_logged(
    client: TestClient,
    dataset: str,
    settings: dict[str, Any],
    granted: bool,
    code: int,
    culprit: str,
) -> None:
    stores = Stores(client, dataset, **settings)
    if granted:
        stores.grant()
    stores.write("PUT", "Patient/a", ANN)
    [entry] = stores.logged()
    assert (entry["resourceName"], entry["destination"]) == (stores.source, stores.copies)
    assert (entry["error"]["code"], culprit in entry["error"]["message"]) == (code, True), entry


@pytest.mark.parametrize(
    ("destination", "culprit"),
    [
        ({"store": "records"}, "'records'"),
        (
            {
                "store": "projects/p/locations/l/datasets/d/fhirStores/s",
                "config": {
                    "fhir": {"fieldMetadataList": [{"paths": ["1"], "action": "TRANSFORM"}]}
                },
            },
            "'1'",
        ),
    ],
)
def test_a_destination_that_is_not_valid_is_refused(
    client: TestClient, dataset: str, destination: dict[str, Any], culprit: str
) -> None:
    body = {"version": "R4", "streamConfigs": [{"deidentifiedStoreDestination": destination}]}
    answer = client.post(f"/v1/{dataset}/fhirStores?fhirStoreId=s", json=body)
    assert (answer.status_code, culprit in answer.text) == (400, True), answer.text
