"""Requests and answers of datasets, stores and operations of the Healthcare API."""

import re
from typing import Any

from emulator.errors import invalid_argument, permission_denied
from emulator.healthcare import schema
from emulator.healthcare.kinds import LOCATIONS, Kind
from emulator.healthcare.models import (
    CREATE_DATASET,
    check_dataset,
    check_id,
    check_labels,
    check_location,
)
from emulator.http import Call, page

SERVICE = "healthcare.googleapis.com"


def list_locations(call: Call) -> dict[str, Any]:
    """Every location of the Healthcare API."""
    project = _project(call)
    locations = [_location(project, location) for location in LOCATIONS]
    return page(locations, call.query, "locations", default=100, most=1000)


def get_location(call: Call) -> dict[str, Any]:
    """One location."""
    check_location(call.path["location"])
    return _location(_project(call), call.path["location"])


def create_dataset(call: Call) -> dict[str, Any]:
    """Create a dataset; the answer is an operation."""
    check_location(call.path["location"])
    dataset_id = call.query.get("datasetId", "")
    check_id(dataset_id, "dataset_id", None)
    schema.check(call.version, "Dataset", call.body)
    check_dataset(call.body)
    body = {"timeZone": "UTC", **_given(call.body)}
    parent = f"{_parent(call)}/datasets"
    dataset = call.cloud.healthcare.create(parent, dataset_id, body)
    return call.cloud.operations.start(
        dataset["name"], CREATE_DATASET, {"dataset": dataset["name"]}, version=call.version
    )


def list_datasets(call: Call) -> dict[str, Any]:
    """The datasets of a location."""
    check_location(call.path["location"])
    datasets = call.cloud.healthcare.list(_parent(call), "datasets")
    return page(datasets, call.query, "datasets", default=100, most=1000)


def get_dataset(call: Call) -> dict[str, Any]:
    """One dataset."""
    return call.cloud.healthcare.get(dataset_name(call))


def patch_dataset(call: Call) -> dict[str, Any]:
    """Change a dataset's time zone."""
    schema.check(call.version, "Dataset", call.body)
    check_dataset(call.body)
    fields = _masked(call, frozenset({"timeZone"}))
    return call.cloud.healthcare.update(dataset_name(call), fields)


def delete_dataset(call: Call) -> dict[str, Any]:
    """Delete a dataset with all inside it."""
    call.cloud.healthcare.delete(dataset_name(call))
    return {}


def create_store(kind: Kind, call: Call) -> dict[str, Any]:
    """Create a store; the answer is the store."""
    dataset = call.cloud.healthcare.get(dataset_name(call))["name"]
    store_id = call.query.get(kind.id_parameter, "")
    check_id(store_id, re.sub("([A-Z])", lambda m: f"_{m[0].lower()}", kind.id_parameter), kind)
    schema.check(call.version, kind.schema, call.body)
    body = _given(call.body)
    _check_store(call, body)
    if kind.collection == "fhirStores" and not body.get("version"):
        raise invalid_argument("the FHIR store's version is required: DSTU2, STU3 or R4")
    return call.cloud.healthcare.create(f"{dataset}/{kind.collection}", store_id, body)


def list_stores(kind: Kind, call: Call) -> dict[str, Any]:
    """The stores of one kind in a dataset."""
    dataset = call.cloud.healthcare.get(dataset_name(call))["name"]
    stores = call.cloud.healthcare.list(dataset, kind.collection)
    stores = [store for store in stores if _passes(store, call.query.get("filter", ""))]
    return page(stores, call.query, kind.collection, default=100, most=1000)


def get_store(kind: Kind, call: Call) -> dict[str, Any]:
    """One store."""
    return call.cloud.healthcare.get(store_name(kind, call))


def patch_store(kind: Kind, call: Call) -> dict[str, Any]:
    """Change the fields of a store that the mask names."""
    schema.check(call.version, kind.schema, call.body)
    fields = _masked(call, kind.mutable)
    store = call.cloud.healthcare.get(store_name(kind, call))
    changed = {key: value for key, value in {**store, **fields}.items() if value is not None}
    _check_store(call, changed)
    return call.cloud.healthcare.update(store["name"], fields)


def delete_store(kind: Kind, call: Call) -> dict[str, Any]:
    """Delete a store with all inside it."""
    call.cloud.healthcare.delete(store_name(kind, call))
    return {}


def get_operation(call: Call) -> dict[str, Any]:
    """One operation of a dataset."""
    return call.cloud.operations.get(f"{dataset_name(call)}/operations/{call.path['operation']}")


def list_operations(call: Call) -> dict[str, Any]:
    """The operations of a dataset, the newest first."""
    dataset = call.cloud.healthcare.get(dataset_name(call))["name"]
    operations = call.cloud.operations.of_dataset(dataset)
    wanted = call.query.get("filter", "")
    if match := re.fullmatch(r"done\s*=\s*(true|false)", wanted):
        operations = [o for o in operations if o.get("done", False) == (match[1] == "true")]
    elif wanted:
        raise invalid_argument(f"invalid filter {wanted!r}: done=true or done=false")
    return page(operations, call.query, "operations", default=100, most=1000)


def cancel_operation(call: Call) -> dict[str, Any]:
    """Ask an operation to end."""
    call.cloud.operations.cancel(f"{dataset_name(call)}/operations/{call.path['operation']}")
    return {}


def dataset_name(call: Call) -> str:
    """The full name of the dataset in the path."""
    return f"{_parent(call)}/datasets/{call.path['dataset']}"


def store_name(kind: Kind, call: Call) -> str:
    """The full name of the store in the path."""
    return f"{dataset_name(call)}/{kind.collection}/{call.path['store']}"


def _parent(call: Call) -> str:
    return f"projects/{_project(call)}/locations/{call.path['location']}"


def _project(call: Call) -> str:
    project = call.cloud.projects.id_of(call.path["project"])
    call.cloud.services.require(project, SERVICE)
    return project


def _location(project: str, location: str) -> dict[str, Any]:
    return {"name": f"projects/{project}/locations/{location}", "locationId": location}


def _given(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body that say something: the name comes from the id."""
    return {k: v for k, v in body.items() if k != "name" and v not in (None, "", [], {})}


def _masked(call: Call, mutable: frozenset[str]) -> dict[str, Any]:
    """The fields that the update mask names, with None for those that the body leaves out."""
    mask = [field for field in call.query.get("updateMask", "").split(",") if field]
    if not mask:
        raise invalid_argument("update_mask is required")
    fields = {re.sub("_([a-z])", lambda m: m[1].upper(), f).partition(".")[0] for f in mask}
    if wrong := sorted(fields - mutable):
        allowed = ", ".join(sorted(mutable))
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed, only {allowed}")
    return {field: _given(call.body).get(field) for field in fields}


def _check_store(call: Call, body: dict[str, Any]) -> None:
    check_labels(body.get("labels", {}))
    single, several = body.get("notificationConfig"), body.get("notificationConfigs", [])
    if single and several:
        raise invalid_argument(
            "notification_config and notification_configs can't both be set: "
            "NotificationConfig is being deprecated, please use NotificationConfigs instead."
        )
    for config in [single] if single else several:
        if config.get("pubsubTopic"):
            call.cloud.topics.get(config["pubsubTopic"])
    for stream in body.get("streamConfigs", []):
        _check_stream(call, stream)


def _check_stream(call: Call, stream: dict[str, Any]) -> None:
    """A stream's table must be one that the service agent may write to."""
    destination = stream.get("bigqueryDestination", {})
    uri = destination.get("tableUri") or destination.get("datasetUri") or ""
    match = re.fullmatch(r"bq://([^.]+)\.([^.]+)(?:\.([^.]+))?", uri)
    if match is None:
        raise invalid_argument(f"invalid BigQuery URI {uri!r}: bq://project.dataset[.table]")
    project = call.cloud.projects.id_of(call.path["project"])
    if not call.cloud.service_agent_has(project, "bigquery.tables.updateData"):
        raise permission_denied(
            f"failed to verify dataset ({match[1]}.{match[2]}), please add the required "
            "bigquery.dataEditor role to the Cloud Healthcare service agent "
            f"{call.cloud.services.healthcare_agent(project)}"
        )


def _passes(store: dict[str, Any], wanted: str) -> bool:
    """Whether a store passes a filter on one label: `labels.key=value` or `labels.key:*`."""
    if not wanted:
        return True
    match = re.fullmatch(r'labels\.([\w-]+)\s*(?:=\s*"?([\w-]*)"?|:\*)', wanted)
    if match is None:
        raise invalid_argument(f"invalid filter {wanted!r}: labels.key=value or labels.key:*")
    labels = store.get("labels", {})
    return match[1] in labels and match[2] in (None, labels[match[1]])


def existing(call: Call, name: str) -> bool:
    """Whether a dataset or store exists: what IAM calls ask first."""
    return call.cloud.healthcare.exists(name)
