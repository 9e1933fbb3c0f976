"""The lab with the least that it needs: each grant is needed by one step, and by that step only."""

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pydicom
import pytest
from dicomweb_client import DICOMwebClient
from google.cloud.storage import Client
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid

from tests.support.advice import advised
from tests.support.labs import Lab, Stack
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

STACK = "local-least"
INCOMING, OUTGOING = "least-incoming", "least-outgoing"
PUBLIC = "gcs-public-data--healthcare-nih-chest-xray"
IMAGES = 5
STORE = f"projects/{STACK}/locations/us-central1/datasets/dataset1/dicomStores/ct"
SECRET = STORE.replace("dataset1", "secret")
SUBSCRIPTION = f"projects/{STACK}/subscriptions/watch"
STEPS = (
    "import",
    "export to BigQuery",
    "export to Cloud Storage",
    "notification",
    "encrypted data",
)


@dataclass(frozen=True)
class LeastPrivilegeStack:
    """A stack with least privilege, its buckets, and the steps of the lab on it."""

    lab: Lab
    stack: Stack

    def step(self, name: str) -> subprocess.CompletedProcess[str]:
        """Run one step of the lab; whether it ends well is the test's question."""
        flags = ("--stack", STACK, "--store", "ct")
        commands = {
            "import": ("import_dicom", f"gs://{INCOMING}/**.dcm", *flags),
            "export to BigQuery": (
                *("export_metadata", "--write-disposition", "truncate"),
                *flags,
            ),
        }
        if name in commands:
            return self.lab.script(*commands[name])
        steps = {
            "export to Cloud Storage": self._export_to_storage,
            "notification": self._notification,
            "encrypted data": self._encrypted_data,
        }
        return steps[name]()

    def _notification(self) -> subprocess.CompletedProcess[str]:
        """Store an instance that is new, and look whether the subscription hears of it."""
        self.lab.call("POST", f"v1/{SUBSCRIPTION}:pull", {"maxMessages": 100})
        image = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
        image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
        root = self.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"]
        DICOMwebClient(f"{root}{STORE}/dicomWeb").store_instances([image])
        answer = self.lab.call("POST", f"v1/{SUBSCRIPTION}:pull", {"maxMessages": 100})
        attributes = [each["message"]["attributes"] for each in answer.get("receivedMessages", [])]
        heard = image.SOPInstanceUID in {each["sopInstanceUID"] for each in attributes}
        log = (self.lab.folder / "emulator" / "emulator.log").read_text()
        refusal = "" if heard else log.rpartition("ERROR")[2]
        return subprocess.CompletedProcess([], 0 if heard else 1, "", refusal)

    def _encrypted_data(self) -> subprocess.CompletedProcess[str]:
        try:
            self.lab.call("GET", f"v1/{SECRET}:getDICOMStoreMetrics")
        except httpx.HTTPStatusError as refused:
            return subprocess.CompletedProcess([], 1, "", refused.response.text)
        return subprocess.CompletedProcess([], 0, "", "")

    def _export_to_storage(self) -> subprocess.CompletedProcess[str]:
        destination = {"gcsDestination": {"uriPrefix": f"gs://{OUTGOING}/out"}}
        try:
            operation = self.lab.call("POST", f"v1/{STORE}:export", destination)
        except httpx.HTTPStatusError as refused:
            return subprocess.CompletedProcess([], 1, "", refused.response.text)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not operation.get("done") and time.monotonic() < deadline:
            time.sleep(0.1)
            operation = self.lab.call("GET", f"v1/{operation['name']}")
        assert operation["done"]
        failed = operation.get("error", {}).get("message", "")
        return subprocess.CompletedProcess([], 1 if failed else 0, "", failed)

    def broken(self) -> dict[str, str]:
        """Step that fails -> what it says."""
        done = {name: self.step(name) for name in STEPS}
        return {
            name: each.stdout + each.stderr for name, each in done.items() if each.returncode != 0
        }


GRANTS = {
    "service-agent-bigquery.jobUser": "export to BigQuery",
    "service-agent-access-bigquery-warehouse": "export to BigQuery",
    f"service-agent-access-import-{INCOMING}": "import",
    f"service-agent-access-export-{OUTGOING}": "export to Cloud Storage",
    "topic-instances-healthcare": "notification",
    "healthcare-secret-key-healthcare": "encrypted data",
}
"""Logical name of each grant of the agent -> the step that needs it."""


@pytest.fixture(scope="module")
def deployed(lab: Lab) -> Iterator[LeastPrivilegeStack]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        storage = Client(project=STACK)
    for bucket in (INCOMING, OUTGOING):
        storage.create_bucket(bucket)
    for blob in storage.list_blobs(PUBLIC, prefix="dicom/", max_results=IMAGES):
        storage.bucket(INCOMING).blob(blob.name).upload_from_string(blob.download_as_bytes())
    stack = lab.stack(STACK)
    stack.configure(
        access="least-privilege",
        importBuckets=[INCOMING],
        exportBuckets=[OUTGOING],
        dicomStores=[
            {
                "name": "ct",
                "notificationConfig": {"pubsubTopic": "instances", "sendForBulkImport": True},
            }
        ],
        fhirStores=[],
        hl7v2Stores=[],
        topics=[{"name": "instances", "subscriptions": [{"name": "watch"}]}],
        datasets=[
            {
                "name": "secret",
                "encryption": {"keyRing": "least", "key": "secret"},
                "dicomStores": [{"name": "ct"}],
            }
        ],
    )
    stack.up()
    yield LeastPrivilegeStack(lab, stack)
    stack.change("destroy")
    assert stack.resources() == {}


def grants(stack: Stack) -> dict[str, dict[str, Any]]:
    """Logical name of each membership of the agent -> its state."""
    agent = f"serviceAccount:{stack.outputs()['serviceAgent']}"
    return {
        urn.rpartition("::")[2]: state
        for urn, state in stack.resources().items()
        if state.get("inputs", {}).get("member") == agent
    }


def revoke(lab: Lab, grant: dict[str, Any]) -> None:
    """Remove one role by an API call, outside the engine."""
    inputs = grant["outputs"]
    if grant["type"].startswith("gcp:bigquery/"):
        path = f"bigquery/v2/projects/{inputs['project']}/datasets/{inputs['datasetId']}"
        email = inputs["member"].removeprefix("serviceAccount:")
        access = lab.call("GET", path)["access"]
        kept = [entry for entry in access if entry.get("userByEmail") != email]
        assert len(kept) == len(access) - 1
        lab.call("PATCH", path, {"access": kept})
        return
    if grant["type"].startswith("gcp:storage/"):
        read = write = f"storage/v1/b/{inputs['bucket'].removeprefix('b/')}/iam"
        policy = lab.call("GET", read)
        lab.call("PUT", write, without(policy, inputs))
        return
    resource = f"v1/projects/{inputs.get('project', '')}"
    if grant["type"].startswith("gcp:pubsub/"):
        resource = f"v1/{inputs['topic']}"  # the full name, as the plug-in writes it
    if grant["type"].startswith("gcp:kms/"):
        resource = f"v1/{inputs['cryptoKeyId']}"
    verb = "POST" if grant["type"].startswith("gcp:projects/") else "GET"
    policy = lab.call(verb, f"{resource}:getIamPolicy", {} if verb == "POST" else None)
    lab.call("POST", f"{resource}:setIamPolicy", {"policy": without(policy, inputs)})


def without(policy: dict[str, Any], grant: dict[str, Any]) -> dict[str, Any]:
    """A policy without one member of one role."""
    [binding] = [each for each in policy["bindings"] if each["role"] == grant["role"]]
    binding["members"].remove(grant["member"])
    return policy


def test_every_step_passes_with_the_least(deployed: LeastPrivilegeStack) -> None:
    assert deployed.broken() == {}
    found: Any = deployed.lab.call("GET", f"v1/{STORE}/dicomWeb/instances")
    assert len(found) == IMAGES + 1  # and the one with a message


def test_the_list_of_grants_is_whole(deployed: LeastPrivilegeStack) -> None:
    assert set(grants(deployed.stack)) == set(GRANTS)
    attributes = {(item["role"], item["on"]) for item in deployed.stack.outputs()["access"]}
    assert len(attributes) == len(GRANTS)


@pytest.mark.parametrize("name", GRANTS)
def test_a_grant_is_needed_by_its_step_and_by_no_other(
    deployed: LeastPrivilegeStack, name: str
) -> None:
    revoke(deployed.lab, grants(deployed.stack)[name])
    try:
        broken = deployed.broken()
        assert set(broken) == {GRANTS[name]}
        assert "gcp-sa-healthcare" in broken[GRANTS[name]]
    finally:
        deployed.stack.up("--refresh")
    assert deployed.broken() == {}


def test_the_advice_for_a_bucket_that_no_setting_names(deployed: LeastPrivilegeStack) -> None:
    lab, other = deployed.lab, f"{INCOMING}-too"
    lab.call("POST", f"storage/v1/b?project={STACK}", {"name": other})
    source = f"storage/v1/b/{PUBLIC}/o/dicom%2F00000088_000.dcm"
    lab.call("POST", f"{source}/rewriteTo/b/{other}/o/one.dcm", {})
    command = ("import_dicom", f"gs://{other}/*.dcm", "--stack", STACK, "--store", "ct")
    refused = lab.script(*command)
    assert refused.returncode != 0
    key, _ = advised(r"for buckets alone that (\w+) or (\w+) name", refused.stderr)
    deployed.stack.configure(**{key: [INCOMING, other]})
    deployed.stack.up()
    done = lab.script(*command)
    assert done.returncode == 0, done.stderr
