"""Service accounts, their keys, and the tokens of callers that act as one."""

import base64
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from google.auth import jwt
from google.auth.crypt import RSASigner
from starlette.testclient import TestClient

ACCOUNTS = "/v1/projects/local-project/serviceAccounts"
EMAIL = "importer@local-project.iam.gserviceaccount.com"
ANY = "/v1/projects/-/serviceAccounts"
SCOPE = {"scope": ["https://www.googleapis.com/auth/cloud-platform"]}


@pytest.fixture
def account(client: TestClient) -> dict[str, Any]:
    body = {"accountId": "importer", "serviceAccount": {"displayName": "Importer"}}
    answer = client.post(ACCOUNTS, json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_an_account_is_made_found_changed_and_deleted(
    client: TestClient, account: dict[str, Any]
) -> None:
    assert account["email"] == EMAIL
    assert account["name"] == f"projects/local-project/serviceAccounts/{EMAIL}"
    assert client.get(f"{ANY}/{EMAIL}").json() == account
    assert client.get(f"{ANY}/{account['uniqueId']}").json() == account
    assert client.get(ACCOUNTS).json() == {"accounts": [account]}
    change = {"serviceAccount": {"description": "brings files in"}, "updateMask": "description"}
    changed = client.patch(f"{ACCOUNTS}/{EMAIL}", json=change).json()
    assert changed == {**account, "description": "brings files in"}
    assert client.post(ACCOUNTS, json={"accountId": "importer"}).status_code == 409
    assert client.post(ACCOUNTS, json={"accountId": "x"}).status_code == 400
    assert client.delete(f"{ACCOUNTS}/{EMAIL}").json() == {}
    assert client.get(f"{ACCOUNTS}/{EMAIL}").status_code == 404


def test_a_token_names_the_account(client: TestClient, account: dict[str, Any]) -> None:
    url = f"{ANY}/{EMAIL}:generateAccessToken"
    token = client.post(url, json={**SCOPE, "lifetime": "600s"}).json()
    assert token["accessToken"] == f"local:serviceAccount:{EMAIL}"
    assert token["expireTime"].endswith("Z")
    assert client.post(url, json={}).status_code == 400
    assert client.post(url, json={**SCOPE, "lifetime": "90000s"}).status_code == 400
    assert client.post(f"{ANY}/none@x:generateAccessToken", json=SCOPE).status_code == 404
    client.post(f"{ACCOUNTS}/{EMAIL}:disable").raise_for_status()
    assert client.post(url, json=SCOPE).status_code == 400
    client.post(f"{ACCOUNTS}/{EMAIL}:enable").raise_for_status()
    assert client.post(url, json=SCOPE).status_code == 200


def signed(key: dict[str, Any]) -> dict[str, str]:
    """The form by which google-auth exchanges a key for a token."""
    signer = RSASigner.from_service_account_info(key)  # type: ignore[no-untyped-call]
    claims = {"iss": key["client_email"], "aud": key["token_uri"], "iat": 0, "exp": 2**31}
    assertion = jwt.encode(signer, claims)  # type: ignore[no-untyped-call]
    return {
        "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer",
        "assertion": assertion.decode(),
    }


def test_a_key_gets_the_accounts_token_until_it_is_deleted(
    client: TestClient, account: dict[str, Any]
) -> None:
    created = client.post(f"{ACCOUNTS}/{EMAIL}/keys", json={}).json()
    key = json.loads(base64.b64decode(created["privateKeyData"]))
    assert (key["type"], key["client_email"]) == ("service_account", EMAIL)
    assert urlsplit(key["token_uri"]).path == "/token"
    token = client.post("/token", data=signed(key)).json()
    assert token["access_token"] == f"local:serviceAccount:{EMAIL}"

    [listed] = client.get(f"{ACCOUNTS}/{EMAIL}/keys").json()["keys"]
    assert "privateKeyData" not in listed
    name = listed["name"].rpartition("/")[2]
    url = f"{ACCOUNTS}/{EMAIL}/keys/{name}"
    assert "publicKeyData" not in client.get(url).json()
    assert client.get(f"{url}?publicKeyType=TYPE_X509_PEM_FILE").json()["publicKeyData"]
    client.delete(url).raise_for_status()
    refused = client.post("/token", data=signed(key))
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_others_get_the_owners_token(client: TestClient) -> None:
    assert client.post("/token").json()["access_token"] == "local"
    assert client.post("/token", data={"assertion": "a.b.c"}).json()["access_token"] == "local"


def test_who_may_act_as_the_account_stands_in_its_policy(
    client: TestClient, account: dict[str, Any]
) -> None:
    role = "roles/iam.serviceAccountTokenCreator"
    binding = {"role": role, "members": ["user:anna@example.com"]}
    url = f"{ACCOUNTS}/{EMAIL}"
    answer = client.post(f"{url}:setIamPolicy", json={"policy": {"bindings": [binding]}})
    assert answer.status_code == 200, answer.text
    assert client.post(f"{ANY}/{EMAIL}:getIamPolicy").json()["bindings"] == [binding]
