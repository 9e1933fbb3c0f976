"""The pipelines' example: an ingest, features and a cohort by the real engine, and down to nothing.

The local Google Cloud enforces IAM: the account of the workers has the roles that they need alone.
"""

import json
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets, pytest.mark.slow]

FILE = ROOT / "examples" / "pipelines" / "Pulumi.local-pipelines.yaml"
NAME = "local-pipelines-test"
BUCKET = f"{NAME}-runs"
WHERE = ["--stack", NAME, "--json"]
SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000000[1-4]*.dcm"


@dataclass(frozen=True)
class Example:
    """The stack of the example after its run.

    Attributes:
        stack: that is up
        seen: text of each claim -> what was seen
    """

    stack: Stack
    seen: dict[str, str]


@pytest.fixture(scope="module")
def lab(enforcing_lab: Lab) -> Lab:
    return enforcing_lab


@pytest.fixture(scope="module")
def example(lab: Lab) -> Example:
    """The example, with a store that is none of the pipelines'."""
    # The first call creates the project, with the caller as its owner.
    lab.call("POST", f"v1/projects/{NAME}/services/dataflow.googleapis.com:enable", {})
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    config = yaml.safe_load(FILE.read_text())["config"]
    config["gcp-healthcare-dicom:dicomStores"].append({"name": "other"})
    config["gcp-healthcare-dicom:pipelines"]["bucket"] = BUCKET
    stack.configure({**config, "gcp:project": NAME})
    command = ["examples/pipelines/run.py", *WHERE, "--cwd", str(lab.program)]
    outcome = json.loads(lab.python(*command, "--source", SOURCE).stdout)
    assert all(claim["holds"] for claim in outcome["claims"]), outcome
    return Example(stack, {claim["claim"]: claim["seen"] for claim in outcome["claims"]})


def test_every_claim_holds(example: Example) -> None:
    seen = example.seen
    number = int(seen["no instance is there twice"].split()[0])
    assert number > 3
    assert seen["each good file is in the store"] == f"{number} of {number} instances"
    dead = "damaged and contradictory files are dead letters, with reasons"
    assert seen[dead] == f"3 of {number + 4} files"
    assert seen["each instance has one row of features"] == f"{number} rows"
    assert seen["no copy shows whose it is"] == "0 known patients, 0 names"
    chosen = int(seen["the cohort has the chosen instances, each once"].split()[0])
    assert 0 < chosen < number


def test_the_jobs_run_the_templates_of_the_stack(example: Example) -> None:
    at = f"storage/v1/b/{BUCKET}/o/runs%2Fingest%2Flaunch.json?alt=media"
    launched = example.stack.lab.call("GET", at)["launchParameter"]
    assert launched["containerSpecGcsPath"] == f"gs://{BUCKET}/templates/ingest.json"


def ingest(stack: Stack, store: str, run: str, *more: str) -> dict[str, Any]:
    """Run an ingest that fails; return the error in its answer."""
    done = stack.lab.script(
        "run_pipeline",
        *("ingest", f"source=gs://{BUCKET}/in/dicom/", f"output=gs://{BUCKET}/runs/{run}"),
        *(f"store={stack.outputs()['dicomStores'][store]}", "patience=1"),
        *("--option", "direct_running_mode=in_memory", *more, *WHERE),
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["error"]
    return found


def test_the_account_stores_into_the_stores_of_the_pipelines_alone(example: Example) -> None:
    refused = ingest(example.stack, "other", "refused")
    assert refused["exit_code"] == 3
    results = refused["report"]["results"]
    assert results["rejected"] == refused["report"]["files"] > 3


def test_a_template_refuses_what_its_metadata_does(example: Example) -> None:
    refused = ingest(example.stack, "other", "wrong", "levels=many")
    assert "levels: Parameter didn't match regex '[0-9]+'" in refused["message"]


def test_a_quota_that_is_too_small_is_named(example: Example) -> None:
    refused = ingest(example.stack, "other", "large", "--max-workers", "500")
    assert "CPUS has 72" in refused["message"]


def test_a_second_update_changes_nothing(example: Example) -> None:
    assert set(example.stack.plan().values()) <= {"same"}


def test_it_is_torn_down_to_nothing(example: Example) -> None:
    stack, lab = example.stack, example.stack.lab
    where = [*WHERE, "--cwd", str(lab.program)]
    cleared = json.loads(lab.python("examples/pipelines/run.py", *where, "--clear").stdout)
    assert cleared["deleted"] > 10
    done = lab.script("teardown", *where, "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.resources() == {}, done.stdout
    assert not lab.exists(f"projects/{NAME}/locations/us-central1/datasets/pipelines")
