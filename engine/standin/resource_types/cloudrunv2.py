"""Resource types of Cloud Run: service, job, worker pool, and the members of their policies."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member
from engine.standin.provider_schema.derive import Quirks
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import (
    IN_PATH,
    annotations,
    other_annotations,
    resource_type,
)
from engine.standin.rest import Rest, to_body
from engine.standin.values import Values

_PARENT = "projects/{project}/locations/{location}"
_REGION = {"from_provider": "region", "wire": None}
"""The quirk of a location that the region of the provider stands in for."""
_NOT_SERVED = ("functionalType", "tags")


@dataclass(frozen=True, kw_only=True)
class Deployed(Rest):
    """A service, a job or a worker pool: each change is an operation, and sends all of it."""

    service: str = "cloudrun"

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send every property that is set, and follow the operation to its end."""
        method, _, path = self.create_call.partition(" ")
        body = _body(type_, wanted)
        api.finish(self.service, self._call(api, method, path.format_map(wanted), body))
        return self.id.format_map(wanted)

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:
        """Send all of it without a mask, unless the change concerns the provider alone."""
        properties = type_.properties
        if not any(
            properties[name].wire_name(name) and not properties[name].client
            for name in change.changed & properties.keys()
        ):
            return
        kept = {
            name: change.state[name]
            for name, prop in properties.items()
            if prop.computed and name in change.state
        }
        body = _body(type_, {**kept, **change.wanted})
        started = self._call(api, "PATCH", id_, body, timeout=change.timeout)
        api.finish(self.service, started, change.timeout)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:
        """Delete it unless it is protected, and follow the operation to its end."""
        if state.get("deletionProtection"):
            # As the provider's code has it.
            raise StandInError(
                f"cannot destroy {_noun(type_)} without setting deletion_protection=false and "
                "running `terraform apply`"
            )
        api.finish(self.service, self._call(api, "DELETE", id_))


def _noun(type_: ResourceType) -> str:
    return "worker pool" if type_.title == "WorkerPool" else type_.title.lower()


def _body(type_: ResourceType, values: Values) -> Json:
    """Return the JSON of a resource, with the zeros that say something."""
    body = to_body(type_.properties, values)
    all_annotations = {**other_annotations(values), **(values.get("annotations") or {})}
    if all_annotations:
        body["annotations"] = all_annotations
    if (values.get("scaling") or {}).get("manualInstanceCount") == 0:
        body["scaling"] = {**body.get("scaling", {}), "manualInstanceCount": 0}
    task = (values.get("template") or {}).get("template") or {}
    if task.get("maxRetries") == 0:
        body["template"]["template"]["maxRetries"] = 0
    return body


def _alone(answer: Json) -> list[Json]:
    """Return a message as the list of one item that the provider keeps."""
    return [answer]


def _same_limits(one: Any, other: Any) -> bool:
    """Whether limits mean the same: `1` is `1000m` of a CPU."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        keys = {*one, *other}
        return all(_same_limits(one.get(key, ""), other.get(key, "")) for key in keys)
    return _milli(str(one)) == _milli(str(other))


def _milli(quantity: str) -> str:
    return f"{quantity}000m" if quantity.isdigit() else quantity


def _same_name(one: str, other: str) -> bool:
    return one.rpartition("/")[2] == other.rpartition("/")[2]


def _deployed(
    token: str,
    title: str,
    collection: str,
    parameter: str,
    quirks: Quirks | None = None,
    uncovered: tuple[str, ...] = (),
) -> ResourceType:
    id_ = f"{_PARENT}/{collection}/{{name}}"
    return resource_type(
        f"gcp:cloudrunv2/{token}:{title}",
        title,
        Deployed(
            id=id_,
            create_call=f"POST {_PARENT}/{collection}?{parameter}={{name}}",
            imports=(id_, "{project}/{location}/{name}", "{location}/{name}"),
            decode=annotations,
        ),
        quirks={
            "name": {"same": _same_name},
            "location": IN_PATH,
            "effectiveAnnotations": IN_PATH,
            "deletionProtection": {"client": True},
            "terminalConditions": {"wire": "terminalCondition", "decode": _alone},
            **(quirks or {}),
        },
        uncovered=uncovered,
    )


def _member(token: str, title: str, collection: str) -> ResourceType:
    segment = f"/{collection}/(?P<name>[^/]+)"
    name = f"{_PARENT}/{collection}/{{name}}"
    return resource_type(
        f"gcp:cloudrunv2/{token}IamMember:{title}IamMember",
        f"IAM member of the {title}",
        Member(
            service="cloudrun",
            name=name,
            key="name",
            conditions=False,
            shown={"name": name},
            patterns=(
                rf"projects/(?P<project>[^/]+)/locations/(?P<location>[^/]+){segment}",
                r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<name>[^/]+)",
                r"(?P<location>[^/]+)/(?P<name>[^/]+)",
                r"(?P<name>[^/]+)",
            ),
        ),
        quirks={
            "name": {"same": _same_name},
            "location": _REGION,
            **MEMBER,
        },
    )


RESOURCE_TYPES = (
    _deployed(
        "service",
        "Service",
        "services",
        "serviceId",
        {"template.containers.resources.limits": {"same": _same_limits}},
        (*_NOT_SERVED, "buildConfig", "multiRegionSettings", "sshEnabled"),
    ),
    _deployed(
        "job",
        "Job",
        "jobs",
        "jobId",
        {"latestCreatedExecutions": {"wire": "latestCreatedExecution", "decode": _alone}},
        _NOT_SERVED,
    ),
    _deployed("workerPool", "WorkerPool", "workerPools", "workerPoolId"),
    _member("service", "Service", "services"),
    _member("job", "Job", "jobs"),
    _member("workerPool", "WorkerPool", "workerPools"),
)
