"""Datasets: https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets."""

import re
from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from emulator.bigquery import access
from emulator.bigquery.errors import BigQueryError, invalid, no_dataset
from emulator.bigquery.resources import (
    EVERYTHING,
    Json,
    check_etag,
    new_id,
    now,
    page_of,
    settings,
    shown,
    without_nulls,
)
from emulator.cloud import Cloud
from emulator.merging import merged

_ID = r"\w{1,1024}"
_FILTER = re.compile(r"labels\.([^:]+)(?::(.*))?")
_LISTED = ("kind", "id", "datasetReference", "friendlyName", "labels", "location", "type")
_FOR_BACKEND: Json = {
    "access": [],
    "defaultPartitionExpirationMs": None,
    "defaultTableExpirationMs": None,
    "description": None,
    "friendlyName": None,
    "labels": {},
}
"""What bqemulator knows of a dataset, each with what says that it is not set."""


def insert(cloud: Cloud, project: str, body: Mapping[str, Any]) -> Json:
    """Make a dataset; one without access entries begins with those of its project.

    Raises:
        ApiError: 400 for a bad body, 409 for one that is there.
    """
    kept = without_nulls(settings("Dataset", body))
    dataset = new_id("dataset", body, _ID)
    kept["access"] = _checked(cloud, project, dataset, kept.get("access") or access.DEFAULT)
    name = f"projects/{project}/datasets/{dataset}"
    location = {"location": body["location"]} if body.get("location") else {}
    sent = {"datasetReference": {"projectId": project, "datasetId": dataset}, **location}
    if cloud.bigquery.find(name):
        raise BigQueryError(409, "duplicate", f"Already Exists: Dataset {project}:{dataset}")
    twin = cloud.bigquery.call("POST", f"projects/{project}/datasets", sent | _known(kept))
    cloud.bigquery_metadata.set(name, twin["creationTime"], kept)
    return shown(cloud, "Dataset", name, twin, kept)


def get(cloud: Cloud, project: str, dataset: str) -> Json:
    """Read a dataset.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}"
    twin = cloud.bigquery.find(name)
    if twin is None:
        raise no_dataset(project, dataset)
    kept = cloud.bigquery_metadata.get(name, twin["creationTime"])
    return shown(cloud, "Dataset", name, twin, kept)


def listed(cloud: Cloud, project: str, query: QueryParams) -> Json:
    """One page of a project's datasets, each in short; hidden ones only where `all` asks for them.

    Raises:
        ApiError: 400 for a bad page or a bad filter.
    """
    parent = f"projects/{project}/datasets"
    twins = cloud.bigquery.call("GET", parent, maxResults=EVERYTHING)["datasets"]
    wanted = _labels(query.get("filter", ""))
    hidden = query.get("all", "").lower() == "true"
    kept = cloud.bigquery_metadata.below(parent)
    items = []
    for twin in sorted(twins, key=lambda twin: str(twin["datasetReference"]["datasetId"])):
        dataset = str(twin["datasetReference"]["datasetId"])
        whole = twin | kept.get((f"{parent}/{dataset}", twin["creationTime"]), {})
        if (hidden or not dataset.startswith("_")) and _has(whole.get("labels", {}), wanted):
            items.append({key: whole[key] for key in _LISTED if key in whole})
    return page_of("dataset", items, query)


def _labels(text: str) -> list[tuple[str, str | None]]:
    """A filter of a list: `labels.department:receiving labels.active`, joined by AND.

    Raises:
        ApiError: 400 for what is none.
    """
    found = [_FILTER.fullmatch(word) for word in text.split()]
    if not all(found):
        raise invalid(f"Invalid filter {text[:100]!r}: labels.KEY or labels.KEY:VALUE, by spaces.")
    return [(match[1], match[2]) for match in found if match]


def _has(labels: Mapping[str, str], wanted: list[tuple[str, str | None]]) -> bool:
    return all(key in labels and value in (None, labels[key]) for key, value in wanted)


def patch(cloud: Cloud, project: str, dataset: str, body: Json, etag: str) -> Json:
    """Change what a body names; null takes a field away."""
    return _change(cloud, project, dataset, body, etag, whole=False)


def put(cloud: Cloud, project: str, dataset: str, body: Json, etag: str) -> Json:
    """Replace a dataset's settings; access entries stay where the body has none."""
    return _change(cloud, project, dataset, body, etag, whole=True)


def delete(cloud: Cloud, project: str, dataset: str, *, contents: bool) -> None:
    """Delete a dataset, and with `contents` what is in it.

    Raises:
        ApiError: 404, or 400 for one that is not empty.
    """
    name = f"projects/{project}/datasets/{dataset}"
    if cloud.bigquery.find(name) is None:
        raise no_dataset(project, dataset)
    if not contents and cloud.bigquery.call("GET", f"{name}/tables", maxResults="1")["tables"]:
        raise BigQueryError(400, "resourceInUse", f"Dataset {project}:{dataset} is still in use")
    cloud.bigquery.call("DELETE", name, deleteContents=str(contents).lower())
    cloud.bigquery_metadata.drop(name)


def _change(
    cloud: Cloud, project: str, dataset: str, body: Json, etag: str, *, whole: bool
) -> Json:
    change = settings("Dataset", body)
    name = f"projects/{project}/datasets/{dataset}"
    with cloud.bigquery_metadata.changing:
        present = get(cloud, project, dataset)
        check_etag(present, etag)
        place = str(present["location"])
        if str(body.get("location") or place).lower() != place.lower():
            raise invalid(f"Cannot change the location of dataset {project}:{dataset}.")
        before = settings("Dataset", present)
        kept = without_nulls(change) if whole else merged(before, change)
        if "access" in change:
            kept["access"] = _checked(cloud, project, dataset, kept.get("access") or [])
        elif "access" in before:
            kept["access"] = before["access"]
        twin = cloud.bigquery.call("PATCH", name, _known(kept))
        kept["lastModifiedTime"] = now()
        cloud.bigquery_metadata.set(name, twin["creationTime"], kept)
    return shown(cloud, "Dataset", name, twin, kept)


def _checked(cloud: Cloud, project: str, dataset: str, entries: Any) -> list[access.Entry]:
    """Access entries in their normal form; a service agent can be named only once it exists."""
    found = access.normal(entries)
    for missing in cloud.services.missing_agents(access.service_accounts(found)):
        raise invalid(
            f"IAM setPolicy failed for Dataset {project}:{dataset}: "
            f"Service account {missing} does not exist."
        )
    return found


def _known(kept: Json) -> Json:
    return {key: kept.get(key, default) for key, default in _FOR_BACKEND.items()}
