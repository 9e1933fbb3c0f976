"""The account that BigQuery encrypts with: created when it is first asked for."""

from starlette.testclient import TestClient

from emulator.cloud import Cloud

PROJECT = "projects/local-project"
KEY = f"{PROJECT}/locations/us/keyRings/r/cryptoKeys/k"
ROLE = "roles/cloudkms.cryptoKeyEncrypterDecrypter"


def test_the_account_can_have_a_key_once_it_was_asked_for(client: TestClient, cloud: Cloud) -> None:
    cloud.service_usage.services.enable("local-project", ["cloudkms.googleapis.com"])
    client.post(f"/v1/{PROJECT}/locations/us/keyRings?keyRingId=r").raise_for_status()
    client.post(
        f"/v1/{PROJECT}/locations/us/keyRings/r/cryptoKeys?cryptoKeyId=k",
        json={"purpose": "ENCRYPT_DECRYPT"},
    ).raise_for_status()
    number = cloud.projects.number_of("local-project")
    email = f"bq-{number}@bigquery-encryption.iam.gserviceaccount.com"
    grant = {"policy": {"bindings": [{"role": ROLE, "members": [f"serviceAccount:{email}"]}]}}

    refused = client.post(f"/v1/{KEY}:setIamPolicy", json=grant)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"] == f"Service account {email} does not exist."

    for root in ("/bigquery/v2", ""):
        assert client.get(f"{root}/{PROJECT}/serviceAccount").json() == {
            "kind": "bigquery#getServiceAccountResponse",
            "email": email,
        }
    granted = client.post(f"/v1/{KEY}:setIamPolicy", json=grant).json()
    assert granted["bindings"] == grant["policy"]["bindings"]
