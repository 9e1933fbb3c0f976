"""Handlers of datasets, stores and operations of the Healthcare API.

Inferred (conformance: fhir-version-text, update-mask-missing-text, update-mask-fixed-text,
notification-configs-text, notification-topic-text): the texts of refusals.
"""

import re
from functools import partial
from typing import Any

from emulator.core.discovery import api, snake_case
from emulator.core.errors import invalid_argument
from emulator.core.resources.field_mask import FieldMask
from emulator.core.resources.labels import check_labels
from emulator.core.resources.paging import from_items, paginate
from emulator.core.rest import Call
from emulator.services.healthcare.stores import filters, schema
from emulator.services.healthcare.stores.models import (
    CREATE_DATASET,
    check_dataset,
    check_id,
    check_location,
)
from emulator.services.healthcare.stores.service import Stores
from emulator.services.healthcare.stores.store_types import LOCATIONS, StoreType


def list_locations(call: Call[Stores]) -> dict[str, Any]:
    """Every location of the Healthcare API."""
    project = _project(call)
    locations = [_location(project, location) for location in LOCATIONS]
    return paginate(
        from_items(locations, lambda each: str(each["name"])),
        call.query,
        "locations",
        scope=f"projects/{project}/locations",
        default=100,
        maximum=1000,
    )


def get_location(call: Call[Stores]) -> dict[str, Any]:
    """One location."""
    check_location(call.path["location"])
    return _location(_project(call), call.path["location"])


def create_dataset(call: Call[Stores]) -> dict[str, Any]:
    """Create a dataset; the answer is an operation."""
    check_location(call.path["location"])
    dataset_id = call.query.get("datasetId", "")
    check_id(dataset_id, "dataset_id", None)
    schema.check(call.version, "Dataset", call.body)
    check_dataset(call.body)
    body = {"timeZone": "UTC", **_set_fields(call, "Dataset")}
    call.service.keys.check_new_dataset(_project(call), call.path["location"], body)
    parent = f"{_parent(call)}/datasets"
    dataset = call.service.resources.create(parent, dataset_id, body)
    call.service.agent.create(_project(call))
    return call.service.operations.start(
        dataset["name"], CREATE_DATASET, {"dataset": dataset["name"]}, version=call.version
    )


def list_datasets(call: Call[Stores]) -> dict[str, Any]:
    """Return the datasets of a location."""
    check_location(call.path["location"])
    collection = f"{_parent(call)}/datasets"
    return paginate(
        partial(call.service.resources.page, collection),
        call.query,
        "datasets",
        scope=collection,
        default=100,
        maximum=1000,
    )


def get_dataset(call: Call[Stores]) -> dict[str, Any]:
    """One dataset."""
    return call.service.resources.get(dataset_name(call))


def patch_dataset(call: Call[Stores]) -> dict[str, Any]:
    """Change a dataset's time zone."""
    schema.check(call.version, "Dataset", call.body)
    check_dataset(call.body)
    mask = _update_mask(call, "Dataset", frozenset({"timeZone"}))
    given = _set_fields(call, "Dataset")
    return call.service.resources.update(dataset_name(call), lambda body: mask.apply(body, given))


def delete_dataset(call: Call[Stores]) -> dict[str, Any]:
    """Delete a dataset with all inside it."""
    call.service.resources.delete(dataset_name(call))
    return {}


def create_store(type_: StoreType, call: Call[Stores]) -> dict[str, Any]:
    """Create a store; the answer is the store."""
    dataset = call.service.resources.get(dataset_name(call))["name"]
    store_id = call.query.get(type_.id_parameter, "")
    check_id(store_id, snake_case(type_.id_parameter), type_)
    schema.check(call.version, type_.schema, call.body)
    body = _set_fields(call, type_.schema)
    _check_store(type_, call, body)
    if type_.collection == "fhirStores" and not body.get("version"):
        raise invalid_argument("the FHIR store's version is required: DSTU2, STU3 or R4")
    return _represent(
        type_, call, call.service.resources.create(f"{dataset}/{type_.collection}", store_id, body)
    )


def list_stores(type_: StoreType, call: Call[Stores]) -> dict[str, Any]:
    """Return the stores of one type in a dataset."""
    dataset = call.service.resources.get(dataset_name(call))["name"]
    collection = f"{dataset}/{type_.collection}"
    wanted = call.query.get("filter", "")
    answer = paginate(
        partial(call.service.resources.page, collection),
        call.query,
        type_.collection,
        scope=f"{collection}?{wanted}",
        default=100,
        maximum=1000,
        matches=filters.STORES.compile(wanted),
    )
    if found := answer.get(type_.collection):
        answer[type_.collection] = [_represent(type_, call, store) for store in found]
    return answer


def get_store(type_: StoreType, call: Call[Stores]) -> dict[str, Any]:
    """One store."""
    return _represent(type_, call, call.service.resources.get(store_name(type_, call)))


def patch_store(type_: StoreType, call: Call[Stores]) -> dict[str, Any]:
    """Change the fields of a store that the mask names."""
    schema.check(call.version, type_.schema, call.body)
    mask = _update_mask(call, type_.schema, type_.mutable)
    given = _set_fields(call, type_.schema)

    def change(store: dict[str, Any]) -> dict[str, Any]:
        changed = mask.apply(store, given)
        _check_store(type_, call, changed)
        type_.check_change(store, changed)
        return changed

    return _represent(type_, call, call.service.resources.update(store_name(type_, call), change))


def delete_store(type_: StoreType, call: Call[Stores]) -> dict[str, Any]:
    """Delete a store with all inside it."""
    call.service.resources.delete(store_name(type_, call))
    return {}


def get_operation(call: Call[Stores]) -> dict[str, Any]:
    """One operation of a dataset."""
    return call.service.operations.get(f"{dataset_name(call)}/operations/{call.path['operation']}")


def list_operations(call: Call[Stores]) -> dict[str, Any]:
    """Return the operations of a dataset, the newest first."""
    dataset = call.service.resources.get(dataset_name(call))["name"]
    wanted = call.query.get("filter", "")
    return paginate(
        partial(call.service.operations.page, dataset),
        call.query,
        "operations",
        scope=f"{dataset}/operations?{wanted}",
        default=100,
        maximum=1000,
        matches=filters.OPERATIONS.compile(wanted),
    )


def cancel_operation(call: Call[Stores]) -> dict[str, Any]:
    """Cancel an operation."""
    call.service.operations.cancel(f"{dataset_name(call)}/operations/{call.path['operation']}")
    return {}


def dataset_name(call: Call[Stores]) -> str:
    """Return the full name of the dataset in the path."""
    return call.service.dataset_name(call.path)


def store_name(type_: StoreType, call: Call[Stores]) -> str:
    """Return the full name of the store in the path."""
    return call.service.store_name(type_.collection, call.path)


def _parent(call: Call[Stores]) -> str:
    return call.service.location_name(call.path)


def _project(call: Call[Stores]) -> str:
    return call.service.projects.resolve(call.path["project"])


def _location(project: str, location: str) -> dict[str, Any]:
    return {"name": f"projects/{project}/locations/{location}", "locationId": location}


def _set_fields(call: Call[Stores], message: str) -> dict[str, Any]:
    """Return the fields of a body that are set, without the name, which comes from the id."""
    body = schema.normal(call.version, message, call.body)
    body.pop("name", None)
    return body


def _represent(type_: StoreType, call: Call[Stores], store: dict[str, Any]) -> dict[str, Any]:
    """Return a store as the called version of the API represents it."""
    return schema.normal(call.version, type_.schema, type_.complete(store))


def _update_mask(call: Call[Stores], message: str, mutable: frozenset[str]) -> FieldMask:
    """Return the mask of an update, which names only fields that can be changed."""
    messages = api("healthcare", call.version)
    mask = FieldMask.parse(call.query.get("updateMask", ""), messages, message)
    if not mask.paths:
        raise invalid_argument("update_mask is required")
    mutable &= messages.fields(message)
    if wrong := mask.outside(mutable):
        allowed = ", ".join(sorted(mutable))
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed, only {allowed}")
    return mask


def _check_store(type_: StoreType, call: Call[Stores], body: dict[str, Any]) -> None:
    check_labels(body.get("labels", {}))
    single, several = body.get("notificationConfig"), body.get("notificationConfigs", [])
    if single is not None and several:
        raise invalid_argument(
            "notification_config and notification_configs can't both be set: "
            "NotificationConfig is being deprecated, please use NotificationConfigs instead."
        )
    for config in [single] if single else several:
        if config.get("pubsubTopic"):
            call.service.topics.get(config["pubsubTopic"])
    type_.validate(body)
    for stream in body.get("streamConfigs", []):
        _check_stream(call, stream)


def _check_stream(call: Call[Stores], stream: dict[str, Any]) -> None:
    """Check that the service agent may write to a stream's table."""
    if "deidentifiedStoreDestination" in stream:
        return
    destination = stream.get("bigqueryDestination", {})
    uri = destination.get("tableUri") or destination.get("datasetUri") or ""
    match = re.fullmatch(r"bq://([^.]+)\.([^.]+)(?:\.([^.]+))?", uri)
    if match is None:
        raise invalid_argument(f"invalid BigQuery URI {uri!r}: bq://project.dataset[.table]")
    project = call.service.projects.id_of(call.path["project"])
    call.service.agent.require_stream(project, match[1], match[2])


def existing(call: Call[Stores], name: str) -> bool:
    """Whether a dataset or store exists; calls of IAM ask this first."""
    return call.service.resources.exists(name)
