"""Tables and views: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables."""

from collections.abc import Mapping
from typing import Any

from starlette.datastructures import QueryParams

from emulator.bigquery import datasets
from emulator.bigquery.columns import sql_type
from emulator.bigquery.errors import BigQueryError, invalid, no_table
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

_ID = r"[\w\- ]{1,1024}"
_LISTED = (
    "kind", "id", "tableReference", "type", "creationTime", "friendlyName", "labels",
    "expirationTime", "timePartitioning", "rangePartitioning", "clustering",
)  # fmt: skip
_FOR_BACKEND: Json = {"description": None, "friendlyName": None, "labels": {}}
_NOT_SERVED = ("externalDataConfiguration", "materializedView", "biglakeConfiguration")


def insert(cloud: Cloud, project: str, dataset: str, body: Json) -> Json:
    """Make a table or a view; it expires as its dataset says, unless it says so itself.

    Raises:
        ApiError: 400 for a bad body or a bad view, 404 for no such dataset, or no such table behind
            a view, 409 for one that is there, 501 for external tables and materialized views.
    """
    kept = without_nulls(settings("Table", body))
    table = new_id("table", body, _ID)
    for kind in _NOT_SERVED:
        if kept.get(kind):
            raise BigQueryError(
                501, "notImplemented", f"{kind} is not served by the local Google Cloud yet."
            )
    parent = datasets.get(cloud, project, dataset)
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    if cloud.bigquery.find(name):
        raise BigQueryError(409, "duplicate", f"Already Exists: Table {project}:{dataset}.{table}")
    if lifetime := parent.get("defaultTableExpirationMs"):
        kept.setdefault("expirationTime", str(int(now()) + int(lifetime)))
    if kept.get("view"):
        twin = _make_view(cloud, (project, dataset, table), kept, "CREATE VIEW")
    else:
        reference = {"projectId": project, "datasetId": dataset, "tableId": table}
        sent = {**_known(kept), **_layout(kept), "tableReference": reference}
        twin = cloud.bigquery.call("POST", f"projects/{project}/datasets/{dataset}/tables", sent)
    kept.pop("schema", None)
    cloud.bigquery_metadata.set(name, twin["creationTime"], kept)
    return _shown(cloud, name, twin, kept, parent)


def get(cloud: Cloud, project: str, dataset: str, table: str) -> Json:
    """Read a table or a view.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    twin = cloud.bigquery.find(name)
    if twin is None:
        datasets.get(cloud, project, dataset)
        raise no_table(project, dataset, table)
    kept = cloud.bigquery_metadata.get(name, twin["creationTime"])
    return _shown(cloud, name, twin, kept, cloud.bigquery.find(name.rpartition("/tables/")[0]))


def patch(cloud: Cloud, path: Mapping[str, str], body: Json, etag: str) -> Json:
    """Change what a body names; null takes a field away."""
    return _change(cloud, path, body, etag, whole=False)


def put(cloud: Cloud, path: Mapping[str, str], body: Json, etag: str) -> Json:
    """Replace a table's settings; its schema stays where the body has none."""
    return _change(cloud, path, body, etag, whole=True)


def delete(cloud: Cloud, project: str, dataset: str, table: str) -> None:
    """Delete a table or a view.

    Raises:
        ApiError: 404.
    """
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    if get(cloud, project, dataset, table)["type"] == "VIEW":
        cloud.bigquery.run(project, f"DROP VIEW {_quoted(project, dataset, table)}")
    else:
        cloud.bigquery.call("DELETE", name)
    cloud.bigquery_metadata.drop(name)


def listed(cloud: Cloud, project: str, dataset: str, query: QueryParams) -> Json:
    """One page of a dataset's tables and views, each in short.

    Raises:
        ApiError: 404 for no such dataset, 400 for a bad page.
    """
    datasets.get(cloud, project, dataset)
    parent = f"projects/{project}/datasets/{dataset}"
    twins = cloud.bigquery.call("GET", f"{parent}/tables", maxResults=EVERYTHING)["tables"]
    kept = cloud.bigquery_metadata.below(parent)
    items = []
    for twin in sorted(twins, key=lambda twin: str(twin["tableReference"]["tableId"])):
        name = f"{parent}/tables/{twin['tableReference']['tableId']}"
        whole = twin | kept.get((name, twin["creationTime"]), {})
        item = {key: whole[key] for key in _LISTED if key in whole}
        items.append(item | ({"view": {"useLegacySql": False}} if "view" in whole else {}))
    return {**page_of("table", items, query), "totalItems": len(items)}


def _change(cloud: Cloud, path: Mapping[str, str], body: Json, etag: str, *, whole: bool) -> Json:
    change = settings("Table", body)
    project, dataset, table = path["project"], path["dataset"], path["table"]
    name = f"projects/{project}/datasets/{dataset}/tables/{table}"
    with cloud.bigquery_metadata.changing:
        present = get(cloud, project, dataset, table)
        check_etag(present, etag)
        before = settings("Table", present)
        kept = without_nulls(change) if whole else merged(before, change)
        kept["creationTime"], kept["lastModifiedTime"] = present["creationTime"], now()
        if present["type"] == "VIEW":
            kept.setdefault("view", before.get("view"))
            again = kept["view"] != before.get("view")
            place = (project, dataset, table)
            twin = (
                _make_view(cloud, place, kept, "CREATE OR REPLACE VIEW")
                if again
                else cloud.bigquery.call("GET", name)
            )
        else:
            _add_columns(cloud, (project, dataset, table), before, change)
            twin = cloud.bigquery.call("PATCH", name, _known(kept) | _layout(kept))
        kept.pop("schema", None)
        cloud.bigquery_metadata.set(name, twin["creationTime"], kept)
    return get(cloud, project, dataset, table)


def _make_view(cloud: Cloud, place: tuple[str, str, str], kept: Json, verb: str) -> Json:
    """Have bqemulator make a view, which it does by SQL alone.

    Raises:
        ApiError: what is wrong with the query, such as 404 for a table that is not there.
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
    project, dataset, table = place
    cloud.bigquery.run(project, f"{verb} {_quoted(*place)} AS\n{query}")
    return cloud.bigquery.call("GET", f"projects/{project}/datasets/{dataset}/tables/{table}")


def _add_columns(
    cloud: Cloud, place: tuple[str, str, str], before: Json, change: Mapping[str, Any]
) -> None:
    """Give a table the new columns of its new schema; a schema can only grow.

    Raises:
        ApiError: 400 for a column that the new schema lacks.
    """
    wanted = (change.get("schema") or {}).get("fields") or []
    if not wanted:
        return
    project, dataset, table = place
    there = {str(field["name"]).lower() for field in before.get("schema", {}).get("fields", [])}
    named = {str(field.get("name")).lower() for field in wanted}
    for missing in sorted(there - named):
        raise invalid(
            f"Provided Schema does not match Table {project}:{dataset}.{table}. "
            f"Field {missing} is missing in new schema"
        )
    for field in wanted:
        if str(field["name"]).lower() not in there:
            column = f"`{field['name']}` {sql_type(field)}"
            statement = f"ALTER TABLE {_quoted(*place)} ADD COLUMN {column}"
            cloud.bigquery.run(project, statement)


def _shown(cloud: Cloud, name: str, twin: Json, kept: Json | None, parent: Json | None) -> Json:
    place = {"location": parent["location"]} if parent else {}
    return shown(cloud, "Table", name, twin | place, kept)


def _known(kept: Json) -> Json:
    return {key: kept.get(key, default) for key, default in _FOR_BACKEND.items()}


def _layout(kept: Json) -> Json:
    """How the rows lie: what bqemulator takes when it is said, and never forgets."""
    return {key: kept[key] for key in ("schema", "timePartitioning", "clustering") if key in kept}


def _quoted(project: str, dataset: str, table: str) -> str:
    return f"`{project}.{dataset}.{table}`"
