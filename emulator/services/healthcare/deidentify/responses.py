"""Handlers of the methods that de-identify."""

import json
from typing import Any

from emulator.core.discovery import camel_case
from emulator.core.errors import already_exists, bad_field, invalid_argument
from emulator.core.resource_name import ResourceName
from emulator.core.rest import Call
from emulator.services.healthcare.clients import agent_reads
from emulator.services.healthcare.deidentify import fhir_operation, operation
from emulator.services.healthcare.dicom.operations import filter_config
from emulator.services.healthcare.dicom.responses import resource_path_of
from emulator.services.healthcare.dicom.service import Dicom
from emulator.services.healthcare.fhir.operations.selection import parse_types
from emulator.services.healthcare.fhir.service import COLLECTION, Fhir
from emulator.services.healthcare.stores import schema
from emulator.services.healthcare.stores.models import check_id

_DATASET = "projects/PROJECT/locations/LOCATION/datasets/DATASET"
_STORE = f"{_DATASET}/dicomStores/STORE"
_FHIR_STORE = f"{_DATASET}/fhirStores/STORE"


def deidentify_store(call: Call[Dicom]) -> dict[str, Any]:
    """Start to de-identify a DICOM store into another existing one."""
    stores = call.service.context.stores
    schema.check(call.version, "DeidentifyDicomStoreRequest", call.body)
    source = resource_path_of(call).store
    destination = _destination(call, "destination_store", _STORE)
    if stores.resources.get(str(destination))["name"] == source:
        raise bad_field("destination_store", "destination_store is the source store")
    stores.keys.require(str(destination.parent))
    agent_of = stores.projects.resolve(call.path["project"])
    return operation.begin_store(
        call.service,
        source,
        str(destination),
        _settings(call),
        call.version,
        filter_config.read_filter_config(call.service, agent_of, call.body),
    )


def deidentify_fhir_store(call: Call[Fhir]) -> dict[str, Any]:
    """Start to de-identify a FHIR store into another existing one."""
    stores = call.service.context.stores
    schema.check(call.version, "DeidentifyFhirStoreRequest", call.body)
    source = stores.resources.get(stores.store_name(COLLECTION, call.path))["name"]
    destination = _destination(call, "destination_store", _FHIR_STORE)
    if stores.resources.get(str(destination))["name"] == source:
        raise bad_field("destination_store", "destination_store is the source store")
    stores.keys.require(str(destination.parent))
    names = call.body.get("resourceFilter", {}).get("resources", {}).get("resources", [])
    for number, name in enumerate(names):
        field = f"resource_filter.resources.resources[{number}]"
        type_, slash, id_ = name.partition("/")
        if not (slash and id_):
            raise bad_field(field, f"invalid {field} {name!r}: such as Patient/1")
        parse_types(type_, field)
    return fhir_operation.begin(
        call.service,
        source,
        str(destination),
        _settings(call),
        call.version,
        names,
        skips_modified=bool(call.body.get("skipModifiedResources")),
    )


def deidentify_dataset(call: Call[Dicom]) -> dict[str, Any]:
    """Start to de-identify a dataset's stores into a new dataset."""
    stores = call.service.context.stores
    schema.check(call.version, "DeidentifyDatasetRequest", call.body)
    source = stores.resources.get(stores.dataset_name(call.path))
    stores.keys.require(source["name"])
    destination = _destination(call, "destination_dataset", _DATASET)
    check_id(destination.id, "destination_dataset", None)
    settings = _settings(call)
    if stores.resources.exists(str(destination)):
        raise already_exists(f"dataset {call.body['destinationDataset']} already exists.")
    return operation.begin_dataset(
        call.service, source["name"], str(destination), settings, call.version
    )


def _destination(call: Call[Any], field: str, shape: str) -> ResourceName:
    """Return the name of a destination in the body, by the id of its project.

    Args:
        call: of a method that de-identifies
        field: of the body, in snake case
        shape: the form of the name

    Raises:
        ApiError: 400, the name is invalid or in another location than the source
    """
    given = call.body.get(camel_case(field), "")
    try:
        name = ResourceName.parse(given)
    except ValueError:
        name = ResourceName(())
    if name.collections != ResourceName.parse(shape).collections:
        raise bad_field(field, f"invalid {field} {given!r}: {shape}")
    _check_location(call, name.location, field)
    project = call.service.context.stores.projects.id_of(name.project)
    return ResourceName((("projects", project), *name.segments[1:]))


def _check_location(call: Call[Any], location: str, field: str) -> None:
    if location != call.path["location"]:
        raise bad_field(
            field,
            f"{field} is in {location}, and the source in {call.path['location']}: both must be "
            "in the same location",
        )


def _settings(call: Call[Any]) -> dict[str, Any]:
    """Return the DeidentifyConfig, from the body or from Cloud Storage."""
    given, uri = call.body.get("config"), call.body.get("gcsConfigUri")
    if (given is None) == (not uri):
        raise invalid_argument("exactly one of config and gcs_config_uri is required")
    if given is not None:
        settings: dict[str, Any] = given
        return settings
    project = call.service.context.stores.projects.resolve(call.path["project"])
    agent, storage_url = call.service.agent, call.service.settings.storage_url
    text = agent_reads.read_object(agent, storage_url, project, uri or "", "gcs_config_uri")
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise bad_field("gcs_config_uri", f"{uri} is not valid JSON: {error}") from None
    schema.check(call.version, "DeidentifyConfig", settings)
    return settings
