"""The inference example: x-rays measured on arrival, by the real engine, and down to nothing.

The local Google Cloud enforces IAM, so that the accounts have their roles alone.
"""

import json
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

import psutil
import pytest
import yaml

from emulator.seed import records
from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FILE = ROOT / "examples" / "inference" / "Pulumi.local-inference.yaml"
NAME = "local-inference-test"
LOCATION = f"projects/{NAME}/locations/us-central1"
DATASET = f"{LOCATION}/datasets/inference"
STORE, OBSERVATIONS = f"{DATASET}/dicomStores/chest", f"{DATASET}/fhirStores/observations"
SERVICE = f"{LOCATION}/services/inference-chest"
OBJECTS = "dicom/0000000*_000.dcm"
BUCKET = "gs://gcs-public-data--healthcare-nih-chest-xray"
WHERE = ["--stack", NAME, "--json"]


@dataclass(frozen=True)
class Example:
    """The stack of the example after its run.

    Attributes:
        stack: that is up
        outcome: what the run reported
    """

    stack: Stack
    outcome: dict[str, Any]

    def policy(self, resource: str, method: str = "GET") -> dict[str, list[str]]:
        """The members of each role on a resource."""
        body: dict[str, str] | None = {} if method == "POST" else None
        found = self.stack.lab.call(method, f"{resource}:getIamPolicy", body)
        return {binding["role"]: binding["members"] for binding in found["bindings"]}


@pytest.fixture(scope="module")
def lab(enforcing_lab: Lab) -> Lab:
    return enforcing_lab


@pytest.fixture(scope="module")
def example(lab: Lab) -> Example:
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    config = yaml.safe_load(FILE.read_text())["config"]
    stack.configure({**config, "gcp:project": NAME})
    command = ["examples/inference/run.py", *WHERE, "--cwd", str(lab.program)]
    done = lab.python(*command, "--source", f"{BUCKET}/{OBJECTS}")
    return Example(stack, json.loads(done.stdout))


def test_every_image_is_measured_into_both_stores(example: Example) -> None:
    sent = [one for one in records.load() if fnmatch(one.object_name, OBJECTS)]
    large = ["Cardiomegaly" in one.findings for one in sent]
    outcome = example.outcome
    assert outcome["images"] == len(sent) > 5
    assert outcome["truePositive"] + outcome["falseNegative"] == large.count(True) > 0
    assert outcome["falsePositive"] + outcome["trueNegative"] == large.count(False) > 0
    lab = example.stack.lab
    found: list[Any] = lab.call("GET", f"v1/{STORE}/dicomWeb/series")  # type: ignore[assignment]
    modalities = [one["00080060"]["Value"][0] for one in found]
    assert sorted(modalities) == sorted(["DX", "PR", "SR"] * len(sent))
    observations = lab.call("GET", f"v1/{OBSERVATIONS}/fhir/Observation")
    assert observations["total"] == len(sent)
    letters = example.stack.outputs()["inferenceServices"]["chest"]["deadLetterSubscription"]
    assert lab.call("POST", f"v1/{letters}:pull", {"maxMessages": 1}) == {}


def test_accounts_have_their_roles_on_what_they_use_alone(example: Example) -> None:
    def account(name: str) -> list[str]:
        return [f"serviceAccount:{name}@{NAME}.iam.gserviceaccount.com"]

    program, caller = account("inference-chest"), account("invoker-chest")
    assert example.policy(f"v1/{STORE}") == {"roles/healthcare.dicomEditor": program}
    assert example.policy(f"v1/{OBSERVATIONS}") == {"roles/healthcare.fhirResourceEditor": program}
    assert example.policy(f"v2/{SERVICE}") == {"roles/run.invoker": caller}
    number = example.stack.outputs()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-pubsub.iam.gserviceaccount.com"
    email = caller[0].partition(":")[2]
    tokens = example.policy(f"v1/projects/{NAME}/serviceAccounts/{email}", "POST")
    assert tokens == {"roles/iam.serviceAccountTokenCreator": [agent]}
    letters = example.policy(f"v1/projects/{NAME}/topics/inference-chest-dead")
    assert sorted(letters["roles/pubsub.publisher"]) == sorted([*program, agent])
    project = example.policy(f"v1/projects/{NAME}", "POST")
    assert not {*program, *caller} & {member for each in project.values() for member in each}


def test_the_service_takes_requests_of_its_project_alone(example: Example) -> None:
    service = example.stack.lab.call("GET", f"v2/{SERVICE}")
    assert service["ingress"] == "INGRESS_TRAFFIC_INTERNAL_ONLY"
    assert example.stack.outputs()["inferenceServices"]["chest"]["uri"] == service["uri"]


def test_a_second_up_changes_nothing(example: Example) -> None:
    assert example.stack.plan() == {}, example.stack.preview("--diff")
    example.stack.change("refresh", "--skip-preview", "--expect-no-changes")


def test_all_of_it_comes_under_a_new_stack(example: Example) -> None:
    stack, lab = example.stack, example.stack.lab
    ids = {urn: one["id"] for urn, one in stack.resources().items() if one.get("custom")}
    stack.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", NAME)
    done = lab.script("adopt", *WHERE, "--cwd", str(lab.program))
    assert done.returncode == 0, done.stdout + done.stderr
    # Only the creation of Pub/Sub's agent returns its address: it is requested again, with its
    # grants, which are there already.
    again = {one["name"] for one in json.loads(done.stdout)["to_create"]}
    assert again == {
        "services-pubsub-agent",
        "inference-chest-push",
        "inference-chest-push-inference-chest-dead-letter",
    }
    adopted = {urn: one["id"] for urn, one in stack.resources().items() if one.get("custom")}
    assert adopted.items() <= ids.items()
    stack.up()
    assert stack.plan() == {}


def test_a_teardown_leaves_nothing(example: Example) -> None:
    lab = example.stack.lab
    assert _programs(), "the service runs as a process"
    done = lab.script("teardown", *WHERE, "--cwd", str(lab.program), "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    left = json.loads(done.stdout)
    assert example.stack.resources() == {}, left
    assert not lab.exists(DATASET)
    assert lab.call("GET", f"v2/{LOCATION}/services") == {}
    assert _programs() == []


def _programs() -> list[int]:
    """The processes that serve the stack's store."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("INFERENCE_DICOM_STORE") == STORE:
                found.append(process.pid)
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
    return found
