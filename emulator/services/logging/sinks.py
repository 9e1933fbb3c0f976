"""Sinks: where new entries of a project are routed to.

Documented (https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.sinks and
https://cloud.google.com/logging/docs/export/configure_export_v2): destinations, names, the identity
that writes. Inferred (conformance: logging-missing-text): the texts of refusals.
"""

import re
from typing import Any

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import bad_field, unimplemented
from emulator.core.resources.field_mask import FieldMask
from emulator.core.rest import Call
from emulator.services.logging.entry_filter import ENTRIES
from emulator.services.logging.service import Logging

API = "logging.googleapis.com"
SHARED_WRITER = "serviceAccount:cloud-logs@system.gserviceaccount.com"
"""The identity of sinks that ask for none of their own."""
DEFAULT_PAGE = 50
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,99}")
_DESTINATION = re.compile(
    r"storage\.googleapis\.com/[^/]+|bigquery\.googleapis\.com/projects/[^/]+/datasets/[^/]+"
)
_LATER = re.compile(r"(pubsub|logging)\.googleapis\.com/.+")
_OUTPUT = frozenset({"createTime", "resourceName", "updateTime", "writerIdentity"})
_LEGACY_MASK = "destination,filter,includeChildren"
"""The fields that an update without a mask changes."""

Sink = dict[str, Any]


def create(call: Call[Logging]) -> Sink:
    """Create a sink; entries that are written from now on are routed."""
    given = _given(call)
    id_ = given.get("name", "")
    if not _NAME.fullmatch(id_):
        raise bad_field("sink.name", f"Sink name {id_!r}: letters, digits, _, - and ., at most 100")
    project = _project(call)
    now = timestamps.now()
    name = call.service.sinks.name_of(project, id_)
    sink = {
        **_checked(given),
        "resourceName": name,
        "createTime": now,
        "updateTime": now,
        "writerIdentity": _writer(call, project),
    }
    return call.service.sinks.create(name, sink)


def list_sinks(call: Call[Logging]) -> dict[str, Any]:
    """Return the sinks of a project."""
    project = _project(call)
    return call.service.sinks.list_page(project, call.query, "sinks", default=DEFAULT_PAGE)


def get(call: Call[Logging]) -> Sink:
    """One sink."""
    return call.service.sinks.get(_name(call))


def update(call: Call[Logging]) -> Sink:
    """Change the fields of a sink that the mask names."""
    messages = api("logging", "v2")
    given = _given(call)
    mask = FieldMask.parse(call.query.get("updateMask") or _LEGACY_MASK, messages, "LogSink")
    asks = call.query.get("uniqueWriterIdentity") or call.query.get("customWriterIdentity")
    writer = {"writerIdentity": _writer(call, _project(call))} if asks else {}

    def change(present: Sink) -> Sink:
        changed = {**mask.apply(present, given), **writer, "name": present["name"]}
        return _checked(changed) | {"updateTime": timestamps.now()}

    return call.service.sinks.update(_name(call), change)


def delete(call: Call[Logging]) -> dict[str, Any]:
    """Delete a sink; what it has routed stays."""
    call.service.sinks.delete(_name(call))
    return {}


def _given(call: Call[Logging]) -> Sink:
    messages = api("logging", "v2")
    sent = {field: value for field, value in call.body.items() if field not in _OUTPUT}
    messages.check("LogSink", sent)
    return messages.normal("LogSink", sent)


def _checked(sink: Sink) -> Sink:
    """Return a sink as it is kept.

    Raises:
        ApiError: 400 for a destination or a filter that is not valid, 501 for one not served here
    """
    destination = sink.get("destination", "")
    if _LATER.fullmatch(destination):
        raise unimplemented(f"Sinks to {destination} are not served by the local Google Cloud yet.")
    if not _DESTINATION.fullmatch(destination):
        raise bad_field("sink.destination", f"Sink destination {destination!r} is not valid")
    for text in (sink.get("filter", ""), *(one["filter"] for one in sink.get("exclusions", []))):
        ENTRIES.compile(text)
    options = sink.get("bigqueryOptions")
    if options and options.get("usePartitionedTables"):
        options["usesTimestampColumnPartitioning"] = True
    return sink


def _writer(call: Call[Logging], project: str) -> str:
    """Return the identity of a sink, as IAM writes it; a project's own exists from now on."""
    if custom := call.query.get("customWriterIdentity"):
        return custom
    if call.query.get("uniqueWriterIdentity", "").lower() != "true":
        return SHARED_WRITER
    number = call.service.projects.number_of(project)
    agents = call.service.iam.service_accounts
    return f"serviceAccount:{agents.create_agent(project, number, API)}"


def _project(call: Call[Logging]) -> str:
    return call.service.projects.id_of(call.path["project"])


def _name(call: Call[Logging]) -> str:
    return call.service.sinks.name_of(_project(call), call.path["sink"])
