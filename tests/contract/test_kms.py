"""Cloud KMS under Google's client, and datasets encrypted with its keys."""

import base64
import json
from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http

pytestmark = pytest.mark.sockets
ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"
LOCATION = "us-central1"


@pytest.fixture
def parent(emulator: ServerInfo, project: str) -> str:
    api = f"{emulator.url}/v1/projects/{project}/services/cloudkms.googleapis.com:enable"
    http.post(api, json={}).raise_for_status()
    return f"projects/{project}/locations/{LOCATION}"


@pytest.fixture
def rings(emulator: ServerInfo) -> Any:
    options = {"api_endpoint": emulator.url}
    service = build("cloudkms", "v1", client_options=options, static_discovery=True)
    return service.projects().locations().keyRings()


@pytest.fixture
def datasets(emulator: ServerInfo) -> Any:
    options = {"api_endpoint": emulator.url}
    service = build("healthcare", "v1", client_options=options, static_discovery=True)
    return service.projects().locations().datasets()


@pytest.fixture
def key(rings: Any, parent: str) -> str:
    ring = rings.create(parent=parent, keyRingId="imaging", body={}).execute()
    body = {"purpose": "ENCRYPT_DECRYPT", "labels": {"team": "imaging"}}
    keys = rings.cryptoKeys()
    created = keys.create(parent=ring["name"], cryptoKeyId="data", body=body).execute()
    return str(created["name"])


@pytest.fixture
def use(rings: Any, key: str, service_agent: str) -> Callable[[bool], None]:
    """A function that grants the agent the use of the key, or revokes it."""

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


def base64_of(content: bytes) -> str:
    return base64.b64encode(content).decode()


def checksum(content: bytes) -> str:
    return str(google_crc32c.value(content))


def encrypt(keys: Any, name: str, content: bytes, **further: str) -> dict[str, Any]:
    body = {"plaintext": base64_of(content), **further}
    answer: dict[str, Any] = keys.encrypt(name=name, body=body).execute()
    return answer


def refusal(request: Any) -> tuple[int, str]:
    with pytest.raises(HttpError) as refused:
        request.execute()
    error = json.loads(refused.value.content)["error"]
    return error["code"], f"{error['status']}: {error['message']}"


def test_what_is_encrypted_comes_back_with_its_checksums(rings: Any, key: str) -> None:
    keys, secret, context = rings.cryptoKeys(), b"a data key \x00\xff", b"of the clinic"
    created = encrypt(
        keys,
        key,
        secret,
        plaintextCrc32c=checksum(secret),
        additionalAuthenticatedData=base64_of(context),
        additionalAuthenticatedDataCrc32c=checksum(context),
    )
    sealed = base64.b64decode(created["ciphertext"])
    assert secret not in sealed
    assert created["ciphertextCrc32c"] == checksum(sealed)
    assert created["name"] == f"{key}/cryptoKeyVersions/1"
    assert created["verifiedPlaintextCrc32c"] is True
    assert created["verifiedAdditionalAuthenticatedDataCrc32c"] is True
    # Equal contents have different ciphertexts, so that they can't be compared.
    assert encrypt(keys, key, secret)["ciphertext"] != encrypt(keys, key, secret)["ciphertext"]
    body = {"ciphertext": created["ciphertext"], "additionalAuthenticatedData": base64_of(context)}
    assert keys.decrypt(name=key, body=body).execute() == {
        "plaintext": base64_of(secret),
        "plaintextCrc32c": checksum(secret),
        "usedPrimary": True,
        "protectionLevel": "SOFTWARE",
    }


def test_an_older_version_still_decrypts_until_it_is_destroyed(rings: Any, key: str) -> None:
    keys = rings.cryptoKeys()
    body = {"ciphertext": encrypt(keys, key, b"old")["ciphertext"]}
    keys.cryptoKeyVersions().create(parent=key, body={}).execute()
    assert encrypt(keys, key, b"new")["name"] == f"{key}/cryptoKeyVersions/2"
    first = f"{key}/cryptoKeyVersions/1"
    assert encrypt(keys, first, b"by the first")["name"] == first
    found = keys.decrypt(name=key, body=body).execute()
    assert (found["plaintext"], found.get("usedPrimary")) == (base64_of(b"old"), None)
    keys.cryptoKeyVersions().destroy(name=first, body={}).execute()
    code, text = refusal(keys.decrypt(name=key, body=body))
    assert code == 400
    assert text == (
        f"FAILED_PRECONDITION: {first} is not enabled, current state is: DESTROY_SCHEDULED."
    )


def test_what_can_not_be_decrypted(rings: Any, key: str, parent: str) -> None:
    keys = rings.cryptoKeys()
    ring = key.rpartition("/cryptoKeys/")[0]
    for name, purpose in (("other", "ENCRYPT_DECRYPT"), ("signing", "ASYMMETRIC_SIGN")):
        keys.create(parent=ring, cryptoKeyId=name, body={"purpose": purpose}).execute()
    created = encrypt(keys, key, b"secret", additionalAuthenticatedData=base64_of(b"context"))
    sealed = created["ciphertext"]
    content = base64.b64decode(sealed)
    changed = base64_of(content[:-1] + bytes([content[-1] ^ 1]))
    wrong = "INVALID_ARGUMENT: Decryption failed: verify that 'name' refers to the correct"
    with_context = {"additionalAuthenticatedData": base64_of(b"context")}
    for name, body, complaint in (
        (key, {"ciphertext": sealed}, wrong),
        (key, {"ciphertext": changed, **with_context}, wrong),
        (f"{ring}/cryptoKeys/other", {"ciphertext": sealed, **with_context}, wrong),
        (key, {"ciphertext": "AAAA"}, "INVALID_ARGUMENT: Decryption failed: the ciphertext is"),
        (key, {"ciphertext": "§"}, "INVALID_ARGUMENT: Invalid value at 'ciphertext' (TYPE_BYTES)"),
        (
            key,
            {"ciphertext": sealed, "ciphertextCrc32c": "1"},
            "INVALID_ARGUMENT: The checksum in field ciphertext_crc32c did not match",
        ),
        (f"{ring}/cryptoKeys/signing", {"ciphertext": sealed}, "FAILED_PRECONDITION: "),
    ):
        code, text = refusal(keys.decrypt(name=name, body=body))
        assert (code, text[: len(complaint)]) == (400, complaint)
    assert refusal(keys.decrypt(name=f"{key}x", body={"ciphertext": sealed}))[0] == 404
    too_long = {"plaintext": base64_of(bytes(64 * 1024 + 1))}
    assert "at most 65536" in refusal(keys.encrypt(name=key, body=too_long))[1]
