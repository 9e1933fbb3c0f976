"""Inference in the local Cloud Run, where roles decide every call: arrivals, dead letters."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from emulator.seed import dicom_file, records
from emulator.server import lifecycle
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.run_programs import container
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

PROJECT = "contract-inference"
PARENT = f"projects/{PROJECT}/locations/europe-west4"
DATASET = f"{PARENT}/datasets/d"
DICOM, FHIR = f"{DATASET}/dicomStores/images", f"{DATASET}/fhirStores/records"
TOPIC, DEAD = (f"projects/{PROJECT}/topics/{one}" for one in ("instances", "unmeasured"))
SUBSCRIPTION, LETTERS = (f"projects/{PROJECT}/subscriptions/{one}" for one in ("push", "letters"))


class Platform:
    """Calls of the owner."""

    def __init__(self, running: ServerInfo) -> None:
        self.url = running.url

    def post(self, path: str, body: Any = None) -> Any:
        return http.post(f"{self.url}/{path}", json=body or {}).raise_for_status().json()

    def put(self, path: str, body: Any = None) -> None:
        http.put(f"{self.url}/{path}", json=body or {}).raise_for_status()

    def account(self, id_: str) -> str:
        return str(self.post(f"v1/projects/{PROJECT}/serviceAccounts", {"accountId": id_})["email"])

    def grant(self, resource: str, role: str, email: str) -> None:
        bindings = [{"role": role, "members": [f"serviceAccount:{email}"]}]
        self.post(f"{resource}:setIamPolicy", {"policy": {"bindings": bindings}})

    def modalities(self) -> list[str]:
        found = http.get(f"{self.url}/v1/{DICOM}/dicomWeb/instances?includefield=Modality")
        found = found.json() if found.content else []
        return sorted(one["00080060"]["Value"][0] for one in found)

    def observations(self) -> list[Any]:
        found = http.get(f"{self.url}/v1/{FHIR}/fhir/Observation").json()
        return [one["resource"] for one in found.get("entry", [])]

    def letters(self) -> list[Any]:
        found = self.post(f"v1/{LETTERS}:pull", {"maxMessages": 5}).get("receivedMessages", [])
        return [one["message"] for one in found]


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    state = tmp_path_factory.mktemp("inference") / "emulator"
    found = lifecycle.start(state, enforce_iam=True)
    platform = Platform(found)
    names = [f"{name}.googleapis.com" for name in ("healthcare", "iam", "pubsub", "run")]
    services = f"projects/{PROJECT}/services"
    platform.post(f"v1/{services}:batchEnable", {"serviceIds": names})
    identity = f"v1beta1/{services}/healthcare.googleapis.com:generateServiceIdentity"
    platform.post(identity)
    _prepare(platform)
    yield platform
    lifecycle.stop(state)


def _prepare(platform: Platform) -> None:
    """Make stores, topics, the service with its account, and the push subscription."""
    number = http.get(f"{platform.url}/v1/projects/{PROJECT}").json()["projectNumber"]
    for topic in (TOPIC, DEAD):
        platform.put(f"v1/{topic}")
    agent = f"service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    platform.grant(f"v1/{TOPIC}", "roles/pubsub.publisher", agent)
    platform.put(f"v1/{LETTERS}", {"topic": DEAD})
    platform.post(f"v1/{PARENT}/datasets?datasetId=d")
    notified = {"notificationConfig": {"pubsubTopic": TOPIC}}
    platform.post(f"v1/{DATASET}/dicomStores?dicomStoreId=images", notified)
    platform.post(f"v1/{DATASET}/fhirStores?fhirStoreId=records", {"version": "R4"})
    account, caller = platform.account("inference"), platform.account("pusher")
    platform.grant(f"v1/{DICOM}", "roles/healthcare.dicomEditor", account)
    platform.grant(f"v1/{FHIR}", "roles/healthcare.fhirResourceEditor", account)
    platform.grant(f"v1/{DEAD}", "roles/pubsub.publisher", account)
    settings = {
        "INFERENCE_DICOM_STORE": DICOM,
        "INFERENCE_FHIR_STORE": FHIR,
        "INFERENCE_DEAD_LETTER_TOPIC": DEAD,
        "INFERENCE_PRESENTATION_STATE": "true",
    }
    environment = [{"name": name, "value": value} for name, value in settings.items()]
    template = {
        "containers": [{**container("inference"), "env": environment}],
        "serviceAccount": account,
    }
    begun = platform.post(f"v2/{PARENT}/services?serviceId=inference", {"template": template})
    done = platform.post(f"v2/{begun['name']}:wait", {"timeout": "60s"})
    service = done["response"]
    platform.grant(f"v2/{service['name']}", "roles/run.invoker", caller)
    push = {"pushEndpoint": service["uri"], "oidcToken": {"serviceAccountEmail": caller}}
    platform.put(f"v1/{SUBSCRIPTION}", {"topic": TOPIC, "pushConfig": push})


def test_an_arrival_is_measured_into_both_stores(platform: Platform) -> None:
    head = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}
    content = dicom_file.build(records.load()[0])
    stow = f"{platform.url}/v1/{DICOM}/dicomWeb/studies"
    http.post(stow, content=content, headers=head).raise_for_status()
    wait_until(lambda: platform.observations(), "no observation")
    assert platform.modalities() == ["DX", "PR", "SR"]
    [observation] = platform.observations()
    assert observation["code"]["text"] == "Cardiothoracic ratio"
    assert 0.4 < observation["valueQuantity"]["value"] < 0.7
    again = f"{DICOM}/dicomWeb/studies/1.2/series/1.3/instances/1.4"
    for name in (again, "no instance"):
        message = {"data": base64.b64encode(name.encode()).decode()}
        platform.post(f"v1/{TOPIC}:publish", {"messages": [message]})
    [letter] = wait_until(platform.letters, "no dead letter")
    assert base64.b64decode(letter["data"]) == b"no instance"
    reason = "The message does not name an instance of a DICOM store."
    assert letter["attributes"]["reason"] == reason
    assert platform.modalities() == ["DX", "PR", "SR"]
    assert len(platform.observations()) == 1
