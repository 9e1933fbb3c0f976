"""docs/components.md: every input, every output, and an example that runs."""

import dataclasses
import inspect
import re
from pathlib import Path

import pulumi
import pytest

from components import healthcare_dataset as healthcare
from components.project_services import ProjectServices, ProjectServicesArgs
from components.service_agent_roles import ServiceAgentRoles, ServiceAgentRolesArgs
from components.warehouse import Warehouse, WarehouseArgs
from tests.unit.components.deployment import deploy

DOCS = (Path(__file__).parents[3] / "docs" / "components.md").read_text()
COMPONENTS: list[tuple[type[pulumi.ComponentResource], type]] = [
    (ProjectServices, ProjectServicesArgs),
    (ServiceAgentRoles, ServiceAgentRolesArgs),
    (healthcare.HealthcareDataset, healthcare.HealthcareDatasetArgs),
    (Warehouse, WarehouseArgs),
]


def section(heading: str) -> str:
    return DOCS.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]


def column(text: str, header: str) -> list[str]:
    """The first cells of the table whose first header is `header`."""
    rows = text.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    return [row.split("|")[1].strip(" `") for row in rows]


@pytest.mark.parametrize(("component", "args"), COMPONENTS)
def test_every_argument_and_every_output_is_documented(
    component: type[pulumi.ComponentResource], args: type
) -> None:
    text = section(component.__name__)
    assert column(text, "argument") == [field.name for field in dataclasses.fields(args)]
    outputs = [name for name in inspect.get_annotations(component) if not name.startswith("_")]
    assert column(text, "output") == outputs
    assert component.__doc__ is not None
    assert all(f"{output}:" in component.__doc__ for output in outputs)


@pytest.mark.parametrize(
    "args",
    [
        healthcare.DicomStoreArgs,
        healthcare.FhirStoreArgs,
        healthcare.Hl7v2StoreArgs,
        healthcare.Hl7v2ParserArgs,
    ],
)
def test_every_property_of_a_store_is_documented(args: type) -> None:
    [line] = [
        row for row in section("HealthcareDataset").splitlines() if f"`{args.__name__}`" in row
    ]
    documented = set(re.findall(r"`(\w+)`", line))
    assert {field.name for field in dataclasses.fields(args)} <= documented


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    made = deploy(lambda: exec(compile(example, "example", "exec"), {}))
    stores = made.of_type("gcp:healthcare/dicomStore:DicomStore")
    assert sorted(store.name for store in stores) == [
        "north-ct",
        "north-mr",
        "south-ct",
        "south-mr",
    ]
    dataset = "projects/my-project-id/locations/europe-west4/datasets"
    assert made.outputs["stack"] == {
        hospital: {
            "ct": f"{dataset}/{hospital}/dicomStores/ct",
            "mr": f"{dataset}/{hospital}/dicomStores/mr",
        }
        for hospital in ("north", "south")
    }
    for store in stores:
        assert {"agent-bigquery.jobUser", "services-healthcare"} <= store.dependencies
