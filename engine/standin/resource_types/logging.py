"""Resource types of Cloud Logging: sink and log-based metric."""

from engine.standin.http import Json
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.rest import Rest
from engine.standin.values import Values

_SHARED_WRITER = "serviceAccount:cloud-logs@system.gserviceaccount.com"


def _writer(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"uniqueWriterIdentity": answer.get("writerIdentity") != _SHARED_WRITER}


def _same_filter(one: str, other: str) -> bool:
    return one.strip() == other.strip()


_SINKS = resource_type(
    "gcp:logging/projectSink:ProjectSink",
    "Resource ProjectSink",
    Rest(
        service="logging",
        id="projects/{project}/sinks/{name}",
        create_call="POST projects/{project}/sinks?uniqueWriterIdentity={uniqueWriterIdentity}",
        read_query="uniqueWriterIdentity={uniqueWriterIdentity}",
        decode=_writer,
    ),
    quirks={
        **SHORT_NAME,
        "uniqueWriterIdentity": IN_PATH,
        "filter": {"same": _same_filter},
        "exclusions.filter": {"same": _same_filter},
    },
    uncovered=("customWriterIdentity",),
)

_METRICS = resource_type(
    "gcp:logging/metric:Metric",
    "Metric",
    Rest(
        service="logging",
        id="{name}",
        path="projects/{project}/metrics/{name}",
        create_call="POST projects/{project}/metrics",
        update_style="whole",
        imports=("{project} {name}", "{name}"),
    ),
    quirks=SHORT_NAME,
)

RESOURCE_TYPES = (_SINKS, _METRICS)
