"""Requests and answers of datasets, stores and operations of the Healthcare API."""

import copy
import re
from typing import Any

from emulator.discovery import camel_case, snake_case
from emulator.errors import invalid_argument, permission_denied
from emulator.healthcare import encryption, schema
from emulator.healthcare.dicom import bigquery_layouts
from emulator.healthcare.kinds import LOCATIONS, Kind
from emulator.healthcare.models import (
    CREATE_DATASET,
    check_dataset,
    check_id,
    check_location,
    label_filter,
)
from emulator.http import Call, page
from emulator.labels import check_labels
from emulator.operations import filters

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
    body = {"timeZone": "UTC", **_given(call, "Dataset")}
    encryption.check_new(call.cloud, _project(call), call.path["location"], body)
    parent = f"{_parent(call)}/datasets"
    dataset = call.cloud.healthcare.create(parent, dataset_id, body)
    # The real agent comes into being once the service is first needed.
    call.cloud.services.make_identity(_project(call), SERVICE)
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
    fields = _masked(call, "Dataset", frozenset({"timeZone"}))
    return call.cloud.healthcare.update(dataset_name(call), lambda body: _merged(body, fields))


def delete_dataset(call: Call) -> dict[str, Any]:
    """Delete a dataset with all inside it."""
    call.cloud.healthcare.delete(dataset_name(call))
    return {}


def create_store(kind: Kind, call: Call) -> dict[str, Any]:
    """Create a store; the answer is the store."""
    dataset = call.cloud.healthcare.get(dataset_name(call))["name"]
    store_id = call.query.get(kind.id_parameter, "")
    check_id(store_id, snake_case(kind.id_parameter), kind)
    schema.check(call.version, kind.schema, call.body)
    body = _given(call, kind.schema)
    _check_store(call, body)
    if kind.collection == "fhirStores" and not body.get("version"):
        raise invalid_argument("the FHIR store's version is required: DSTU2, STU3 or R4")
    return _shown(
        kind, call, call.cloud.healthcare.create(f"{dataset}/{kind.collection}", store_id, body)
    )


def list_stores(kind: Kind, call: Call) -> dict[str, Any]:
    """The stores of one kind in a dataset."""
    dataset = call.cloud.healthcare.get(dataset_name(call))["name"]
    stores = call.cloud.healthcare.list(dataset, kind.collection)
    passes = label_filter(call.query.get("filter", ""))
    stores = [_shown(kind, call, store) for store in stores if passes(store)]
    return page(stores, call.query, kind.collection, default=100, most=1000)


def get_store(kind: Kind, call: Call) -> dict[str, Any]:
    """One store."""
    return _shown(kind, call, call.cloud.healthcare.get(store_name(kind, call)))


def patch_store(kind: Kind, call: Call) -> dict[str, Any]:
    """Change the fields of a store that the mask names."""
    schema.check(call.version, kind.schema, call.body)
    fields = _masked(call, kind.schema, kind.mutable)

    def change(store: dict[str, Any]) -> dict[str, Any]:
        changed = _merged(store, fields)
        _check_store(call, changed)
        return changed

    return _shown(kind, call, call.cloud.healthcare.update(store_name(kind, call), change))


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
    passes = filters.parse(call.query.get("filter", ""))
    operations = [each for each in call.cloud.operations.of_dataset(dataset) if passes(each)]
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


def _given(call: Call, message: str) -> dict[str, Any]:
    """The fields of a body that say something: the name comes from the id."""
    body = schema.normal(call.version, message, call.body)
    body.pop("name", None)
    return body


def _shown(kind: Kind, call: Call, store: dict[str, Any]) -> dict[str, Any]:
    """A store as the version that is called knows it."""
    return schema.normal(call.version, kind.schema, store)


Fields = dict[tuple[str, ...], Any]
"""Path of a field -> its new value, None to clear it."""


def _masked(call: Call, message: str, mutable: frozenset[str]) -> Fields:
    """The fields that the update mask names, with None for those that the body leaves out."""
    mask = [field.strip() for field in call.query.get("updateMask", "").split(",")]
    paths = [tuple(map(camel_case, field.split("."))) for field in mask if field]
    if not paths:
        raise invalid_argument("update_mask is required")
    mutable &= schema.fields(call.version, message)
    if wrong := sorted({path[0] for path in paths} - mutable):
        allowed = ", ".join(sorted(mutable))
        raise invalid_argument(f"update_mask: {', '.join(wrong)} can't be changed, only {allowed}")
    given = _given(call, message)
    return {path: _at(given, path) for path in paths}


def _at(body: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        body = body.get(part) if isinstance(body, dict) else None
    return body


def _merged(body: dict[str, Any], fields: Fields) -> dict[str, Any]:
    """A resource with some fields, at any depth, set or cleared."""
    changed: dict[str, Any] = copy.deepcopy(body)
    for path, value in fields.items():
        node = changed
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise invalid_argument(f"update_mask: {'.'.join(path)} is no path of fields")
        if value is None:
            node.pop(path[-1], None)
        else:
            node[path[-1]] = value
    return changed


def _check_store(call: Call, body: dict[str, Any]) -> None:
    check_labels(body.get("labels", {}))
    single, several = body.get("notificationConfig"), body.get("notificationConfigs", [])
    if single is not None and several:
        raise invalid_argument(
            "notification_config and notification_configs can't both be set: "
            "NotificationConfig is being deprecated, please use NotificationConfigs instead."
        )
    for config in [single] if single else several:
        if config.get("pubsubTopic"):
            call.cloud.topics.get(config["pubsubTopic"])
    for stream in body.get("streamConfigs", []):
        bigquery_layouts.options(stream.get("bigqueryDestination", {}))
        _check_stream(call, stream)


def _check_stream(call: Call, stream: dict[str, Any]) -> None:
    """A stream's table must be one that the service agent may write to."""
    if "deidentifiedStoreDestination" in stream:
        return
    destination = stream.get("bigqueryDestination", {})
    uri = destination.get("tableUri") or destination.get("datasetUri") or ""
    match = re.fullmatch(r"bq://([^.]+)\.([^.]+)(?:\.([^.]+))?", uri)
    if match is None:
        raise invalid_argument(f"invalid BigQuery URI {uri!r}: bq://project.dataset[.table]")
    project = call.cloud.projects.id_of(call.path["project"])
    place = (match[1], match[2])
    if not call.cloud.service_agent_has_on_dataset(project, "bigquery.tables.updateData", *place):
        raise permission_denied(
            f"failed to verify dataset ({match[1]}.{match[2]}), please add the required "
            "bigquery.dataEditor role to the Cloud Healthcare service agent "
            f"{call.cloud.services.healthcare_agent(project)}"
        )


def existing(call: Call, name: str) -> bool:
    """Whether a dataset or store exists: what IAM calls ask first."""
    return call.cloud.healthcare.exists(name)
