"""Log-based metrics, as settings: nothing is counted.

Documented (https://cloud.google.com/logging/docs/reference/v2/rest/v2/projects.metrics): the
fields, and the descriptor of a metric that gives none.
"""

import re
from typing import Any
from urllib.parse import quote, unquote

from emulator.core import timestamps
from emulator.core.discovery import api
from emulator.core.errors import bad_field
from emulator.core.rest import Call
from emulator.services.logging.entry_filter import ENTRIES
from emulator.services.logging.service import Logging
from emulator.services.logging.sinks import DEFAULT_PAGE

_NAME = re.compile(r"[A-Za-z0-9_.,+!*',()%-][A-Za-z0-9_.,+!*',()%/-]{0,99}")
_OUTPUT = frozenset({"createTime", "resourceName", "updateTime"})

Metric = dict[str, Any]


def create(call: Call[Logging]) -> Metric:
    """Create a metric."""
    project = _project(call)
    metric = _given(call, project)
    now = timestamps.now()
    name = call.service.metrics.name_of(project, quote(metric["name"], safe=""))
    return call.service.metrics.create(
        name, {**metric, "resourceName": name, "createTime": now, "updateTime": now}
    )


def list_metrics(call: Call[Logging]) -> dict[str, Any]:
    """Return the metrics of a project."""
    project = _project(call)
    return call.service.metrics.list_page(project, call.query, "metrics", default=DEFAULT_PAGE)


def get(call: Call[Logging]) -> Metric:
    """One metric."""
    return call.service.metrics.get(_name(call))


def update(call: Call[Logging]) -> Metric:
    """Replace a metric, or create it if it does not exist."""
    name, now = _name(call), timestamps.now()
    present = call.service.metrics.find(name)
    if present is None:
        return create(call)
    metric = _given(call, _project(call))
    created = {"resourceName": name, "createTime": present["createTime"], "updateTime": now}
    return call.service.metrics.update(name, lambda _: {**metric, **created})


def delete(call: Call[Logging]) -> dict[str, Any]:
    """Delete a metric."""
    call.service.metrics.delete(_name(call))
    return {}


def _given(call: Call[Logging], project: str) -> Metric:
    """Return the metric of a request.

    Raises:
        ApiError: 400 for a name or a filter that is not valid
    """
    messages = api("logging", "v2")
    sent = {field: value for field, value in call.body.items() if field not in _OUTPUT}
    messages.check("LogMetric", sent)
    metric = messages.normal("LogMetric", sent)
    id_ = metric.get("name", "")
    if not _NAME.fullmatch(id_):
        raise bad_field("metric.name", f"Metric name {id_!r} is not valid")
    if not metric.get("filter", "").strip():
        raise bad_field("metric.filter", "Metric filter is required")
    ENTRIES.compile(metric["filter"])
    type_ = f"logging.googleapis.com/user/{id_}"
    descriptor = {
        "metricKind": "DELTA",
        "valueType": "INT64",
        **metric.get("metricDescriptor", {}),
        "name": f"projects/{project}/metricDescriptors/{type_}",
        "type": type_,
    }
    return {**metric, "metricDescriptor": descriptor}


def _project(call: Call[Logging]) -> str:
    return call.service.projects.id_of(call.path["project"])


def _name(call: Call[Logging]) -> str:
    id_ = quote(unquote(call.path["metric"]), safe="")
    return call.service.metrics.name_of(_project(call), id_)
