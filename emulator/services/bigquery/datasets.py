"""Datasets: https://cloud.google.com/bigquery/docs/reference/rest/v2/datasets.

Inferred (conformance: bigquery-dataset-exists-text, bigquery-in-use-text): the texts of refusals.
"""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from emulator.core.list_filter.fields import Label
from emulator.core.list_filter.grammar import SEQUENCE
from emulator.core.list_filter.table import BareTerm, FieldTable
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.services.bigquery import access
from emulator.services.bigquery.errors import BigQueryError, invalid, no_dataset
from emulator.services.bigquery.representation import (
    EVERYTHING,
    Json,
    check_etag,
    new_id,
    now,
    page_of,
    settings,
    to_rest,
    without_nulls,
)
from emulator.services.bigquery.service import BigQuery

_ID = r"\w{1,1024}"
_FILTER = FieldTable(
    usage="labels.KEY or labels.KEY:VALUE, joined by spaces",
    fields={"labels.*": Label(operators=frozenset({":"}))},
    connectives=frozenset({SEQUENCE}),
    bare=BareTerm.PRESENT,
)
_LISTED = ("kind", "id", "datasetReference", "friendlyName", "labels", "location", "type")
_FOR_BACKEND: Json = {
    "access": [],
    "defaultPartitionExpirationMs": None,
    "defaultTableExpirationMs": None,
    "description": None,
    "friendlyName": None,
    "labels": {},
}
"""Fields of a dataset that bqemulator stores, each with the value that unsets it."""


def insert(bigquery: BigQuery, project: str, body: Mapping[str, Any]) -> Json:
    """Create a dataset; without access entries it gets those of its project.

    Raises:
        ApiError: 400 for an invalid body, 409 if the dataset exists
    """
    kept = without_nulls(settings("Dataset", body))
    dataset = new_id("dataset", body, _ID)
    kept["access"] = _normalize_access(
        bigquery, project, dataset, kept.get("access") or access.DEFAULT
    )
    name = f"projects/{project}/datasets/{dataset}"
    location = {"location": body["location"]} if body.get("location") else {}
    sent = {"datasetReference": {"projectId": project, "datasetId": dataset}, **location}
    if bigquery.backend.find(name):
        raise BigQueryError(409, "duplicate", f"Already Exists: Dataset {project}:{dataset}")
    backend_resource = bigquery.backend.call(
        "POST", f"projects/{project}/datasets", sent | _backend_fields(kept)
    )
    bigquery.metadata.set(name, backend_resource["creationTime"], kept)
    return to_rest(bigquery, "Dataset", name, backend_resource, kept)


def get(bigquery: BigQuery, project: str, dataset: str) -> Json:
    """Read a dataset.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}"
    backend_resource = bigquery.backend.find(name)
    if backend_resource is None:
        raise no_dataset(project, dataset)
    kept = bigquery.metadata.get(name, backend_resource["creationTime"])
    return to_rest(bigquery, "Dataset", name, backend_resource, kept)


def location(bigquery: BigQuery, project: str, dataset: str) -> str:
    """Return where the queries of a dataset run; `US` where it does not exist."""
    resource = bigquery.backend.find(f"projects/{project}/datasets/{dataset}")
    return str((resource or {}).get("location") or "US")


def list_page(bigquery: BigQuery, project: str, query: QueryParams) -> Json:
    """Return a page of a project's datasets in short form; hidden ones only if `all` is true.

    Raises:
        ApiError: 400 for an invalid page or filter
    """
    parent = f"projects/{project}/datasets"
    backend_resources = bigquery.backend.call("GET", parent, maxResults=EVERYTHING)["datasets"]
    matches = _FILTER.compile(query.get("filter", ""))
    hidden = query.get("all", "").lower() == "true"
    kept = bigquery.metadata.below(parent)
    items = []
    for backend_resource in sorted(
        backend_resources,
        key=lambda backend_resource: str(backend_resource["datasetReference"]["datasetId"]),
    ):
        dataset = str(backend_resource["datasetReference"]["datasetId"])
        whole = backend_resource | kept.get(
            (f"{parent}/{dataset}", backend_resource["creationTime"]), {}
        )
        if (hidden or not dataset.startswith("_")) and matches(whole):
            items.append({key: whole[key] for key in _LISTED if key in whole})
    scope = f"{parent}?{hidden}&{query.get('filter', '')}"
    return page_of("dataset", items, query, scope)


def patch(bigquery: BigQuery, project: str, dataset: str, body: Json, etag: str) -> Json:
    """Change the fields that a body names; null removes a field."""
    return _change(bigquery, project, dataset, body, etag, whole=False)


def put(bigquery: BigQuery, project: str, dataset: str, body: Json, etag: str) -> Json:
    """Replace the settings of a dataset; access entries stay if the body has none."""
    return _change(bigquery, project, dataset, body, etag, whole=True)


def delete(bigquery: BigQuery, project: str, dataset: str, *, contents: bool) -> None:
    """Delete a dataset, with `contents` also its tables.

    Raises:
        ApiError: 404, or 400 for a dataset that is not empty
    """
    name = f"projects/{project}/datasets/{dataset}"
    if bigquery.backend.find(name) is None:
        raise no_dataset(project, dataset)
    if not contents and bigquery.backend.call("GET", f"{name}/tables", maxResults="1")["tables"]:
        raise BigQueryError(400, "resourceInUse", f"Dataset {project}:{dataset} is still in use")
    bigquery.backend.call("DELETE", name, deleteContents=str(contents).lower())
    bigquery.metadata.delete_prefix(name)


def _change(
    bigquery: BigQuery, project: str, dataset: str, body: Json, etag: str, *, whole: bool
) -> Json:
    change = settings("Dataset", body)
    name = f"projects/{project}/datasets/{dataset}"
    with bigquery.metadata.changing:
        present = get(bigquery, project, dataset)
        check_etag(present, etag)
        location = str(present["location"])
        if str(body.get("location") or location).lower() != location.lower():
            raise invalid(f"Cannot change the location of dataset {project}:{dataset}.")
        before = settings("Dataset", present)
        kept = without_nulls(change) if whole else merge_patch(before, change)
        if "access" in change:
            kept["access"] = _normalize_access(bigquery, project, dataset, kept.get("access") or [])
        elif "access" in before:
            kept["access"] = before["access"]
        backend_resource = bigquery.backend.call("PATCH", name, _backend_fields(kept))
        kept["lastModifiedTime"] = now()
        bigquery.metadata.set(name, backend_resource["creationTime"], kept)
    return to_rest(bigquery, "Dataset", name, backend_resource, kept)


def _normalize_access(
    bigquery: BigQuery, project: str, dataset: str, entries: Any
) -> list[access.Entry]:
    """Return access entries in their normal form.

    Raises:
        ApiError: 400 for a service agent that does not exist
    """
    found = access.normal(entries)
    for missing in bigquery.iam.service_accounts.missing_agents(access.service_accounts(found)):
        raise invalid(
            f"IAM setPolicy failed for Dataset {project}:{dataset}: "
            f"Service account {missing} does not exist."
        )
    return found


def _backend_fields(kept: Json) -> Json:
    return {key: kept.get(key, default) for key, default in _FOR_BACKEND.items()}
