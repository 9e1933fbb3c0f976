"""Representation of datasets and tables: reading a body, and merging stored and backend data.

Inferred (conformance: bigquery-id-text): the text of a refusal.
"""

import base64
import hashlib
import json
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.datastructures import QueryParams

from emulator.core.discovery import api, document
from emulator.core.resources.paging import from_items, paginate
from emulator.services.bigquery.errors import BigQueryError, invalid
from emulator.services.bigquery.service import BigQuery

Json = dict[str, Any]
EVERYTHING = "1000000"
"""As many as a list of bqemulator's shall hold."""
_INTEGERS = re.compile(r"u?int64")
_NOT_KEPT = {"kind", "datasetReference", "tableReference", "partitionDefinition", "location"}
"""Fields that bqemulator returns, and outputs that the discovery document does not mark."""


@cache
def writable(message: str) -> frozenset[str]:
    """Return the fields that a client can set, but for the names."""
    properties = document("bigquery", "v2")["schemas"][message]["properties"]
    fields = {name for name, schema in properties.items() if not schema.get("readOnly")}
    return frozenset(fields - _NOT_KEPT)


def settings(message: str, body: Mapping[str, Any]) -> Json:
    """Return the fields that a body sets, with large integers as strings, as in BigQuery.

    Raises:
        ApiError: 400 for an invalid message.
    """
    api("bigquery", "v2").check(message, _drop_nulls(body))
    return {k: v for k, v in _as_answered(message, body).items() if k in writable(message)}


def _drop_nulls(value: Any) -> Any:
    """Return a value without the nulls in its objects: a PATCH may say null of any field."""
    if isinstance(value, Mapping):
        return {key: _drop_nulls(below) for key, below in value.items() if below is not None}
    return [_drop_nulls(item) for item in value] if isinstance(value, list) else value


def without_nulls(values: Json) -> Json:
    """Return a body that replaces a resource, without its nulls."""
    return {key: value for key, value in values.items() if value is not None}


def _as_answered(message: str, body: Mapping[str, Any]) -> Json:
    properties = document("bigquery", "v2")["schemas"][message].get("properties", {})
    return {key: _value(properties.get(key, {}), value) for key, value in body.items()}


def _value(schema: Mapping[str, Any], value: Any) -> Any:
    if "$ref" in schema and isinstance(value, Mapping):
        return _as_answered(schema["$ref"], value)
    if schema.get("type") == "array" and isinstance(value, list):
        return [_value(schema["items"], item) for item in value]
    integer = isinstance(value, int) and _INTEGERS.fullmatch(str(schema.get("format", "")))
    return str(value) if integer else value


def page_of(resource_type: str, items: list[Json], query: QueryParams, scope: str) -> Json:
    """Return one page of datasets or tables, by id.

    Args:
        resource_type: `dataset` or `table`
        items: all of them, each in its short form
        query: `maxResults` and `pageToken`
        scope: the collection and what else chooses its items

    Raises:
        ApiError: 400 for a bad page.
    """
    asked = {"pageSize": query.get("maxResults", ""), "pageToken": query.get("pageToken", "")}
    page = paginate(
        from_items(
            items, lambda item: str(item[f"{resource_type}Reference"][f"{resource_type}Id"])
        ),
        asked,
        f"{resource_type}s",
        scope=scope,
        default=1000,
        maximum=10_000,
    )
    return {"kind": f"bigquery#{resource_type}List", **page}


def now() -> str:
    """Return this moment as BigQuery writes it: milliseconds since 1970."""
    return str(time.time_ns() // 1_000_000)


def to_rest(
    bigquery: BigQuery, message: str, name: str, backend_resource: Json, kept: Json | None
) -> Json:
    """Return a resource as BigQuery answers it.

    Args:
        bigquery: the state of the service
        message: `Dataset` or `Table`.
        name: The full name.
        backend_resource: The resource in bqemulator.
        kept: What was set here; None for a resource that was made by a job or by SQL.
    """
    answer = {**backend_resource, "selfLink": f"{bigquery.root_url}/bigquery/v2/{name}"}
    if kept is not None:
        own = writable(message) - ({"schema"} if message == "Table" else set())
        answer = {key: value for key, value in answer.items() if key not in own} | kept
    answer.pop("etag", None)
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).digest()
    return {**answer, "etag": base64.urlsafe_b64encode(digest[:15]).decode()}


def check_etag(present: Json, wanted: str) -> None:
    """Raise an error if another client changed the resource meanwhile.

    Args:
        present: The resource as it is answered.
        wanted: The header If-Match; empty for none.

    Raises:
        ApiError: 412.
    """
    if wanted.strip('"') not in ("", "*", present["etag"]):
        raise BigQueryError(412, "conditionNotMet", "Precondition check failed.")


def new_id(resource_type: str, body: Mapping[str, Any], pattern: str) -> str:
    """Return the id of the resource that a body creates.

    Raises:
        ApiError: 400 for a missing or invalid id
    """
    reference = body.get(f"{resource_type}Reference")
    given = reference.get(f"{resource_type}Id") if isinstance(reference, Mapping) else None
    if not given:
        raise BigQueryError(400, "required", "Required parameter is missing")
    if not isinstance(given, str) or not re.fullmatch(pattern, given):
        raise invalid(f"Invalid {resource_type} ID {json.dumps(given)}.")
    return given
