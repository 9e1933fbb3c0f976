"""The hospital example: both adapters with their peers, by the real engine, and down to nothing."""

import json

import psutil
import pytest
import yaml

from emulator.core.processes.ports import free_port
from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FILE = ROOT / "examples" / "hospital" / "Pulumi.local-hospital.yaml"
NAME = "local-hospital-test"
DATASET = f"projects/{NAME}/locations/us-central1/datasets/hospital"
STUDIES = 3


@pytest.fixture(scope="module")
def hospital(lab: Lab) -> Stack:
    """The stack of the example, not deployed; its peers at free ports."""
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    config = yaml.safe_load(FILE.read_text())["config"]
    archive = free_port()
    config["gcp-healthcare-dicom:dimseAdapters"][0]["aets"][0]["port"] = archive
    record_system = f"127.0.0.1:{free_port({archive})}"
    config["gcp-healthcare-dicom:mllpAdapters"][0]["outgoing"]["peer"] = record_system
    stack.configure({**config, "gcp:project": NAME})
    return stack


def test_everything_arrives_and_nothing_is_left(hospital: Stack) -> None:
    where = ["--stack", NAME, "--cwd", str(hospital.lab.program), "--json"]
    done = hospital.lab.python("examples/hospital/run.py", *where, "--studies", str(STUDIES))
    outcome = json.loads(done.stdout)
    arrived = [(one["what"], one["sent"], one["arrived"]) for one in outcome["arrivals"]]
    assert arrived == [
        ("instances", STUDIES, STUDIES),  # in the DICOM store
        ("rows", STUDIES, STUDIES),  # in BigQuery
        ("messages", 3 * STUDIES, 3 * STUDIES),
        ("instances", STUDIES, STUDIES),  # in the archive
        ("reports", STUDIES, STUDIES),
    ]
    assert hospital.plan() == {}
    assert _workloads(), "the adapters run as processes"

    done = hospital.lab.script("teardown", *where, "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    left = json.loads(done.stdout)
    assert hospital.resources() == {}, left
    assert not hospital.lab.exists(DATASET)
    assert _workloads() == []


def _workloads() -> list[int]:
    """The processes of adapters before the stack's stores."""
    found = psutil.process_iter(["cmdline"])
    return [one.pid for one in found if f"projects/{NAME}/" in " ".join(one.info["cmdline"] or [])]
