"""Names that several parts of a stack need: of stores by their references, and of images."""

from collections.abc import Mapping

import pulumi

from components import rules
from components.healthcare_dataset import HealthcareDataset
from program.config import FIRST_DATASET, Settings


def image_of(settings: Settings, own: str | None, image: str) -> str:
    """Return an image: the own one if there is one, or the newest in the repository of the stack.

    Args:
        settings: of the stack
        own: the reference that the settings name
        image: its name in the repository
    """
    if own is not None:
        return own
    repository = settings.adapter_repository
    location = repository.location or rules.registry_location(settings.location)
    return f"{location}-docker.pkg.dev/{settings.project}/{repository.name}/{image}:latest"


def store_parts(reference: str) -> tuple[str, str]:
    """Return the dataset and the store of a reference such as `STORE` or `DATASET/STORE`."""
    dataset, _, store = reference.rpartition("/")
    return dataset or FIRST_DATASET, store


def store_name(
    datasets: Mapping[str, HealthcareDataset], reference: str, collection: str
) -> pulumi.Output[str]:
    """Return the full name of a store.

    Args:
        datasets: name -> dataset
        reference: to the store, as settings name it
        collection: as the API writes it, such as `hl7V2Stores`
    """
    dataset, store = store_parts(reference)
    return pulumi.Output.concat(datasets[dataset].dataset, f"/{collection}/{store}")
