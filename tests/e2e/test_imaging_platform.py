"""The imaging platform: all examples on one stack, by the real engine, and down to nothing."""

import json
import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import yaml

from emulator.core.processes.ports import free_port
from tests.support.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

FOLDER = ROOT / "examples" / "imaging-platform"
NAME = "local-platform-test"
LOCATION = f"projects/{NAME}/locations/us-central1"
STUDIES = 3
WHERE = ["--stack", NAME, "--json"]


@dataclass(frozen=True)
class Platform:
    """The stack after its run.

    Attributes:
        stack: that is up
        seen: text of each claim -> what was seen
    """

    stack: Stack
    seen: Mapping[str, str]


@pytest.fixture(scope="module")
def platform(lab: Lab) -> Platform:
    """The stack of the example; its peers at free ports."""
    stack = Stack(lab, NAME, NAME)
    lab.create_stack(lab.program, NAME)
    config = yaml.safe_load((FOLDER / "Pulumi.local-imaging-platform.yaml").read_text())["config"]
    archive = free_port()
    config["gcp-healthcare-dicom:dimseAdapters"][0]["aets"][0]["port"] = archive
    record_system = f"127.0.0.1:{free_port({archive})}"
    config["gcp-healthcare-dicom:mllpAdapters"][0]["outgoing"]["peer"] = record_system
    stack.configure({**config, "gcp:project": NAME})
    command = ["examples/imaging-platform/run.py", *WHERE, "--cwd", str(lab.program)]
    outcome = json.loads(lab.python(*command, "--studies", str(STUDIES)).stdout)
    assert all(claim["holds"] for claim in outcome["claims"]), outcome
    return Platform(stack, {claim["claim"]: claim["seen"] for claim in outcome["claims"]})


def test_every_claim_holds(platform: Platform) -> None:
    seen = platform.seen
    assert seen["instances arrive in radiology"] == f"{STUDIES} of {STUDIES}"
    assert seen["messages arrive in messages"] == f"{3 * STUDIES} of {3 * STUDIES}"
    assert sum(text.startswith("instances arrive in archive") for text in seen) == 1
    assert sum(text.startswith("reports arrive in record system") for text in seen) == 1
    assert seen["each measurement is an Observation"] == f"{STUDIES} of {STUDIES} studies"
    assert seen["no copy shows whose it is"] == f"{STUDIES} copies, 0 known patients"
    assert len(seen) == 12


def test_the_picture_of_the_readme_is_that_of_the_stack(platform: Platform) -> None:
    draw: Callable[[Any], str] = runpy.run_path(str(FOLDER / "picture.py"))["draw"]
    drawn = draw(json.loads(platform.stack.pulumi("stack", "export", "--stack", NAME).stdout))
    assert f"```mermaid\n{drawn}```\n" in (ROOT / "README.md").read_text()


def test_it_is_torn_down_to_nothing(platform: Platform) -> None:
    stack, lab = platform.stack, platform.stack.lab
    assert stack.plan() == {}
    assert _workloads() == {
        f"workloads.{name}" for name in ("dimse", "gateway", "inference", "mllp")
    }
    done = lab.script("teardown", *WHERE, "--cwd", str(lab.program), "--keep-running")
    assert done.returncode == 0, done.stdout + done.stderr
    assert stack.resources() == {}, done.stdout
    for dataset in ("hospital", "research"):
        assert not lab.exists(f"{LOCATION}/datasets/{dataset}")
    assert lab.call("GET", f"v2/{LOCATION}/services") == {}
    assert _workloads() == set()


def _workloads() -> set[str]:
    """The programs that run before the stack's stores."""
    found = set()
    for one in psutil.process_iter():
        try:
            words, environment = one.cmdline(), one.environ()
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            continue
        if any(f"projects/{NAME}/" in word for word in (*words, *environment.values())):
            found |= {word for word in words if word.startswith("workloads.")}
    return found
