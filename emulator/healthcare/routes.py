"""Paths of the Healthcare API (https://cloud.google.com/healthcare-api/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.healthcare import responses
from emulator.healthcare.deidentify.responses import deidentify_dataset, deidentify_store
from emulator.healthcare.kinds import KINDS, Kind
from emulator.http import routes as versions
from emulator.iam.responses import policy_routes

_LOCATIONS = "/projects/{project}/locations"
_LOCATION = f"{_LOCATIONS}/{{location}}"
_DATASETS = f"{_LOCATION}/datasets"
_DATASET = f"{_DATASETS}/{{dataset:id}}"
_OPERATION = f"{_DATASET}/operations/{{operation}}"


def routes() -> Iterator[Route]:
    """Every route of the API but those of what DICOM stores hold.

    Verbs behind a colon come before the names they are attached to.
    """
    yield from versions("GET", _LOCATIONS, responses.list_locations)
    yield from versions("GET", _LOCATION, responses.get_location)
    yield from policy_routes(_DATASET, responses.dataset_name, responses.existing, "healthcare")
    yield from versions("POST", _DATASETS, responses.create_dataset)
    yield from versions("GET", _DATASETS, responses.list_datasets)
    yield from versions("POST", f"{_OPERATION}:cancel", responses.cancel_operation)
    yield from versions("GET", f"{_DATASET}/operations", responses.list_operations)
    yield from versions("GET", _OPERATION, responses.get_operation)
    yield from versions("POST", f"{_DATASET}:deidentify", deidentify_dataset)
    yield from versions("POST", f"{_DATASET}/dicomStores/{{store}}:deidentify", deidentify_store)
    for kind in KINDS.values():
        yield from _store_routes(kind)
    yield from versions("GET", _DATASET, responses.get_dataset)
    yield from versions("PATCH", _DATASET, responses.patch_dataset)
    yield from versions("DELETE", _DATASET, responses.delete_dataset)


def _store_routes(kind: Kind) -> Iterator[Route]:
    stores = f"{_DATASET}/{kind.collection}"
    store = f"{stores}/{{store:id}}"
    yield from policy_routes(
        store, partial(responses.store_name, kind), responses.existing, "healthcare"
    )
    yield from versions("POST", stores, partial(responses.create_store, kind))
    yield from versions("GET", stores, partial(responses.list_stores, kind))
    yield from versions("GET", store, partial(responses.get_store, kind))
    yield from versions("PATCH", store, partial(responses.patch_store, kind))
    yield from versions("DELETE", store, partial(responses.delete_store, kind))
