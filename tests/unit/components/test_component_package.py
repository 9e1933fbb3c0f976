"""The components as a package: its schema, and how inputs become arguments."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components import reference
from components.base import ArgumentError
from components.grants import ConditionArgs, GrantArgs
from components.healthcare_dataset import HealthcareDatasetArgs
from components.package.inputs import build
from components.package.schema import package
from components.stores import DicomStoreArgs

ROOT = Path(__file__).parents[3]
INPUTS: dict[str, Any] = {"project": "my-project", "location": "eu", "dataset": "d"}


def refs(value: Any) -> set[str]:
    """Every type that a part of a schema refers to."""
    if isinstance(value, dict):
        own = {value["$ref"]} if "$ref" in value else set()
        return own.union(*(refs(item) for item in value.values()))
    return set().union(*(refs(item) for item in value)) if isinstance(value, list) else set()


def test_the_schema_has_every_component_and_every_type_it_names() -> None:
    schema = package("1.2.3")
    assert schema["version"] == "1.2.3"
    tokens = {f"gcp-healthcare-dicom:index:{item.__name__}" for item in reference.COMPONENTS}
    assert set(schema["resources"]) == tokens
    named = refs(schema) - {"pulumi.json#/Any"}
    assert named == {f"#/types/{token}" for token in schema["types"]}


def test_nested_types_of_the_provider_are_read_from_its_classes() -> None:
    types = package("0")["types"]
    stream = types["gcp-healthcare-dicom:index:DicomStoreStreamConfigBigqueryDestination"]
    assert stream["properties"] == {"tableUri": {"type": "string"}}
    assert stream["required"] == ["tableUri"]
    guides = types["gcp-healthcare-dicom:index:FhirStoreValidationConfig"]["properties"]
    assert guides["enabledImplementationGuides"] == {"type": "array", "items": {"type": "string"}}


def test_names_are_plain_and_inputs_are_not() -> None:
    store = package("0")["types"]["gcp-healthcare-dicom:index:FhirStore"]["properties"]
    assert store["name"]["plain"] is True
    assert "plain" not in store["enableUpdateCreate"]


def test_inputs_become_arguments_however_deep() -> None:
    condition = {"title": "t", "expression": "true"}
    grant = {"role": "roles/viewer", "members": ["user:a@b.c"], "condition": condition}
    streams = [{"bigqueryDestination": {"tableUri": "bq://p.d.t"}}]
    store = {"name": "ct", "members": [grant], "streamConfigs": streams, "labels": {"a": "b"}}
    args = build(HealthcareDatasetArgs, {**INPUTS, "dicomStores": [store]}, "HealthcareDataset")
    [made] = args.dicom_stores
    assert made == DicomStoreArgs(
        "ct",
        {"a": "b"},
        members=[GrantArgs("roles/viewer", ["user:a@b.c"], ConditionArgs("t", "true"))],
        stream_configs=streams,  # type: ignore[arg-type] # as the provider takes them from a wire
    )


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({"project": "p"}, r"missing: location, dataset\. Inputs: project, location,"),
        ({**INPUTS, "stores": []}, r"unknown: stores\."),
        (
            {**INPUTS, "dicomStores": [{"nam": "x"}]},
            r"dicomStores\[0\]: unknown: nam; missing: name",
        ),
        ({**INPUTS, "location": "moon"}, r"is not a location"),
    ],
)
def test_inputs_that_cannot_be_used_are_named(inputs: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ArgumentError, match=complaint):
        build(HealthcareDatasetArgs, inputs, "HealthcareDataset")


def test_the_components_work_where_the_repository_was_installed(tmp_path: Path) -> None:
    install = ["uv", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    command = [sys.executable, "-m", *install, "--python", sys.executable, "--target"]
    subprocess.run([*command, str(tmp_path), str(ROOT)], check=True, timeout=120)
    assert (tmp_path / "components" / "package" / "PulumiPlugin.yaml").is_file()
    program = (
        "import components.healthcare_dataset as it, pathlib; "
        "print(pathlib.Path(it.__file__).is_relative_to(pathlib.Path.cwd()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
