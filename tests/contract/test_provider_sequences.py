"""The requests of the real Google provider of Pulumi, in its order, and what it needs of them.

The plugin itself is not to be had offline; these are the sequences of what it is built on,
https://github.com/hashicorp/terraform-provider-google-beta.
"""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from emulator.server.server_file import ServerInfo
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.sockets

LOCATION = "us-central1"


class Provider:
    """A client that behaves as the provider's does: an empty body of a success is an error."""

    def __init__(self, running: ServerInfo) -> None:
        self._environment = running.environment()
        self._client = httpx.Client(
            headers={"Authorization": "Bearer local", "User-Agent": "Terraform/1.0"},
            timeout=PATIENCE_SECONDS,
        )

    def base(self, service: str) -> str:
        """A base address as the provider's configuration gives it: version and slash at the end."""
        return self._environment[f"GOOGLE_{service}_CUSTOM_ENDPOINT"]

    def send(self, method: str, url: str, body: object = None) -> dict[str, Any]:
        """One request; its answer has to be a success with a JSON object."""
        answer = self.attempt(method, url, body)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = json.loads(answer.content)
        return content

    def attempt(self, method: str, url: str, body: object = None) -> httpx.Response:
        """One request, whatever its answer."""
        separator = "&" if "?" in url else "?"
        return self._client.request(method, f"{url}{separator}alt=json", json=body)


@pytest.fixture
def provider(emulator: ServerInfo) -> Provider:
    return Provider(emulator)


def enabled(provider: Provider, url: str) -> Iterator[str]:
    token = ""
    while True:
        query = "filter=state%3AENABLED&fields=services%2Fname%2CnextPageToken&pageSize=200"
        page = provider.send("GET", f"{url}/services?{query}&pageToken={token}")
        assert set(page) <= {"services", "nextPageToken"}
        for service in page["services"]:
            assert set(service) == {"name"}
            yield service["name"].rpartition("/")[2]
        token = page.get("nextPageToken", "")
        if not token:
            return


def test_a_service_is_enabled_and_left_enabled(provider: Provider) -> None:
    project = f"{provider.base('RESOURCE_MANAGER')}projects/provider-services"
    read = provider.send("GET", project)
    assert read["lifecycleState"] == "ACTIVE"
    assert read["projectNumber"].isdigit()
    services = f"{provider.base('SERVICE_USAGE')}projects/provider-services"
    assert "healthcare.googleapis.com" not in set(enabled(provider, services))

    one = provider.send("POST", f"{services}/services/healthcare.googleapis.com:enable", {})
    assert one["done"] is True
    wanted = ["bigquery.googleapis.com", "iam.googleapis.com"]
    several = provider.send("POST", f"{services}/services:batchEnable", {"serviceIds": wanted})
    polled = provider.send("GET", f"{provider.base('SERVICE_USAGE')}{several['name']}")
    assert polled["done"] is True

    assert {"healthcare.googleapis.com", *wanted} <= set(enabled(provider, services))


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_a_service_identity_is_made(provider: Provider, project: str, version: str) -> None:
    base = provider.base("SERVICE_USAGE").replace("/v1/", f"/{version}/")
    url = f"{base}projects/{project}/services/healthcare.googleapis.com:generateServiceIdentity"

    operation = provider.send("POST", url)

    finished = provider.send("GET", f"{base}{operation['name']}")
    email = finished["response"]["email"]
    assert email.startswith("service-")
    assert email.endswith("@gcp-sa-healthcare.iam.gserviceaccount.com")


def test_a_dataset_is_created_changed_and_deleted(provider: Provider, project: str) -> None:
    datasets = f"{provider.base('HEALTHCARE')}projects/{project}/locations/{LOCATION}/datasets"
    provider.send("POST", f"{datasets}?datasetId=dataset1", {"name": "dataset1"})

    created = provider.send("GET", f"{datasets}/dataset1")
    assert created["name"] == f"projects/{project}/locations/{LOCATION}/datasets/dataset1"
    assert created["timeZone"] == "UTC"
    body = {"timeZone": "Europe/Berlin"}
    patched = provider.send("PATCH", f"{datasets}/dataset1?updateMask=timeZone", body)
    assert patched["timeZone"] == "Europe/Berlin"
    assert provider.send("DELETE", f"{datasets}/dataset1") == {}
    assert provider.attempt("GET", f"{datasets}/dataset1").status_code == 404


@pytest.mark.parametrize(
    ("collection", "parameter", "extra"),
    [
        ("dicomStores", "dicomStoreId", {}),
        ("fhirStores", "fhirStoreId", {"version": "R4", "enableUpdateCreate": False}),
        ("hl7V2Stores", "hl7V2StoreId", {"parserConfig": {"version": "V1"}}),
    ],
)
def test_a_store_is_created_changed_and_deleted(
    provider: Provider, project: str, collection: str, parameter: str, extra: dict[str, Any]
) -> None:
    base = provider.base("HEALTHCARE")
    parent = f"projects/{project}/locations/{LOCATION}"
    provider.send("POST", f"{base}{parent}/datasets?datasetId=dataset1", {"name": "dataset1"})
    stores = f"{base}{parent}/datasets/dataset1/{collection}"
    labels = {"goog-pulumi-provisioned": "true"}
    body = {"name": "store1", "labels": labels, **extra}

    answer = provider.send("POST", f"{stores}?{parameter}=store1", body)

    full = f"{parent}/datasets/dataset1/{collection}/store1"
    assert answer["name"] == full
    read = provider.send("GET", f"{stores}/store1")
    assert read["name"] == full
    assert read["labels"] == labels
    mask = "notificationConfigs,streamConfigs,labels"
    if collection == "hl7V2Stores":
        mask = "notificationConfigs,labels"
    changed = {"labels": {**labels, "site": "a"}}
    patched = provider.send("PATCH", f"{stores}/store1?updateMask={mask}", changed)
    assert patched["labels"] == changed["labels"]
    assert provider.send("DELETE", f"{stores}/store1") == {}
    assert provider.attempt("GET", f"{stores}/store1").status_code == 404


def test_a_project_role_is_added_beside_others(
    provider: Provider, project: str, service_agent: str
) -> None:
    url = f"{provider.base('RESOURCE_MANAGER')}projects/{project}"
    options = {"options": {"requestedPolicyVersion": 3}}
    policy = provider.send("POST", f"{url}:getIamPolicy", options)
    before = policy["bindings"]
    policy["bindings"] = [*before, {"role": "roles/bigquery.admin", "members": [service_agent]}]

    written = provider.send(
        "POST",
        f"{url}:setIamPolicy",
        {"policy": policy, "updateMask": "bindings,etag,auditConfigs"},
    )

    # The provider reads until it has seen the same policy three times.
    for _ in range(3):
        read = provider.send("POST", f"{url}:getIamPolicy", options)
        assert read["etag"] == written["etag"]
        assert read["bindings"] == policy["bindings"]
    stale = provider.attempt(
        "POST", f"{url}:setIamPolicy", {"policy": {**policy, "bindings": before}}
    )
    assert stale.status_code == 409


def test_a_bigquery_dataset_lives_and_dies(provider: Provider, project: str) -> None:
    datasets = f"{provider.base('BIG_QUERY')}projects/{project}/datasets"
    body = {
        "datasetReference": {"datasetId": "dataset1", "projectId": project},
        "description": "DICOM",
        "labels": {"goog-pulumi-provisioned": "true"},
        "location": LOCATION,
    }
    provider.send("POST", f"{datasets}?accessPolicyVersion=3", body)

    read = provider.send("GET", f"{datasets}/dataset1?accessPolicyVersion=3")
    assert read["location"] == LOCATION
    assert read["description"] == "DICOM"
    assert read["labels"] == {"goog-pulumi-provisioned": "true"}
    changed = {**body, "description": "DICOM metadata"}
    provider.send("PUT", f"{datasets}/dataset1?accessPolicyVersion=3", changed)
    assert provider.send("GET", f"{datasets}/dataset1")["description"] == "DICOM metadata"
    gone = provider.attempt("DELETE", f"{datasets}/dataset1?deleteContents=true")
    assert gone.status_code in (200, 204)
    assert provider.attempt("GET", f"{datasets}/dataset1").status_code == 404


def test_a_topic_is_created_changed_and_deleted(provider: Provider, project: str) -> None:
    url = f"{provider.base('PUBSUB')}projects/{project}/topics/images"
    provider.send("PUT", url, {"labels": {"goog-pulumi-provisioned": "true"}})

    assert provider.send("GET", url)["labels"] == {"goog-pulumi-provisioned": "true"}
    patch = {"topic": {"labels": {"site": "a"}}, "updateMask": "labels"}
    assert provider.send("PATCH", f"{url}?updateMask=labels", patch)["labels"] == {"site": "a"}
    assert provider.send("DELETE", url) == {}
    assert provider.attempt("GET", url).status_code == 404
