"""Requests and answers about the instances of groups, and about the health of a load balancer.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/regionInstanceGroupManagers and
https://cloud.google.com/compute/docs/reference/rest/v1/regionBackendServices/getHealth.
"""

import copy
from typing import Any

from emulator.core.discovery import api
from emulator.core.rest import Call
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.fields import output_fields
from emulator.services.compute.names import parse, parts_of
from emulator.services.compute.responses import name_of, page
from emulator.services.compute.running.health import manager_of
from emulator.services.compute.running.status import DELETING, RECREATING, of_instance
from emulator.services.compute.service import Compute
from emulator.services.compute.type_table import BACKEND_SERVICES, GROUP_MANAGERS, INSTANCE_GROUPS

_REQUESTS = "RegionInstanceGroupManagers"
_OPERATIONS = "compute.instanceGroupManagers"

Json = dict[str, Any]


def list_managed(call: Call[Compute]) -> Json:
    """Return the instances of a group, with what happens to each."""
    compute, name = call.service, name_of(GROUP_MANAGERS, call)
    body = compute.resources.get(name)
    items = [
        of_instance(body, member, compute.groups.health_of(body, member))
        for member in compute.groups.members(name)
    ]
    answer = page(items, call, name)
    return {"managedInstances": answer.pop("items"), **answer}


def list_errors(call: Call[Compute]) -> Json:
    """Return why the instances of a group can't be made or run."""
    name = name_of(GROUP_MANAGERS, call)
    call.service.resources.get(name)
    errors = call.service.groups.errors(name)
    return {
        "items": [{"error": {"code": "INTERNAL", "message": text}} for text in errors],
    }


def resize(call: Call[Compute]) -> Json:
    """Set how many instances a group has."""
    size = call.query.get("size", "")
    if not size.isdigit():
        raise required("size") if not size else invalid("size", size, "It must be a number.")
    return _changed(call, {"targetSize": int(size)}, "resize")


def set_template(call: Call[Compute]) -> Json:
    """Set the template of the instances that are made from now on."""
    api("compute", "v1").check(f"{_REQUESTS}SetTemplateRequest", call.body)
    template = call.body.get("instanceTemplate")
    if not template:
        raise required("instanceTemplate")
    return _changed(call, {"instanceTemplate": template}, "setInstanceTemplate")


def recreate(call: Call[Compute]) -> Json:
    """Make some instances of a group again."""
    api("compute", "v1").check(f"{_REQUESTS}RecreateRequest", call.body)
    return _marked(call, RECREATING, "recreateInstances")


def delete_instances(call: Call[Compute]) -> Json:
    """Delete some instances of a group, which gets smaller by their number."""
    api("compute", "v1").check(f"{_REQUESTS}DeleteInstancesRequest", call.body)
    with call.service.lock:
        name = name_of(GROUP_MANAGERS, call)
        size = call.service.resources.get(name)["targetSize"]
        operation = _marked(call, DELETING, "deleteInstances")
        left = size - len(set(call.body["instances"]))
        call.service.resources.update(name, {"targetSize": left})
    call.service.groups.wake()
    return operation


def apply_updates(call: Call[Compute]) -> Json:
    """Make those of some instances again that are not of the group's template."""
    api("compute", "v1").check(f"{_REQUESTS}ApplyUpdatesRequest", call.body)
    compute, name = call.service, name_of(GROUP_MANAGERS, call)
    body = compute.resources.get(name)
    if call.body.get("allInstances"):
        wanted = [member.name for member in compute.groups.members(name)]
    else:
        wanted = _instances(call)
    outdated = [
        member.name
        for member in compute.groups.members(name)
        if member.name in wanted and member.template != body["instanceTemplate"]
    ]
    compute.groups.mark(name, outdated, RECREATING)
    return compute.operations.add(f"{_OPERATIONS}.applyUpdatesToInstances", name, body["id"])


def list_instances(call: Call[Compute]) -> Json:
    """Return the instances of an instance group."""
    api("compute", "v1").check(
        f"{INSTANCE_GROUPS.api[0].upper()}{INSTANCE_GROUPS.api[1:]}ListInstancesRequest", call.body
    )
    compute, name = call.service, name_of(INSTANCE_GROUPS, call)
    link = compute.resources.get(name)["selfLink"]
    wanted = call.body.get("instanceState", "ALL")
    items = [
        {"instance": member.body["selfLink"], "status": member.body["status"], "name": member.name}
        for member in compute.groups.members(manager_of(link))
        if wanted == "ALL" or member.body["status"] == "RUNNING"
    ]
    answer = page(items, call, name)
    for item in answer["items"]:
        del item["name"]
    return {"kind": "compute#regionInstanceGroupsListInstances", "id": name, **answer}


def get_health(call: Call[Compute]) -> Json:
    """Return the health of the instances of a group, for a backend service."""
    api("compute", "v1").check("ResourceGroupReference", call.body)
    compute, name = call.service, name_of(BACKEND_SERVICES, call)
    service = compute.resources.get(name)
    group = parse(str(call.body.get("group", "")), parts_of(name).project)
    if group is None:
        raise invalid("resource.group", call.body.get("group"), "The URL is malformed.")
    backends = {parts_of(one["group"]).name: one["group"] for one in service.get("backends", [])}
    if group.name not in backends:
        raise invalid("resource.group", group.name, "It is not a backend of the backend service.")
    return {
        "kind": "compute#backendServiceGroupHealth",
        "healthStatus": compute.balancer.health_of(service, backends[group.name]),
    }


def _changed(call: Call[Compute], change: Json, verb: str) -> Json:
    """Change a group as a PATCH does."""
    compute, type_ = call.service, GROUP_MANAGERS
    name = name_of(type_, call)
    with compute.lock:
        before = compute.resources.get(name)
        body = {**copy.deepcopy(before), **change}
        prepared, kept = compute.prepare(type_, body, parts_of(name), before)
        whole = output_fields(type_, name, prepared, before)
        compute.resources.put(name, whole, kept)
        compute.changed(type_, name)
    return compute.operations.add(f"{_OPERATIONS}.{verb}", name, whole["id"])


def _marked(call: Call[Compute], action: str, verb: str) -> Json:
    compute, name = call.service, name_of(GROUP_MANAGERS, call)
    target_id = compute.resources.get(name)["id"]
    wanted = _instances(call)
    known = {member.name for member in compute.groups.members(name)}
    for instance in wanted:
        if instance not in known:
            raise invalid(
                "instances", instance, f"Instance '{instance}' is not a member of '{name}'."
            )
    compute.groups.mark(name, wanted, action)
    return compute.operations.add(f"{_OPERATIONS}.{verb}", name, target_id)


def _instances(call: Call[Compute]) -> list[str]:
    """Return the names of the instances that a request is about.

    Raises:
        ComputeError: 400, there is none, or one is not an instance
    """
    if not call.body.get("instances"):
        raise required("instances")
    project = call.service.enter(call.path["project"])
    found = []
    for text in call.body["instances"]:
        target = parse(text, project)
        if target is None or target.collection != "instances":
            raise invalid("instances", text, "The URL is malformed.")
        found.append(target.name)
    return found
