"""FHIR and consent stores in `--enforce-iam` mode: requests in bundles, and roles of consents."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from tests.support.emulator_names import LOCATION
from tests.support.fhir_resources import entry, patient

DATASET = f"{LOCATION}/datasets/d"
STORE = f"{DATASET}/fhirStores/s"
CONSENTS = f"{DATASET}/consentStores/c"
MEMBER = "user:nurse@example.com"
HEADERS = {"Authorization": f"Bearer local:{MEMBER}"}


@pytest.fixture
def enforced(open_cloud: Callable[..., Cloud]) -> Iterator[TestClient]:
    """A client of a FHIR store with a patient, and of a consent store; it acts as the owner."""
    cloud = open_cloud(enforce_iam=True, all_services_enabled=True)
    with TestClient(create_app(cloud), "http://127.0.0.1") as client:
        body: dict[str, Any] = {"version": "R4", "enableUpdateCreate": True}
        client.post(f"/v1/{LOCATION}/datasets?datasetId=d", json={}).raise_for_status()
        client.post(f"/v1/{DATASET}/fhirStores?fhirStoreId=s", json=body).raise_for_status()
        url = f"/v1/{DATASET}/consentStores?consentStoreId=c"
        client.post(url, json={}).raise_for_status()
        client.put(f"/v1/{STORE}/fhir/Patient/a", json=patient("a")).raise_for_status()
        yield client


@pytest.fixture
def grant(enforced: TestClient) -> Callable[..., None]:
    """Grants the member a role on a store."""

    def grant(role: str, store: str = STORE) -> None:
        policy = {"bindings": [{"role": role, "members": [MEMBER]}]}
        url = f"/v1/{store}:setIamPolicy"
        enforced.post(url, json={"policy": policy}).raise_for_status()

    return grant


def execute(client: TestClient, type_: str, *entries: Any) -> Any:
    body = {"resourceType": "Bundle", "type": type_, "entry": list(entries)}
    return client.post(f"/v1/{STORE}/fhir", json=body, headers=HEADERS)


READ, WRITE = entry("GET", "Patient/a"), entry("PUT", "Patient/b", patient("b"))


def test_a_reader_reads_by_a_bundle_and_writes_nothing(
    enforced: TestClient, grant: Callable[..., None]
) -> None:
    grant("roles/healthcare.fhirResourceReader")
    assert execute(enforced, "transaction", READ).status_code == 200

    answer = execute(enforced, "batch", READ, WRITE, entry("DELETE", "Patient/a"))

    statuses = [one["response"]["status"] for one in answer.json()["entry"]]
    assert statuses == ["200 OK", "403 Forbidden", "403 Forbidden"]
    [issue] = answer.json()["entry"][1]["response"]["outcome"]["issue"]
    assert issue["diagnostics"] == (
        "Permission 'healthcare.fhirResources.update' denied on resource"
        f" '//healthcare.googleapis.com/{STORE}' (or it may not exist)."
    )
    refused = execute(enforced, "transaction", READ, WRITE)
    assert (refused.status_code, refused.json()["issue"][0]["code"]) == (403, "forbidden")
    assert enforced.get(f"/v1/{STORE}/fhir/Patient/b").status_code == 404
    assert enforced.get(f"/v1/{STORE}/fhir/Patient/a").status_code == 200


def test_an_editor_writes_by_a_bundle(enforced: TestClient, grant: Callable[..., None]) -> None:
    grant("roles/healthcare.fhirResourceEditor")
    answer = execute(enforced, "transaction", WRITE, READ)
    assert answer.status_code == 200, answer.text
    assert enforced.get(f"/v1/{STORE}/fhir/Patient/b").status_code == 200


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        ("", (403, 403, 403, 403, 403)),
        ("roles/healthcare.attributeDefinitionReader", (200, 403, 403, 200, 403)),
        ("roles/healthcare.attributeDefinitionEditor", (200, 200, 403, 200, 403)),
        ("roles/healthcare.consentReader", (403, 403, 200, 200, 403)),
        ("roles/healthcare.consentStoreViewer", (403, 403, 403, 200, 403)),
        ("roles/healthcare.consentStoreAdmin", (403, 403, 403, 200, 200)),
    ],
)
def test_roles_of_consents_allow_what_they_name(
    enforced: TestClient, grant: Callable[..., None], role: str, codes: tuple[int, ...]
) -> None:
    if role:
        grant(role, CONSENTS)
    definition = {
        "category": "REQUEST",
        "allowedValues": ["research"],
        "description": "why data is used",
    }
    path = f"/v1/{CONSENTS}"
    definitions = f"{path}/attributeDefinitions"
    answers = (
        enforced.get(definitions, headers=HEADERS),
        enforced.post(
            f"{definitions}?attributeDefinitionId=purpose", json=definition, headers=HEADERS
        ),
        enforced.get(f"{path}/consents", headers=HEADERS),
        enforced.get(path, headers=HEADERS),
        enforced.patch(f"{path}?updateMask=labels", json={"labels": {"a": "b"}}, headers=HEADERS),
    )
    assert tuple(answer.status_code for answer in answers) == codes, [a.text for a in answers]
