"""Resource types of Cloud Monitoring: alert policy and notification channel.

The service names both by a number, and the provider takes that full name for the id.
"""

from dataclasses import dataclass

from engine.standin.http import Api
from engine.standin.resource import ResourceType
from engine.standin.resource_types.common import resource_type
from engine.standin.rest import Rest, to_body
from engine.standin.values import Values

_NAME = {"autoname": False, "wire": "name"}
_NO_REDUCER = "REDUCE_NONE"


@dataclass(frozen=True, kw_only=True)
class Numbered(Rest):
    """A resource that the service names."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send every property that is set; the answer has the name."""
        method, _, path = self.create_call.partition(" ")
        path = path.format_map(wanted)
        answer = self._call(api, method, path, to_body(type_.properties, wanted))
        return str(answer["name"])

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:
        """Read it by its id."""
        return super().read(type_, id_, {**known, "name": id_}, api)

    def parse_import_id(self, type_: ResourceType, id_: str, api: Api) -> tuple[str, Values]:  # noqa: ARG002
        """Take the full name."""
        return id_, {"name": id_, "project": id_.split("/")[1]}


def _rest(collection: str, delete_query: str = "") -> Numbered:
    return Numbered(
        service="monitoring",
        id="{name}",
        path="v3/{name}",
        create_call=f"POST v3/projects/{{project}}/{collection}",
        delete_query=delete_query,
    )


def _same_reducer(one: str, other: str) -> bool:
    return (one or _NO_REDUCER) == (other or _NO_REDUCER)


_POLICIES = resource_type(
    "gcp:monitoring/alertPolicy:AlertPolicy",
    "AlertPolicy",
    _rest("alertPolicies"),
    quirks={
        "name": _NAME,
        "creationRecords": {"decode": lambda record: [record]},
        **{
            f"conditions.{path}.crossSeriesReducer": {"same": _same_reducer}
            for path in (
                "conditionAbsent.aggregations",
                "conditionThreshold.aggregations",
                "conditionThreshold.denominatorAggregations",
            )
        },
    },
)

_CHANNELS = resource_type(
    "gcp:monitoring/notificationChannel:NotificationChannel",
    "NotificationChannel",
    _rest("notificationChannels", "force={forceDelete}"),
    quirks={"name": _NAME, "forceDelete": {"client": True}},
    uncovered=("sensitiveLabels",),
)

RESOURCE_TYPES = (_POLICIES, _CHANNELS)
