"""docs/components.md: every input, every output, and an example that runs."""

import dataclasses
import importlib
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

import components
from components import reference
from components.base import Component
from tests.unit.components.deployment import deploy

DOCS = (Path(__file__).parents[3] / "docs" / "components.md").read_text()


def test_the_reference_is_made_from_the_components() -> None:
    assert reference.written(DOCS) == DOCS


def test_every_component_of_the_package_is_in_the_reference() -> None:
    modules = [item.name for item in pkgutil.iter_modules(components.__path__)]
    found = {
        member
        for name in modules
        for _, member in inspect.getmembers(importlib.import_module(f"components.{name}"))
        if inspect.isclass(member) and issubclass(member, Component) and member is not Component
    }
    assert found == set(reference.COMPONENTS)


@pytest.mark.parametrize("component", reference.COMPONENTS)
def test_every_output_is_described(component: type[Component]) -> None:
    annotated = {
        name
        for name, annotation in reference.annotations_of(component).items()
        if "Output[" in str(annotation) and name != "summary"
    }
    assert set(reference.outputs_of(component)) == annotated


@pytest.mark.parametrize(
    "args", [args for several in reference.COMPONENTS.values() for args in several]
)
def test_every_argument_is_described(args: type) -> None:
    described = reference.arguments_of(args)
    assert list(described) == [field.name for field in dataclasses.fields(args)]
    assert all(meaning for _, _, meaning in described.values())


def test_the_example_runs() -> None:
    [example] = re.findall(r"```python\n(.*?)```", DOCS.partition("## Example\n")[2], re.DOTALL)
    deployed = deploy(lambda: exec(compile(example, "example", "exec"), {}))
    stores = deployed.of_type("gcp:healthcare/dicomStore:DicomStore")
    assert sorted(store.name for store in stores) == [
        "north-ct",
        "north-mr",
        "south-ct",
        "south-mr",
    ]
    dataset = "projects/my-project-id/locations/europe-west4/datasets"
    assert deployed.outputs["stack"] == {
        hospital: {
            "ct": f"{dataset}/{hospital}/dicomStores/ct",
            "mr": f"{dataset}/{hospital}/dicomStores/mr",
        }
        for hospital in ("north", "south")
    }
    for store in stores:
        assert {"agent-bigquery.jobUser", "services-healthcare"} <= deployed.all_dependencies(
            store.name
        )
