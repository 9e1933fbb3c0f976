"""Every property that the Google provider has for datasets and stores is reachable from config."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi_gcp import healthcare

from tests.support.program import run
from tests.unit.components.deployment import Deployment

EVERYTHING = Path(__file__).parents[3] / "data" / "stacks" / "everything.yaml"
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


def paths_of(cls: type, prefix: str = "") -> Iterator[str]:
    """Every property of an argument class, nested ones as `streamConfigs.bigqueryDestination`."""
    for name, parameter in list(inspect.signature(cls).parameters.items()):
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
    config = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", "local-project"))["config"]
    own = {key.partition(":")[2]: value for key, value in config.items()}
    return run(**own)


def test_the_list_of_properties_is_read_from_the_provider() -> None:
    fhir = set(paths_of(healthcare.FhirStoreArgs))
    assert "streamConfigs.bigqueryDestination.schemaConfig.lastUpdatedPartitionConfig.type" in fhir
    assert "consentConfig.accessDeterminationLogConfig.logLevel" in fhir
    assert len(fhir) > 30


OUTPUT_ONLY = {"consentConfig.enforcedAdminConsents"}
"""What the SDK's classes take, and the provider refuses as an input."""
NOT_IN_THE_SINGLE_FORM = {
    "notificationConfig.sendFullResource",
    "notificationConfig.sendPreviousResourceOnDelete",
}
"""The SDK has one class for both forms of a notification."""


@pytest.mark.parametrize("token", CLASSES)
def test_every_property_is_set_by_a_stack_file(everything: Deployment, token: str) -> None:
    offered = {path for path in paths_of(CLASSES[token]) if path != "labels"}
    resources = everything.of_type(token)
    seen = {path for resource in resources for path in paths_in(resource.inputs)}
    assert resources
    refused = OUTPUT_ONLY | NOT_IN_THE_SINGLE_FORM
    assert offered - seen - refused == set()
    assert seen & refused == set()


def test_labels_of_stores_are_the_stacks_and_their_own(everything: Deployment) -> None:
    assert everything["healthcare-ct"].inputs["labels"] == {"environment": "test", "modality": "ct"}


def test_a_second_dataset_has_stores_of_its_own(everything: Deployment) -> None:
    datasets = "projects/local-project/locations/europe-west4/datasets"
    stores = {
        resource.name: resource.inputs["dataset"]
        for resource in everything.of_type("gcp:healthcare/dicomStore:DicomStore")
    }
    assert stores == {
        "healthcare-ct": f"{datasets}/identified",
        "healthcare-research-ct": f"{datasets}/deidentified",
    }
    assert everything.outputs["stack"]["datasets"]["research"]["dicomStores"] == {
        "ct": f"{datasets}/deidentified/dicomStores/ct"
    }
