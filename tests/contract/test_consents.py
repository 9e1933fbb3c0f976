"""Consent stores under Google's own clients: from definitions to the data that may be used."""

import base64
from collections.abc import Callable
from typing import Any

import pytest
from google.cloud.storage import Client as StorageClient

from emulator.server.server_file import ServerInfo
from tests.support.consent_store import USER, policy
from tests.support.import_export import ANONYMOUS, healthcare
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets


def test_a_user_consents_and_revokes(
    emulator: ServerInfo, project: str, grant: Callable[..., None]
) -> None:
    grant("roles/storage.objectAdmin")
    datasets = healthcare(emulator).projects().locations().datasets()
    stores = datasets.consentStores()
    parent = f"projects/{project}/locations/us-central1"
    datasets.create(parent=parent, datasetId="d", body={}).execute()
    request = stores.create(
        parent=f"{parent}/datasets/d", consentStoreId="c", body={"defaultConsentTtl": "86400s"}
    )
    store = request.execute()["name"]
    for name, category, values in (
        ("kind", "RESOURCE", ["image", "report"]),
        ("purpose", "REQUEST", ["care", "research"]),
    ):
        body = {"category": category, "allowedValues": values}
        stores.attributeDefinitions().create(
            parent=store, attributeDefinitionId=name, body=body
        ).execute()
    bucket = StorageClient(
        project,
        ANONYMOUS(),
        client_options={"api_endpoint": emulator.environment()["STORAGE_EMULATOR_HOST"]},
    ).create_bucket(f"{project}-consents")
    bucket.blob("signature.png").upload_from_string(b"signed")
    signature = {"userId": USER, "image": {"gcsUri": f"gs://{bucket.name}/signature.png"}}
    artifact = (
        stores.consentArtifacts()
        .create(parent=store, body={"userId": USER, "userSignature": signature})
        .execute()["name"]
    )
    kept = stores.consentArtifacts().get(name=artifact).execute()["userSignature"]["image"]
    assert kept == {"rawBytes": base64.b64encode(b"signed").decode()}
    draft = {"userId": USER, "state": "DRAFT", "policies": [policy("purpose == 'care'", "image")]}
    consent = stores.consents().create(parent=store, body=draft).execute()["name"]
    for data_id, data_type in (("scan", "image"), ("letter", "report")):
        data_types = [{"attributeDefinitionId": "kind", "values": [data_type]}]
        mapping = {"userId": USER, "dataId": data_id, "resourceAttributes": data_types}
        stores.userDataMappings().create(parent=store, body=mapping).execute()
    use = {"requestAttributes": {"purpose": "care"}}

    def query() -> str:
        given = {"gcsDestination": {"uriPrefix": f"gs://{bucket.name}/out"}, **use}
        name = stores.queryAccessibleData(consentStore=store, body=given).execute()["name"]

        def look() -> dict[str, Any]:
            operation: dict[str, Any] = datasets.operations().get(name=name).execute()
            return operation if operation.get("done") else {}

        done = wait_until(look, f"{name} does not end")
        assert done["metadata"]["counter"]["success"] == "2"
        [uri] = done["response"]["gcsUris"]
        number = name.rpartition("/")[2]
        path = f"out/query-accessible-data-result-{number}.txt"
        assert uri == f"gs://{bucket.name}/{path}"
        return str(bucket.blob(path).download_as_text())

    assert query() == ""
    stores.consents().activate(name=consent, body={"consentArtifact": artifact}).execute()
    assert query() == "scan\n"
    asked = {"userId": USER, "responseView": "FULL", **use}
    results = stores.evaluateUserConsents(consentStore=store, body=asked).execute()["results"]
    found = {one["dataId"]: one["consentDetails"][consent]["evaluationResult"] for one in results}
    assert found == {"scan": "HAS_SATISFIED_POLICY", "letter": "NO_MATCHING_POLICY"}
    stores.consents().revoke(name=consent, body={}).execute()
    checked = stores.checkDataAccess(consentStore=store, body={"dataId": "scan", **use}).execute()
    assert checked == {}
    assert query() == ""
