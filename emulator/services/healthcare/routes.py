"""Paths of the Healthcare API (https://cloud.google.com/healthcare-api/docs/reference/rest)."""

from collections.abc import Iterator
from functools import partial

from starlette.routing import Route

from emulator.core import rest
from emulator.services.healthcare.consents.routes import routes as consent_routes
from emulator.services.healthcare.deidentify.responses import (
    deidentify_dataset,
    deidentify_fhir_store,
    deidentify_store,
)
from emulator.services.healthcare.dicom.routes import routes as dicom_routes
from emulator.services.healthcare.fhir.routes import routes as fhir_routes
from emulator.services.healthcare.hl7v2.routes import routes as hl7v2_routes
from emulator.services.healthcare.service import Healthcare
from emulator.services.healthcare.stores import responses
from emulator.services.healthcare.stores.service import Stores
from emulator.services.healthcare.stores.store_types import StoreType
from emulator.services.iam.responses import policy_routes

_LOCATIONS = "/projects/{project}/locations"
_LOCATION = f"{_LOCATIONS}/{{location:id}}"
_DATASETS = f"{_LOCATION}/datasets"
_DATASET = f"{_DATASETS}/{{dataset:id}}"
_OPERATION = f"{_DATASET}/operations/{{operation:id}}"


def routes(healthcare: Healthcare) -> Iterator[Route]:
    """Yield every route of the API."""
    yield from dicom_routes(healthcare.dicom)
    yield from hl7v2_routes(healthcare.hl7v2)
    yield from fhir_routes(healthcare.fhir)
    yield from consent_routes(healthcare.consents)
    yield from _deidentify_routes(healthcare)
    stores = healthcare.stores
    route = partial(rest.routes, stores)
    policies = partial(policy_routes, stores.iam, stores)
    yield from route("GET", _LOCATIONS, responses.list_locations)
    yield from route("GET", _LOCATION, responses.get_location)
    yield from policies(_DATASET, responses.dataset_name, responses.existing, "healthcare")
    yield from route("POST", _DATASETS, responses.create_dataset)
    yield from route("GET", _DATASETS, responses.list_datasets)
    yield from route("GET", _DATASET, responses.get_dataset)
    yield from route("PATCH", _DATASET, responses.patch_dataset)
    yield from route("DELETE", _DATASET, responses.delete_dataset)
    yield from route("POST", f"{_OPERATION}:cancel", responses.cancel_operation)
    yield from route("GET", f"{_DATASET}/operations", responses.list_operations)
    yield from route("GET", _OPERATION, responses.get_operation)
    for type_ in healthcare.store_types.values():
        yield from _store_routes(stores, type_)


def _deidentify_routes(healthcare: Healthcare) -> Iterator[Route]:
    route = partial(rest.routes, healthcare.dicom)
    yield from route("POST", f"{_DATASET}:deidentify", deidentify_dataset)
    yield from route("POST", f"{_DATASET}/dicomStores/{{store:id}}:deidentify", deidentify_store)
    path = f"{_DATASET}/fhirStores/{{store:id}}:deidentify"
    yield from rest.routes(healthcare.fhir, "POST", path, deidentify_fhir_store)


def _store_routes(service: Stores, type_: StoreType) -> Iterator[Route]:
    stores = f"{_DATASET}/{type_.collection}"
    store = f"{stores}/{{store:id}}"
    route = partial(rest.routes, service)
    name = partial(responses.store_name, type_)
    yield from policy_routes(service.iam, service, store, name, responses.existing, "healthcare")
    yield from route("POST", stores, partial(responses.create_store, type_))
    yield from route("GET", stores, partial(responses.list_stores, type_))
    yield from route("GET", store, partial(responses.get_store, type_))
    yield from route("PATCH", store, partial(responses.patch_store, type_))
    yield from route("DELETE", store, partial(responses.delete_store, type_))
