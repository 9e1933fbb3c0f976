"""Requests and answers of the two methods that de-identify."""

import json
import re
from typing import Any

from emulator.errors import already_exists, bad_field, invalid_argument
from emulator.healthcare import encryption, schema
from emulator.healthcare.deidentify import runs
from emulator.healthcare.dicom import filters
from emulator.healthcare.dicom.responses import place_of
from emulator.healthcare.models import check_id
from emulator.healthcare.responses import dataset_name
from emulator.http import Call

_DATASET = re.compile(r"projects/([^/]+)/locations/([^/]+)/datasets/([^/]+)")
_STORE = re.compile(rf"({_DATASET.pattern})/dicomStores/([^/]+)")


def deidentify_store(call: Call) -> dict[str, Any]:
    """Start to de-identify a DICOM store into another that exists."""
    schema.check(call.version, "DeidentifyDicomStoreRequest", call.body)
    source = place_of(call).store
    given = call.body.get("destinationStore", "")
    match = _STORE.fullmatch(given)
    if match is None:
        raise bad_field(
            "destination_store",
            f"invalid destination_store {given!r}: projects/PROJECT/locations/LOCATION"
            "/datasets/DATASET/dicomStores/STORE",
        )
    _check_location(call, match[3], "destination_store")
    project = call.cloud.projects.id_of(match[2])
    destination = given.replace(f"projects/{match[2]}/", f"projects/{project}/", 1)
    if call.cloud.healthcare.get(destination)["name"] == source:
        raise bad_field("destination_store", "destination_store is the source store")
    encryption.require(call.cloud, destination.rpartition("/dicomStores/")[0])
    agent_of = call.cloud.projects.id_of(call.path["project"])
    return runs.begin_store(
        call.cloud,
        source,
        destination,
        _settings(call),
        call.version,
        filters.read(call.cloud, agent_of, call.body),
    )


def deidentify_dataset(call: Call) -> dict[str, Any]:
    """Start to de-identify a dataset's stores into a new dataset."""
    schema.check(call.version, "DeidentifyDatasetRequest", call.body)
    source = call.cloud.healthcare.get(dataset_name(call))
    encryption.require(call.cloud, source["name"])
    given = call.body.get("destinationDataset", "")
    match = _DATASET.fullmatch(given)
    if match is None:
        raise bad_field(
            "destination_dataset",
            f"invalid destination_dataset {given!r}: projects/PROJECT/locations/LOCATION"
            "/datasets/DATASET",
        )
    _check_location(call, match[2], "destination_dataset")
    check_id(match[3], "destination_dataset", None)
    settings = _settings(call)
    parent = f"projects/{call.cloud.projects.id_of(match[1])}/locations/{match[2]}/datasets"
    if call.cloud.healthcare.exists(f"{parent}/{match[3]}"):
        raise already_exists(f"dataset {given} already exists.")
    return runs.begin_dataset(
        call.cloud, source["name"], f"{parent}/{match[3]}", settings, call.version
    )


def _check_location(call: Call, location: str, field: str) -> None:
    if location != call.path["location"]:
        raise bad_field(
            field,
            f"{field} is in {location}, and the source in {call.path['location']}: both must be "
            "in the same location",
        )


def _settings(call: Call) -> dict[str, Any]:
    """Give the DeidentifyConfig, from the body or from Cloud Storage."""
    given, uri = call.body.get("config"), call.body.get("gcsConfigUri")
    if (given is None) == (not uri):
        raise invalid_argument("exactly one of config and gcs_config_uri is required")
    if given is not None:
        settings: dict[str, Any] = given
        return settings
    project = call.cloud.projects.id_of(call.path["project"])
    text = filters.read_object(call.cloud, project, uri or "", "gcs_config_uri")
    try:
        settings = json.loads(text)
    except ValueError as error:
        raise bad_field("gcs_config_uri", f"{uri} is no JSON: {error}") from None
    schema.check(call.version, "DeidentifyConfig", settings)
    return settings
