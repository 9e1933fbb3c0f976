"""Requests and answers of Cloud Logging.

The limits are those of https://cloud.google.com/logging/quotas.

Inferred (conformance: logging-no-name-text, logging-no-resource-text): the texts of refusals.
"""

import re
from functools import partial
from typing import Any
from urllib.parse import quote, unquote

from emulator.core.discovery import api
from emulator.core.errors import ApiError, bad_field, invalid_argument, unimplemented
from emulator.core.resources.paging import paginate
from emulator.core.rest import Call
from emulator.services.logging.entries import Entry, sortable
from emulator.services.logging.entry_filter import ENTRIES, SEVERITIES
from emulator.services.logging.service import Logging

MAX_ENTRY_BYTES = 256 << 10
_MAX_PAGE, _DEFAULT_PAGE = 1000, 50
_PROJECT = re.compile(r"projects/([^/]+)")
_LOG_NAME = re.compile(r"projects/([^/]+)/logs/([\w./%-]{1,512})")
_ORDERS = {"": False, "timestamp asc": False, "timestamp desc": True}
_OUTPUT = ("receiveTimestamp",)


def list_entries(call: Call[Logging]) -> dict[str, Any]:
    """Return the entries of projects that match a filter."""
    body = _request(call, "ListLogEntriesRequest")
    names = [*body.get("resourceNames", []), *map(_project_name, body.get("projectIds", []))]
    if not names:
        raise bad_field("resource_names", "resource_names is required: projects/PROJECT")
    projects = [_project(call, name) for name in names]
    order = body.get("orderBy", "")
    if order not in _ORDERS:
        raise bad_field("order_by", f"order_by {order!r}: timestamp asc or timestamp desc")
    text = body.get("filter", "")
    page = {"pageSize": str(body.get("pageSize", "")), "pageToken": body.get("pageToken", "")}
    return paginate(
        partial(call.service.entries.page, projects, newest_first=_ORDERS[order]),
        page,
        "entries",
        scope=f"{sorted(projects)} {text} {order}",
        default=_DEFAULT_PAGE,
        maximum=_MAX_PAGE,
        matches=ENTRIES.compile(text),
    )


def write_entries(call: Call[Logging]) -> dict[str, Any]:
    """Write entries: all of them, or none if one is invalid."""
    body = _request(call, "WriteLogEntriesRequest")
    entries = body.get("entries", [])
    if not entries:
        raise bad_field("entries", "entries is required")
    common: Entry = {field: body[field] for field in ("logName", "resource") if field in body}
    labels = body.get("labels", {})
    whole = [_entry(call, {**common, **each}, labels) for each in entries]
    if not body.get("dryRun"):
        call.service.entries.write(whole)
    return {}


def list_logs(call: Call[Logging]) -> dict[str, Any]:
    """Return the names of the logs of a project that have entries."""
    project = call.service.projects.id_of(call.path["project"])

    def fetch(after: str | None, limit: int) -> list[tuple[str, Any]]:
        return list(call.service.entries.logs(project, after, limit))

    return paginate(
        fetch,
        call.query,
        "logNames",
        scope=f"projects/{project}/logs",
        default=_DEFAULT_PAGE,
        maximum=_MAX_PAGE,
    )


def delete_log(call: Call[Logging]) -> dict[str, Any]:
    """Delete the entries of a log."""
    project = call.service.projects.id_of(call.path["project"])
    log = quote(unquote(call.path["log"]), safe="")
    call.service.entries.delete(f"projects/{project}/logs/{log}")
    return {}


def _entry(call: Call[Logging], entry: Entry, labels: dict[str, str]) -> Entry:
    """Return an entry as it is kept.

    Raises:
        ApiError: 400 for an invalid entry, 413 for one that is too large
    """
    match = _LOG_NAME.fullmatch(entry.get("logName", ""))
    if match is None:
        raise bad_field("log_name", "log_name is required: projects/PROJECT/logs/LOG")
    project = call.service.projects.id_of(match[1])
    if len(str(entry).encode()) > MAX_ENTRY_BYTES:
        raise ApiError(
            413, "INVALID_ARGUMENT", f"Log entry is larger than {MAX_ENTRY_BYTES} bytes."
        )
    if not entry.get("resource", {}).get("type"):
        raise bad_field("resource", 'resource is required, such as {"type": "global"}')
    severity = entry.get("severity", "DEFAULT")
    if severity not in SEVERITIES:
        raise bad_field("severity", f"severity {severity!r}: one of {', '.join(SEVERITIES)}")
    if "timestamp" in entry:
        try:
            sortable(entry["timestamp"])
        except ValueError as error:
            raise bad_field("timestamp", f"timestamp: {error}") from None
    kept = {field: value for field, value in entry.items() if field not in _OUTPUT}
    log = quote(unquote(match[2]), safe="")
    both = {**labels, **entry.get("labels", {})}
    return {
        **kept,
        "logName": f"projects/{project}/logs/{log}",
        **({"labels": both} if both else {}),
    }


def _project_name(project: str) -> str:
    return f"projects/{project}"


def _project(call: Call[Logging], name: str) -> str:
    match = _PROJECT.fullmatch(name)
    if match is None:
        if name.startswith(("organizations/", "folders/", "billingAccounts/", "projects/")):
            raise unimplemented(f"entries of {name} are not served here: name projects/PROJECT")
        raise invalid_argument(f"resource_names {name!r}: projects/PROJECT")
    return call.service.projects.id_of(match[1])


def _request(call: Call[Logging], message: str) -> dict[str, Any]:
    """Return the body of a request, checked, without nulls."""
    messages = api("logging", "v2")
    messages.check(message, call.body)
    return messages.normal(message, call.body)
