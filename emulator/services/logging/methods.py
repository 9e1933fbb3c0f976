"""The methods of Cloud Logging, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/logging/docs/audit-logging): the names and types. Calls
about entries, whose projects stand in their bodies, are not in the table.
"""

from emulator.core.method_table import MethodTable, Row

_V2 = "google.logging.v2"
_CONFIG, _COUNTS = f"{_V2}.ConfigServiceV2", f"{_V2}.MetricsServiceV2"
_CHANGES = (
    ("GET", "get", "Get"),
    ("PUT PATCH", "update", "Update"),
    ("DELETE", "delete", "Delete"),
)
_PROJECT = "projects/{p}"
_SINKS, _METRICS = f"{_PROJECT}/sinks", f"{_PROJECT}/metrics"
_SINK, _METRIC = f"{_SINKS}/{{s}}", f"{_METRICS}/{{*}}"

TABLE = MethodTable(
    "logging.googleapis.com",
    (
        Row(
            "GET",
            f"{_PROJECT}/logs",
            "logging.logs.list",
            _PROJECT,
            f"{_V2}.LoggingServiceV2.ListLogs",
        ),
        Row(
            "DELETE",
            f"{_PROJECT}/logs/{{*}}",
            "logging.logs.delete",
            _PROJECT,
            f"{_V2}.LoggingServiceV2.DeleteLog",
            f"{_PROJECT}/logs/{{*}}",
        ),
        Row("GET", _SINKS, "logging.sinks.list", _PROJECT, f"{_CONFIG}.ListSinks"),
        Row(
            "POST",
            _SINKS,
            "logging.sinks.create",
            _PROJECT,
            f"{_CONFIG}.CreateSink",
            f"{_SINKS}/{{new}}",
            "name",
        ),
        *(
            Row(verbs, _SINK, f"logging.sinks.{name}", _PROJECT, f"{_CONFIG}.{title}Sink", _SINK)
            for verbs, name, title in _CHANGES
        ),
        Row("GET", _METRICS, "logging.logMetrics.list", _PROJECT, f"{_COUNTS}.ListLogMetrics"),
        Row(
            "POST",
            _METRICS,
            "logging.logMetrics.create",
            _PROJECT,
            f"{_COUNTS}.CreateLogMetric",
            f"{_METRICS}/{{new}}",
            "name",
        ),
        *(
            Row(
                verbs,
                _METRIC,
                f"logging.logMetrics.{name}",
                _PROJECT,
                f"{_COUNTS}.{title}LogMetric",
                _METRIC,
            )
            for verbs, name, title in _CHANGES
        ),
    ),
    root="/v2/",
    monitored=(
        ("projects/{project_id}/sinks/{name}", "logging_sink"),
        ("projects/{project_id}/metrics/{name}", "metric"),
    ),
)
