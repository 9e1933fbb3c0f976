"""Tables and views: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from emulator.core.resource_name import ResourceName
from emulator.core.resources.json_merge_patch import merge_patch
from emulator.services.bigquery import datasets
from emulator.services.bigquery.errors import BigQueryError, invalid, no_table
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
from emulator.services.bigquery.sql_types import sql_type

_ID = r"[\w\- ]{1,1024}"
_LISTED = (
    "kind", "id", "tableReference", "type", "creationTime", "friendlyName", "labels",
    "expirationTime", "timePartitioning", "rangePartitioning", "clustering",
)  # fmt: skip
_FOR_BACKEND: Json = {"description": None, "friendlyName": None, "labels": {}}
_SIZES = ("numBytes", "numTotalLogicalBytes", "numActiveLogicalBytes")
_NOT_SERVED = ("externalDataConfiguration", "materializedView", "biglakeConfiguration")


def insert(bigquery: BigQuery, project: str, dataset: str, body: Json) -> Json:
    """Make a table or a view; it expires as its dataset says, unless it says so itself.

    Raises:
        ApiError: 400 for a bad body or a bad view, 404 for no such dataset, or no such table behind
            a view, 409 if it exists, 501 for external tables and materialized views.
    """
    kept = without_nulls(settings("Table", body))
    table = new_id("table", body, _ID)
    for field in _NOT_SERVED:
        if kept.get(field):
            raise BigQueryError(
                501, "notImplemented", f"{field} is not served by the local Google Cloud yet."
            )
    parent = datasets.get(bigquery, project, dataset)
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    if bigquery.backend.find(name):
        raise BigQueryError(409, "duplicate", f"Already Exists: Table {project}:{dataset}.{table}")
    if lifetime := parent.get("defaultTableExpirationMs"):
        kept.setdefault("expirationTime", str(int(now()) + int(lifetime)))
    if kept.get("view"):
        backend_resource = _make_view(bigquery, (project, dataset, table), kept, "CREATE VIEW")
    else:
        reference = {"projectId": project, "datasetId": dataset, "tableId": table}
        sent = {**_backend_fields(kept), **_layout(kept), "tableReference": reference}
        backend_resource = bigquery.backend.call(
            "POST", f"projects/{project}/datasets/{dataset}/tables", sent
        )
    kept.pop("schema", None)
    bigquery.metadata.set(name, backend_resource["creationTime"], kept)
    return _represent(bigquery, name, backend_resource, kept, parent)


def get(bigquery: BigQuery, project: str, dataset: str, table: str) -> Json:
    """Read a table or a view.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    backend_resource = bigquery.backend.find(name)
    if backend_resource is None:
        datasets.get(bigquery, project, dataset)
        raise no_table(project, dataset, table)
    kept = bigquery.metadata.get(name, backend_resource["creationTime"])
    size = bigquery.sizes.of(backend_resource)
    return _represent(
        bigquery,
        name,
        backend_resource | dict.fromkeys(_SIZES, size),
        kept,
        bigquery.backend.find(str(ResourceName.parse(name).parent)),
    )


def patch(bigquery: BigQuery, path: Mapping[str, str], body: Json, etag: str) -> Json:
    """Change the fields that a body names; null removes a field."""
    return _change(bigquery, path, body, etag, whole=False)


def put(bigquery: BigQuery, path: Mapping[str, str], body: Json, etag: str) -> Json:
    """Replace a table's settings; its schema stays where the body has none."""
    return _change(bigquery, path, body, etag, whole=True)


def delete(bigquery: BigQuery, project: str, dataset: str, table: str) -> None:
    """Delete a table or a view.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    if get(bigquery, project, dataset, table)["type"] == "VIEW":
        bigquery.backend.run(project, f"DROP VIEW {_quoted(project, dataset, table)}")
    else:
        bigquery.backend.call("DELETE", name)
    bigquery.metadata.delete_prefix(name)


def list_page(bigquery: BigQuery, project: str, dataset: str, query: QueryParams) -> Json:
    """One page of a dataset's tables and views, each in short.

    Raises:
        ApiError: 404 for no such dataset, 400 for a bad page.
    """
    datasets.get(bigquery, project, dataset)
    parent = f"projects/{project}/datasets/{dataset}"
    backend_resources = bigquery.backend.call("GET", f"{parent}/tables", maxResults=EVERYTHING)[
        "tables"
    ]
    kept = bigquery.metadata.below(parent)
    items = []
    for backend_resource in sorted(
        backend_resources,
        key=lambda backend_resource: str(backend_resource["tableReference"]["tableId"]),
    ):
        name = f"{parent}/tables/{backend_resource['tableReference']['tableId']}"
        whole = backend_resource | kept.get((name, backend_resource["creationTime"]), {})
        item = {key: whole[key] for key in _LISTED if key in whole}
        items.append(item | ({"view": {"useLegacySql": False}} if "view" in whole else {}))
    return {**page_of("table", items, query, f"{parent}/tables"), "totalItems": len(items)}


def _change(
    bigquery: BigQuery, path: Mapping[str, str], body: Json, etag: str, *, whole: bool
) -> Json:
    change = settings("Table", body)
    project, dataset, table = path["project"], path["dataset"], path["table"]
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    with bigquery.metadata.changing:
        present = get(bigquery, project, dataset, table)
        check_etag(present, etag)
        before = settings("Table", present)
        kept = without_nulls(change) if whole else merge_patch(before, change)
        kept["creationTime"], kept["lastModifiedTime"] = present["creationTime"], now()
        if present["type"] == "VIEW":
            kept.setdefault("view", before.get("view"))
            again = kept["view"] != before.get("view")
            reference = (project, dataset, table)
            backend_resource = (
                _make_view(bigquery, reference, kept, "CREATE OR REPLACE VIEW")
                if again
                else bigquery.backend.call("GET", name)
            )
        else:
            _add_columns(bigquery, (project, dataset, table), before, change)
            backend_resource = bigquery.backend.call(
                "PATCH", name, _backend_fields(kept) | _layout(kept)
            )
        kept.pop("schema", None)
        bigquery.metadata.set(name, backend_resource["creationTime"], kept)
    return get(bigquery, project, dataset, table)


def _make_view(bigquery: BigQuery, reference: tuple[str, str, str], kept: Json, verb: str) -> Json:
    """Have bqemulator make a view, which it does by SQL alone.

    Raises:
        ApiError: what is wrong with the query, such as 404 for a table that is not existing.
    """
    view = kept["view"]
    query = str(view.get("query") or "").strip().rstrip(";")
    if not query:
        raise invalid("A view must have a query.")
    if view.get("useLegacySql", True):
        raise BigQueryError(
            501,
            "notImplemented",
            "Views in legacy SQL, which is the default, are not served by the local Google Cloud: "
            "set useLegacySql to false.",
        )
    project, dataset, table = reference
    bigquery.backend.run(project, f"{verb} {_quoted(*reference)} AS\n{query}")
    return bigquery.backend.call("GET", f"projects/{project}/datasets/{dataset}/tables/{table}")


def _add_columns(
    bigquery: BigQuery, reference: tuple[str, str, str], before: Json, change: Mapping[str, Any]
) -> None:
    """Add the new columns of its new schema to a table; a schema can only grow.

    Raises:
        ApiError: 400 for a column that the new schema lacks.
    """
    wanted = (change.get("schema") or {}).get("fields") or []
    if not wanted:
        return
    project, dataset, table = reference
    existing = {str(field["name"]).lower() for field in before.get("schema", {}).get("fields", [])}
    wanted_names = {str(field.get("name")).lower() for field in wanted}
    for missing in sorted(existing - wanted_names):
        raise invalid(
            f"Provided Schema does not match Table {project}:{dataset}.{table}. "
            f"Field {missing} is missing in new schema"
        )
    for field in wanted:
        if str(field["name"]).lower() not in existing:
            column = f"`{field['name']}` {sql_type(field)}"
            statement = f"ALTER TABLE {_quoted(*reference)} ADD COLUMN {column}"
            bigquery.backend.run(project, statement)


def _represent(
    bigquery: BigQuery, name: str, backend_resource: Json, kept: Json | None, parent: Json | None
) -> Json:
    location = {"location": parent["location"]} if parent else {}
    return to_rest(bigquery, "Table", name, backend_resource | location, kept)


def _backend_fields(kept: Json) -> Json:
    return {key: kept.get(key, default) for key, default in _FOR_BACKEND.items()}


def _layout(kept: Json) -> Json:
    """Partitioning and clustering, which bqemulator takes at creation alone."""
    return {key: kept[key] for key in ("schema", "timePartitioning", "clustering") if key in kept}


def _quoted(project: str, dataset: str, table: str) -> str:
    return f"`{project}.{dataset}.{table}`"
