"""A stack with workers of pipelines: their account has the roles that an ingest needs, no others.

The local Google Cloud enforces IAM.
"""

import json
from typing import Any

import pytest

from tests.support import pipelines
from tests.support.labs import Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets, pytest.mark.slow]

PROJECT = "local-pipelines"
BUCKET = f"{PROJECT}-runs"


@pytest.fixture(scope="module")
def lab(enforcing_lab: Lab) -> Lab:
    return enforcing_lab


@pytest.fixture(scope="module")
def stack(lab: Lab) -> Stack:
    """A stack with the account of the workers, which is up."""
    # The first call creates the project, with the caller as its owner.
    lab.call("POST", f"v1/projects/{PROJECT}/services/dataflow.googleapis.com:enable", {})
    created = lab.stack(
        PROJECT,
        dicomStores=[{"name": "ct"}, {"name": "other"}],
        pipelines={"bucket": BUCKET, "dicomStores": ["ct"]},
    )
    created.up()
    return created


def ingest(stack: Stack, store: str, run: str) -> dict[str, Any]:
    done = stack.lab.script(
        "run_pipeline",
        *("ingest", f"source=gs://{BUCKET}/in/", f"output=gs://{BUCKET}/{run}"),
        *(f"store={store}", "patience=1", "--option", "direct_running_mode=in_memory"),
        *("--stack", stack.name, "--json"),
    )
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_the_account_stores_into_the_stores_of_the_pipelines_alone(stack: Stack) -> None:
    url = stack.lab.environment["STORAGE_EMULATOR_HOST"]
    files = pipelines.instances(3)
    pipelines.put_files(url, BUCKET, files)
    store = stack.outputs()["dicomStores"]["ct"]

    assert ingest(stack, store, "run")["report"]["in_store"] == len(files)
    refused = ingest(stack, stack.outputs()["dicomStores"]["other"], "refused")["error"]
    assert refused["report"]["results"]["rejected"] == len(files)
    assert refused["exit_code"] == 3


def test_a_second_update_changes_nothing(stack: Stack) -> None:
    assert set(stack.plan().values()) <= {"same"}
