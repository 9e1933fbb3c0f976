"""Templates of services, jobs and worker pools: what is refused, and what is filled in.

Documented (https://cloud.google.com/run/docs/reference/rest/v2/projects.locations.services): the
defaults, and which variables are reserved
(https://cloud.google.com/run/docs/container-contract#env-vars). Observed in public reports: the
texts of refusals.
"""

import re
from collections.abc import Collection
from typing import Any

from emulator.core.discovery import api
from emulator.core.errors import bad_field
from emulator.core.resources.labels import check_labels
from emulator.services.run.resource_types import JOB, SERVICE, ResourceType

DEFAULT_PORT = 8080
DEFAULT_RETRIES = 3
_ID = re.compile(r"[a-z](?:[a-z0-9-]*[a-z0-9])?")
_RESERVED = frozenset({"PORT", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"})
_OUTPUT = frozenset(
    {
        *("conditions", "createTime", "creator", "deleteTime", "expireTime", "executionCount"),
        *("generation", "instanceSplitStatuses", "lastModifier", "latestCreatedExecution"),
        *("latestCreatedRevision", "latestReadyRevision", "observedGeneration", "reconciling"),
        *("satisfiesPzs", "terminalCondition", "threatDetectionEnabled", "trafficStatuses"),
        *("uid", "updateTime", "uri", "urls"),
    }
)
"""Fields that the service writes; those of a request are ignored."""
_NOT_CHANGED = frozenset({"name", "etag"})

Json = dict[str, Any]


def check_id(resource_type: ResourceType, id_: str) -> None:
    """Raise an error for an id that is not valid.

    Raises:
        ApiError: 400
    """
    if len(id_) > resource_type.max_id or not _ID.fullmatch(id_):
        raise bad_field(
            f"{resource_type.name[0].lower()}{resource_type.name[1:]}_id",
            f"Invalid {resource_type.name} id {id_!r}: only lowercase letters, digits and hyphens, "
            "beginning with a letter, not ending with a hyphen, at most "
            f"{resource_type.max_id} characters.",
        )


def given(resource_type: ResourceType, body: Json) -> Json:
    """Return the fields of a request that a client may set, in their normal form.

    Raises:
        ApiError: 400 for a body that is not valid
    """
    messages = api("run", "v2")
    left_out = _OUTPUT | _NOT_CHANGED
    sent = {field: value for field, value in body.items() if field not in left_out}
    messages.check(resource_type.message, sent)
    return messages.normal(resource_type.message, sent) | _kept_zeros(sent)


def settable(resource_type: ResourceType) -> frozenset[str]:
    """Return the fields of a resource that clients set."""
    return api("run", "v2").fields(resource_type.message) - _OUTPUT - _NOT_CHANGED


def _kept_zeros(sent: Json) -> Json:
    """Return the fields of a request in which a zero is not the same as nothing."""
    count = (sent.get("scaling") or {}).get("manualInstanceCount")
    return {"scaling": sent["scaling"]} if count == 0 else {}


def container_template(resource_type: ResourceType, body: Json) -> Json:
    """Return the part of a resource that has the containers."""
    template: Json = body.get("template", {})
    return template.get("template", {}) if resource_type is JOB else template


def complete(resource_type: ResourceType, body: Json, sent: Json, account: str) -> Json:
    """Return a resource with the defaults of the service.

    Args:
        resource_type: of the resource
        body: the resource as `given` returns it, after the mask of an update
        sent: the request, in which a zero is not the same as nothing
        account: the address of the service account that runs the containers by default

    Raises:
        ApiError: 400 for a template that is not valid
    """
    check_labels(body.get("labels", {}))
    template = container_template(resource_type, body)
    _check_containers(resource_type, template)
    containers = [_container(resource_type, one) for one in template["containers"]]
    whole = {"serviceAccount": account, **template, "containers": containers}
    if resource_type is JOB:
        retries = ((sent.get("template") or {}).get("template") or {}).get("maxRetries")
        whole = {"maxRetries": DEFAULT_RETRIES, "timeout": "600s", **whole}
        whole |= {"maxRetries": 0} if retries == 0 else {}
        whole.setdefault("executionEnvironment", "EXECUTION_ENVIRONMENT_GEN2")
        return {
            "launchStage": "GA",
            **body,
            "template": {"taskCount": 1, **body["template"], "template": whole},
        }
    defaults: Json = {"launchStage": "GA", **body, "template": whole}
    if resource_type is SERVICE:
        latest = {"type": "TRAFFIC_TARGET_ALLOCATION_TYPE_LATEST", "percent": 100}
        whole = {
            "timeout": "300s",
            "maxInstanceRequestConcurrency": 80,
            "scaling": {"maxInstanceCount": 100},
            **whole,
        }
        return {
            "ingress": "INGRESS_TRAFFIC_ALL",
            "traffic": [latest],
            **defaults,
            "template": whole,
        }
    latest = {"type": "INSTANCE_SPLIT_ALLOCATION_TYPE_LATEST", "percent": 100}
    return {"instanceSplits": [latest], "scaling": {"manualInstanceCount": 1}, **defaults}


def check_traffic(body: Json, revisions: Collection[str]) -> None:
    """Raise an error for traffic that no revision of a service can serve.

    Args:
        body: the service
        revisions: ids of those that exist, or are created with the service

    Raises:
        ApiError: 400
    """
    traffic = body.get("traffic", [])
    for number, target in enumerate(traffic):
        revision = target.get("revision")
        if revision and revision not in revisions:
            field = f"traffic[{number}].revision"
            raise bad_field(field, f"{field}: Revision {revision} not found.")
    total = sum(target.get("percent", 0) for target in traffic)
    if traffic and total != 100:
        raise bad_field("traffic", f"Traffic targets sum to {total}, want 100")


def port_of(template: Json) -> int:
    """Return the port of a template of a service, where its container is to listen."""
    ports = template["containers"][0].get("ports") or [{}]
    return int(ports[0].get("containerPort", DEFAULT_PORT))


def _container(resource_type: ResourceType, container: Json) -> Json:
    limits = {"cpu": "1000m", "memory": "512Mi"}
    resources = container.get("resources")
    if resources is None:
        has_requests = (
            {"cpuIdle": True, "startupCpuBoost": True} if resource_type is SERVICE else {}
        )
        resources = {"limits": limits, **has_requests}
    else:
        resources = {**resources, "limits": {**limits, **resources.get("limits", {})}}
    whole = {**container, "resources": resources}
    if resource_type is not SERVICE:
        return whole
    port = {"name": "http1", "containerPort": DEFAULT_PORT}
    ports = [{**port, **one} for one in container.get("ports") or [{}]]
    probe = container.get("startupProbe") or {
        "timeoutSeconds": 240,
        "periodSeconds": 240,
        "failureThreshold": 1,
        "tcpSocket": {"port": ports[0]["containerPort"]},
    }
    return {**whole, "ports": ports, "startupProbe": probe}


def _check_containers(resource_type: ResourceType, template: Json) -> None:
    where = "template.template.containers" if resource_type is JOB else "template.containers"
    containers = template.get("containers", [])
    if not containers:
        raise bad_field(where, f"{where}: at least one container is required")
    for number, container in enumerate(containers):
        field = f"{where}[{number}]"
        if not container.get("image"):
            raise bad_field(f"{field}.image", f"{field}.image: must not be empty")
        names = [variable.get("name", "") for variable in container.get("env", [])]
        if reserved := sorted(_RESERVED & {*names}) if resource_type is SERVICE else []:
            raise bad_field(
                f"{field}.env",
                f"{field}.env: The following reserved env names were provided: "
                f"{', '.join(reserved)}. These values are automatically set by the system.",
            )
        if repeated := sorted({name for name in names if names.count(name) > 1}):
            raise bad_field(
                f"{field}.env", f"{field}.env: Duplicate env name {', '.join(repeated)}"
            )
        _check_mounts(field, container, template)


def _check_mounts(field: str, container: Json, template: Json) -> None:
    volumes = {volume.get("name") for volume in template.get("volumes", [])}
    for mount in container.get("volumeMounts", []):
        if mount.get("name") not in volumes:
            raise bad_field(
                f"{field}.volume_mounts",
                f"{field}.volume_mounts: no volume has the name {mount.get('name')!r}",
            )
