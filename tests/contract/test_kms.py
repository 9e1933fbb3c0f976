"""Cloud KMS under Google's client, and datasets encrypted with its keys."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.layout import Running

pytestmark = pytest.mark.sockets
ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
LOCATION = "us-central1"


@pytest.fixture
def parent(emulator: Running, project: str) -> str:
    api = f"{emulator.url}/v1/projects/{project}/services/cloudkms.googleapis.com:enable"
    httpx.post(api, json={}).raise_for_status()
    return f"projects/{project}/locations/{LOCATION}"


@pytest.fixture
def rings(emulator: Running) -> Any:
    options = {"api_endpoint": emulator.url}
    service = build("cloudkms", "v1", client_options=options, static_discovery=True)
    return service.projects().locations().keyRings()


@pytest.fixture
def datasets(emulator: Running) -> Any:
    options = {"api_endpoint": emulator.url}
    service = build("healthcare", "v1", client_options=options, static_discovery=True)
    return service.projects().locations().datasets()


@pytest.fixture
def key(rings: Any, parent: str) -> str:
    ring = rings.create(parent=parent, keyRingId="imaging", body={}).execute()
    body = {"purpose": "ENCRYPT_DECRYPT", "labels": {"team": "imaging"}}
    keys = rings.cryptoKeys()
    made = keys.create(parent=ring["name"], cryptoKeyId="data", body=body).execute()
    return str(made["name"])


@pytest.fixture
def use(rings: Any, key: str, service_agent: str) -> Callable[[bool], None]:
    """Gives the agent the right to use the key, or takes it."""

    def change(allowed: bool) -> None:
        bindings = [{"role": ROLE, "members": [service_agent]}] if allowed else []
        body = {"policy": {"bindings": bindings}}
        rings.cryptoKeys().setIamPolicy(resource=key, body=body).execute()

    return change


def encrypted(datasets: Any, parent: str, key: str, dataset: str = "secret") -> Any:
    body = {"encryptionSpec": {"kmsKeyName": key}}
    return datasets.create(parent=parent, datasetId=dataset, body=body)


def test_a_key_has_a_version_that_encrypts(rings: Any, key: str, parent: str) -> None:
    found = rings.cryptoKeys().get(name=key).execute()
    assert found["primary"]["name"] == f"{key}/cryptoKeyVersions/1"
    assert (found["primary"]["state"], found["labels"]) == ("ENABLED", {"team": "imaging"})
    listed = rings.list(parent=parent).execute()["keyRings"]
    assert [ring["name"] for ring in listed] == [f"{parent}/keyRings/imaging"]
    with pytest.raises(HttpError, match="already exists"):
        rings.create(parent=parent, keyRingId="imaging", body={}).execute()


def test_a_dataset_needs_the_agents_right_to_the_key(
    datasets: Any, parent: str, key: str, use: Callable[[bool], None]
) -> None:
    with pytest.raises(HttpError, match=r"gcp-sa-healthcare.* does not have cloudkms") as refused:
        encrypted(datasets, parent, key).execute()
    assert refused.value.status_code == 403
    assert datasets.list(parent=parent).execute() == {}
    use(True)
    encrypted(datasets, parent, key).execute()
    found = datasets.get(name=f"{parent}/datasets/secret").execute()
    assert found["encryptionSpec"] == {"kmsKeyName": key}


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda key: key.replace("us-central1", "europe-west4"), "they must be in one location"),
        (lambda key: f"{key}x", "does not exist"),
        (lambda key: f"{key}/cryptoKeyVersions/1", "invalid KMS key name"),
    ],
)
def test_a_key_that_can_not_be_used(
    datasets: Any, parent: str, key: str, change: Callable[[str], str], complaint: str
) -> None:
    with pytest.raises(HttpError, match=complaint) as refused:
        encrypted(datasets, parent, change(key)).execute()
    assert refused.value.status_code == 400


def test_without_its_key_the_data_is_out_of_reach(
    datasets: Any, rings: Any, parent: str, key: str, use: Callable[[bool], None]
) -> None:
    use(True)
    encrypted(datasets, parent, key).execute()
    stores = datasets.dicomStores()
    store = stores.create(parent=f"{parent}/datasets/secret", dicomStoreId="ct", body={}).execute()[
        "name"
    ]
    search = stores.searchForStudies(parent=store, dicomWebPath="studies")
    search.execute()
    use(False)
    with pytest.raises(HttpError, match="Please grant the Cloud Healthcare Service Agent"):
        search.execute()
    use(True)
    versions = rings.cryptoKeys().cryptoKeyVersions()
    versions.destroy(name=f"{key}/cryptoKeyVersions/1", body={}).execute()
    with pytest.raises(HttpError, match="its primary version is disabled or destroyed"):
        search.execute()
