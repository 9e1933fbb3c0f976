"""Every property that the Google provider has for datasets and stores is reachable from config."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_gcp import healthcare

from tests.unit.components.deployment import Deployment
from tests.unit.components.test_program import run

EVERYTHING = Path(__file__).parents[2] / "data" / "stacks" / "everything.yaml"
CLASSES = {
    "gcp:healthcare/dataset:Dataset": healthcare.DatasetArgs,
    "gcp:healthcare/dicomStore:DicomStore": healthcare.DicomStoreArgs,
    "gcp:healthcare/fhirStore:FhirStore": healthcare.FhirStoreArgs,
    "gcp:healthcare/hl7Store:Hl7Store": healthcare.Hl7StoreArgs,
    "gcp:healthcare/consentStore:ConsentStore": healthcare.ConsentStoreArgs,
}


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(word.capitalize() for word in others)


def nested(annotation: object) -> type | None:
    """The argument class that an annotation names, however it is wrapped."""
    found = re.search(r"\b(\w+)Args\b", str(annotation))
    return getattr(healthcare, f"{found[1]}Args") if found else None


def paths_of(kind: type, prefix: str = "") -> Iterator[str]:
    """Every property of an argument class, nested ones as `streamConfigs.bigqueryDestination`."""
    for name, parameter in list(inspect.signature(kind).parameters.items()):
        inner = nested(parameter.annotation)
        if inner is None:
            yield prefix + _camel(name)
        else:
            yield from paths_of(inner, f"{prefix}{_camel(name)}.")


def paths_in(value: Any, prefix: str = "") -> Iterator[str]:
    """Every property that registered inputs hold."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from paths_in(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for item in value:
            yield from paths_in(item, prefix)
    else:
        yield prefix


@pytest.fixture(scope="module")
def everything() -> Deployment:
    config = yaml.safe_load(EVERYTHING.read_text())["config"]
    own = {key.partition(":")[2]: value for key, value in config.items()}
    return run(**own)


def test_the_list_of_properties_is_read_from_the_provider() -> None:
    fhir = set(paths_of(healthcare.FhirStoreArgs))
    assert "streamConfigs.bigqueryDestination.schemaConfig.lastUpdatedPartitionConfig.type" in fhir
    assert "consentConfig.accessDeterminationLogConfig.logLevel" in fhir
    assert len(fhir) > 30


@pytest.mark.parametrize("token", CLASSES)
def test_every_property_is_set_by_a_stack_file(everything: Deployment, token: str) -> None:
    offered = {path for path in paths_of(CLASSES[token]) if path != "labels"}
    made = everything.of_type(token)
    seen = {path for resource in made for path in paths_in(resource.inputs)}
    assert made
    assert offered - seen == set()


def test_labels_of_stores_are_the_stacks_and_their_own(everything: Deployment) -> None:
    assert everything["healthcare-ct"].inputs["labels"] == {"environment": "test", "modality": "ct"}


def test_a_second_dataset_has_stores_of_its_own(everything: Deployment) -> None:
    place = "projects/local-project/locations/europe-west4/datasets"
    stores = {
        resource.name: resource.inputs["dataset"]
        for resource in everything.of_type("gcp:healthcare/dicomStore:DicomStore")
    }
    assert stores == {
        "healthcare-ct": f"{place}/identified",
        "healthcare-research-ct": f"{place}/deidentified",
    }
    assert everything.outputs["stack"]["datasets"]["research"]["dicomStores"] == {
        "ct": f"{place}/deidentified/dicomStores/ct"
    }
