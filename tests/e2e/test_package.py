"""The components as a package: its schema, and a program that asks for a component by it."""

import json
import re
from itertools import count
from pathlib import Path

import pytest
import yaml

from components import reference
from tests.support.labs import ROOT, Lab
from tests.support.programs import Program

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

_NUMBERS = count(1)
PACKAGE = ROOT / "components" / "package"
CONSUMER = """
import pulumi
import pulumi_gcp.projects as projects

PROJECT = pulumi.Config("gcp").require("project")
PACKAGE = "gcp-healthcare-dicom:index"


class Remote(pulumi.ComponentResource):
    def __init__(self, kind, name, inputs, outputs, opts=None):
        properties = {**dict.fromkeys(outputs), **inputs}
        super().__init__(f"{PACKAGE}:{kind}", name, properties, opts, remote=True)


services = Remote(
    "ProjectServices",
    "services",
    {"project": PROJECT, "services": ["healthcare.googleapis.com", "pubsub.googleapis.com"]},
    ["serviceAgentMember"],
)
topic = Remote(
    "NotificationTopic",
    "events",
    {
        "project": PROJECT,
        "topic": "events",
        "publishers": {"healthcare": services.serviceAgentMember},
        "subscriptions": [],
    },
    ["topic"],
)
clinic = Remote(
    "HealthcareDataset",
    "clinic",
    {
        "project": PROJECT,
        "location": "us-central1",
        "dataset": "clinic",
        "dicomStores": [
            {
                "name": "ct",
                "notificationConfig": {"pubsubTopic": topic.topic, "sendForBulkImport": True},
            }
        ],
        "members": [{"role": "roles/healthcare.datasetViewer", "members": ["user:a@example.com"]}],
    },
    ["dataset", "dicomStores"],
    pulumi.ResourceOptions(depends_on=[services, topic]),
)
pulumi.export("dataset", clinic.dataset)
pulumi.export("dicomStores", clinic.dicomStores)
"""


@pytest.fixture
def consumer(lab: Lab, tmp_path: Path) -> Program:
    plugin = {"name": "gcp-healthcare-dicom", "path": str(PACKAGE)}
    project = {
        "name": "consumer",
        "runtime": {"name": "python", "options": {"virtualenv": str(ROOT / ".venv")}},
        "plugins": {"providers": [plugin]},
    }
    (tmp_path / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    (tmp_path / "__main__.py").write_text(CONSUMER)
    return Program(lab, tmp_path, f"local-package{next(_NUMBERS)}")


def test_the_engine_reads_the_schema(lab: Lab) -> None:
    done = lab.python(
        *("-m", "engine", "run", "--stack", "local", "--"),
        *("pulumi", "package", "get-schema", "./components/package"),
    )
    schema = json.loads(done.stdout)
    dataset = schema["resources"]["gcp-healthcare-dicom:index:HealthcareDataset"]
    assert dataset["requiredInputs"] == ["project", "location", "dataset"]
    store = schema["types"]["gcp-healthcare-dicom:index:DicomStore"]["properties"]
    assert store["notificationConfig"] == {
        "$ref": "#/types/gcp-healthcare-dicom:index:DicomStoreNotificationConfig",
        "description": "Messages about new instances.",
    }
    assert len(schema["resources"]) == len(reference.COMPONENTS)


def test_another_program_makes_components_of_the_package(consumer: Program) -> None:
    consumer.change("up")
    name = f"projects/{consumer.project}/locations/us-central1/datasets/clinic"
    assert consumer.outputs() == {
        "dataset": name,
        "dicomStores": {"ct": f"{name}/dicomStores/ct"},
    }
    store = consumer.lab.call("GET", f"v1beta1/{name}/dicomStores/ct")
    assert store["notificationConfig"] == {
        "pubsubTopic": f"projects/{consumer.project}/topics/events",
        "sendForBulkImport": True,
    }
    assert consumer.plan() == {}
    consumer.change("destroy")
    assert consumer.resources() == []
    assert not consumer.lab.exists(name)


def test_an_unknown_input_is_named(consumer: Program) -> None:
    program = CONSUMER.replace('"dataset": "clinic"', '"datset": "clinic"')
    (consumer.folder / "__main__.py").write_text(program)
    done = consumer.pulumi("preview", "--stack", consumer.stack, check=False)
    assert done.returncode != 0
    output = " ".join((done.stdout + done.stderr).split())
    assert "HealthcareDataset: unknown: datset; missing: dataset. Inputs: project," in output


def test_the_program_of_the_page_is_planned(consumer: Program) -> None:
    page = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
    [program] = re.findall(r"```python\n(.*?)```", page.partition("## Overview\n")[0], re.DOTALL)
    (consumer.folder / "__main__.py").write_text(program)
    assert {"clinic": "create", "clinic-ct": "create"}.items() <= consumer.plan().items()
