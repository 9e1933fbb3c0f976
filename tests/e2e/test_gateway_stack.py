"""The gateway example: who gets through, by the real engine, and down to nothing."""

import json

import psutil
import pytest
import yaml

from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FILE = ROOT / "examples" / "gateway" / "Pulumi.local-gateway.yaml"
NAME = "local-gateway-test"
PARENT = f"projects/{NAME}/locations/us-central1"


@pytest.fixture(scope="module")
def gateway(lab: Lab) -> Stack:
    """The stack of the example, not deployed."""
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    config = yaml.safe_load(FILE.read_text())["config"]
    stack.configure({**config, "gcp:project": NAME})
    return stack


def test_members_get_through_and_nothing_is_left(gateway: Stack) -> None:
    lab = gateway.lab
    where = ["--stack", NAME, "--cwd", str(lab.program), "--json"]
    done = lab.python("examples/gateway/run.py", *where)
    outcome = json.loads(done.stdout)
    assert all(check["right"] for check in outcome["checks"])
    got = {(check["who"], check["what"]): check["got"] for check in outcome["checks"]}
    assert got["ana@hospital.example", "the studies"] == 200
    assert got["ana@hospital.example", "another store"] == 404
    assert len(got) >= 9

    policy = lab.call(
        "POST",
        f"v1/projects/{NAME}/iap_web/cloud_run-us-central1/services/gateway-reading:getIamPolicy",
        {},
    )
    accessor = {"role": "roles/iap.httpsResourceAccessor", "members": ["domain:hospital.example"]}
    assert policy["bindings"] == [accessor]
    [bound] = lab.call("GET", f"v1/{PARENT}/datasets/hospital/dicomStores/radiology:getIamPolicy")[
        "bindings"
    ]
    account = f"serviceAccount:gateway-reading@{NAME}.iam.gserviceaccount.com"
    assert bound == {"role": "roles/healthcare.dicomEditor", "members": [account]}
    assert gateway.plan() == {}
    gateway.change("refresh", "--expect-no-changes")
    assert _workloads()

    done = lab.script("teardown", *where, "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    assert gateway.resources() == {}, done.stdout
    assert not lab.exists(f"{PARENT}/datasets/hospital")
    assert lab.call("GET", f"v2/{PARENT}/services") == {}
    assert _workloads() == []


def _workloads() -> list[int]:
    """The processes of gateways of the stack."""
    found = psutil.process_iter(["cmdline", "environ"])
    return [
        one.pid
        for one in found
        if "workloads.gateway" in " ".join(one.info["cmdline"] or [])
        and NAME in str((one.info["environ"] or {}).get("GATEWAY_SETTINGS"))
    ]
