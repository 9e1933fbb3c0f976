"""Keys of Cloud KMS: creation, updates by field masks."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud

RING = "/v1/projects/local-project/locations/us-central1/keyRings/ring"


@pytest.fixture
def ring(cloud: Cloud, client: TestClient) -> str:
    cloud.service_usage.services.enable("local-project", ["cloudkms.googleapis.com"])
    collection, _, ring_id = RING.rpartition("/")
    client.post(f"{collection}?keyRingId={ring_id}", json={}).raise_for_status()
    return RING


def create(client: TestClient, ring: str, **body: Any) -> Any:
    key = {"purpose": "ENCRYPT_DECRYPT", **body}
    return client.post(f"{ring}/cryptoKeys?cryptoKeyId=key", json=key)


def test_a_patch_of_one_label_leaves_the_others(client: TestClient, ring: str) -> None:
    create(client, ring, labels={"a": "1", "b": "2"}).raise_for_status()
    changed = client.patch(
        f"{ring}/cryptoKeys/key?updateMask=labels.a", json={"labels": {"a": "3"}}
    )
    assert changed.json()["labels"] == {"a": "3", "b": "2"}
    assert changed.json()["primary"]["state"] == "ENABLED"


def test_a_patch_of_one_part_of_a_template_leaves_the_others(client: TestClient, ring: str) -> None:
    before = create(client, ring).json()["versionTemplate"]
    url = f"{ring}/cryptoKeys/key?updateMask=version_template.protection_level"
    changed = client.patch(url, json={"versionTemplate": {"protectionLevel": "HSM"}}).json()
    assert changed["versionTemplate"] == {**before, "protectionLevel": "HSM"}


@pytest.mark.parametrize(
    ("mask", "message"),
    [("", "must be set"), ("purpose", "purpose can't be changed"), ("labels.a.b", "not a field")],
)
def test_other_masks_are_refused(client: TestClient, ring: str, mask: str, message: str) -> None:
    create(client, ring).raise_for_status()
    answer = client.patch(f"{ring}/cryptoKeys/key?updateMask={mask}", json={})
    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


def test_a_key_with_a_wrong_duration_is_refused(client: TestClient, ring: str) -> None:
    answer = create(client, ring, destroyScheduledDuration="1 day")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "'1 day' is not a valid duration"
