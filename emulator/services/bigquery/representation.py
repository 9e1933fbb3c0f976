"""What datasets and tables share: how a body reads, and how an answer is made of two halves."""

import base64
import hashlib
import json
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from starlette.datastructures import QueryParams

from emulator.bigquery.errors import BigQueryError, invalid
from emulator.cloud import Cloud
from emulator.discovery import api, document
from emulator.http import page

Json = dict[str, Any]
EVERYTHING = "1000000"
"""As many as a list of bqemulator's shall hold."""
_INTEGERS = re.compile(r"u?int64")
_NOT_KEPT = {"kind", "datasetReference", "tableReference", "partitionDefinition", "location"}
"""What bqemulator answers itself, or what is an output though the discovery document has it not."""


@cache
def writable(message: str) -> frozenset[str]:
    """The fields that a client can set, but for the names."""
    properties = document("bigquery", "v2")["schemas"][message]["properties"]
    fields = {name for name, kind in properties.items() if not kind.get("readOnly")}
    return frozenset(fields - _NOT_KEPT)


def settings(message: str, body: Mapping[str, Any]) -> Json:
    """What a body sets, with large integers as the texts that BigQuery answers.

    Raises:
        ApiError: 400 for what is no such message.
    """
    api("bigquery", "v2").check(message, _said(body))
    return {k: v for k, v in _as_answered(message, body).items() if k in writable(message)}


def _said(value: Any) -> Any:
    """A value without the nulls in its objects: a PATCH may say null of any field."""
    if isinstance(value, Mapping):
        return {key: _said(below) for key, below in value.items() if below is not None}
    return [_said(item) for item in value] if isinstance(value, list) else value


def without_nulls(values: Json) -> Json:
    """A body that replaces the whole: what it says is null is not set."""
    return {key: value for key, value in values.items() if value is not None}


def _as_answered(message: str, body: Mapping[str, Any]) -> Json:
    properties = document("bigquery", "v2")["schemas"][message].get("properties", {})
    return {key: _value(properties.get(key, {}), value) for key, value in body.items()}


def _value(kind: Mapping[str, Any], value: Any) -> Any:
    if "$ref" in kind and isinstance(value, Mapping):
        return _as_answered(kind["$ref"], value)
    if kind.get("type") == "array" and isinstance(value, list):
        return [_value(kind["items"], item) for item in value]
    integer = isinstance(value, int) and _INTEGERS.fullmatch(str(kind.get("format", "")))
    return str(value) if integer else value


def page_of(kind: str, items: list[Json], query: QueryParams) -> Json:
    """One page of datasets or tables.

    Args:
        kind: `dataset` or `table`.
        items: All of them, each in short.
        query: `maxResults` and `pageToken`.

    Raises:
        ApiError: 400 for a bad page.
    """
    asked = {"pageSize": query.get("maxResults", ""), "pageToken": query.get("pageToken", "")}
    shown_page = page(items, asked, f"{kind}s", default=1000, most=10_000)
    return {"kind": f"bigquery#{kind}List", **shown_page}


def now() -> str:
    """This moment as BigQuery writes it: milliseconds since 1970."""
    return str(time.time_ns() // 1_000_000)


def shown(cloud: Cloud, message: str, name: str, twin: Json, kept: Json | None) -> Json:
    """A resource as BigQuery answers it.

    Args:
        cloud: The state of all services.
        message: `Dataset` or `Table`.
        name: The full name.
        twin: What bqemulator answers.
        kept: What was set here; None for a resource that was made by a job or by SQL.
    """
    answer = {**twin, "selfLink": f"{cloud.settings.root_url}/bigquery/v2/{name}"}
    if kept is not None:
        own = writable(message) - ({"schema"} if message == "Table" else set())
        answer = {key: value for key, value in answer.items() if key not in own} | kept
    answer.pop("etag", None)
    digest = hashlib.sha256(json.dumps(answer, sort_keys=True).encode()).digest()
    return {**answer, "etag": base64.urlsafe_b64encode(digest[:15]).decode()}


def check_etag(present: Json, wanted: str) -> None:
    """Refuse a change of what somebody else changed meanwhile.

    Args:
        present: The resource as it is answered.
        wanted: The header If-Match; empty for none.

    Raises:
        ApiError: 412.
    """
    if wanted.strip('"') not in ("", "*", present["etag"]):
        raise BigQueryError(412, "conditionNotMet", "Precondition check failed.")


def new_id(kind: str, body: Mapping[str, Any], pattern: str) -> str:
    """The id of what a body makes.

    Raises:
        ApiError: 400 for none, or a bad one.
    """
    reference = body.get(f"{kind}Reference")
    given = reference.get(f"{kind}Id") if isinstance(reference, Mapping) else None
    if not given:
        raise BigQueryError(400, "required", "Required parameter is missing")
    if not isinstance(given, str) or not re.fullmatch(pattern, given):
        raise invalid(f"Invalid {kind} ID {json.dumps(given)}.")
    return given
