"""The components as a package: its schema, and how inputs become arguments."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from components import reference, warehouse, warehouse_views
from components.base import PACKAGE, ArgumentError
from components.bigquery_dataset import BigQueryDataset, BigQueryDatasetArgs
from components.bigquery_views import BigQueryViews, BigQueryViewsArgs
from components.grants import ConditionArgs, GrantArgs
from components.healthcare_dataset import HealthcareDatasetArgs
from components.package.inputs import build
from components.package.schema import component_of, package
from components.project_members import ProjectMembersArgs
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


def test_a_component_that_was_renamed_is_known_by_its_former_type() -> None:
    former = {
        f"{PACKAGE}:BigQueryDataset": f"{PACKAGE}:Warehouse",
        f"{PACKAGE}:BigQueryViews": f"{PACKAGE}:WarehouseViews",
    }
    resources = package("0")["resources"]
    aliases = {token: each["aliases"] for token, each in resources.items() if "aliases" in each}
    assert aliases == {token: [{"type": alias}] for token, alias in former.items()}
    for token, alias in former.items():
        assert component_of(alias) is component_of(token)
    with pytest.raises(
        ArgumentError, match=r"Lake is not a component of gcp-healthcare-dicom\. It"
    ):
        component_of(f"{PACKAGE}:Lake")


def test_former_modules_hold_the_renamed_components() -> None:
    assert warehouse.Warehouse is BigQueryDataset
    assert warehouse.WarehouseArgs is BigQueryDatasetArgs
    assert warehouse_views.WarehouseViews is BigQueryViews
    assert warehouse_views.WarehouseViewsArgs is BigQueryViewsArgs


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
    grant = {"role": "roles/viewer", "members": ["user:a@b.c"]}
    streams = [{"bigqueryDestination": {"tableUri": "bq://p.d.t"}}]
    store = {"name": "ct", "members": [grant], "streamConfigs": streams, "labels": {"a": "b"}}
    args = build(HealthcareDatasetArgs, {**INPUTS, "dicomStores": [store]}, "HealthcareDataset")
    [built] = args.dicom_stores
    assert built == DicomStoreArgs(
        "ct",
        {"a": "b"},
        members=[GrantArgs("roles/viewer", ["user:a@b.c"])],
        stream_configs=streams,  # type: ignore[arg-type] # as the provider takes them from a wire
    )


def test_conditions_become_arguments() -> None:
    condition = {"title": "t", "expression": "true"}
    grant = {"role": "roles/viewer", "members": ["user:a@b.c"], "condition": condition}

    args = build(ProjectMembersArgs, {"project": "my-project", "grants": [grant]}, "Members")

    assert args.grants == [GrantArgs("roles/viewer", ["user:a@b.c"], ConditionArgs("t", "true"))]


def test_the_schema_offers_nothing_that_is_output_only() -> None:
    consent = package("0")["types"]["gcp-healthcare-dicom:index:FhirStoreConsentConfig"]
    assert "version" in consent["properties"]
    assert "enforcedAdminConsents" not in consent["properties"]


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
        (
            {
                **INPUTS,
                "members": [
                    {
                        "role": "roles/viewer",
                        "members": ["user:a@b.c"],
                        "condition": {"title": "t", "expression": "true"},
                    }
                ],
            },
            r"IAM conditions work under projectMembers and bigqueryMembers",
        ),
        (
            {**INPUTS, "hl7v2Stores": [{"name": "h", "parserConfig": {"version": "V3"}}]},
            r'Hl7v2StoreArgs "h"\.parser_config needs one more field',
        ),
        (
            {
                **INPUTS,
                "fhirStores": [
                    {
                        "name": "f",
                        "consentConfig": {"version": "V1", "enforcedAdminConsents": ["c"]},
                    }
                ],
            },
            r"enforced_admin_consents is set by Google alone",
        ),
        (
            {
                **INPUTS,
                "fhirStores": [
                    {
                        "name": "f",
                        "notificationConfig": {"pubsubTopic": "t", "sendFullResource": True},
                    }
                ],
            },
            r"notification_config\.send_full_resource is not known to the single form",
        ),
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
