"""Resources as answers show them: with what follows from other resources."""

from collections.abc import Callable
from typing import Any

from emulator.services.compute.names import link, parts_of
from emulator.services.compute.rules.balancing import users_of_address
from emulator.services.compute.running import status
from emulator.services.compute.service import Compute
from emulator.services.compute.types import Type

Json = dict[str, Any]


def shown(compute: Compute, type_: Type, body: Json) -> Json:
    """Return a resource as answers show it."""
    add = _VIEWS.get(type_.api)
    return {**body, **add(compute, body)} if add else body


def _address(compute: Compute, body: Json) -> Json:
    users = users_of_address(body, compute.resources)
    return {"status": "IN_USE", "users": users} if users else {"status": "RESERVED"}


def _network(compute: Compute, body: Json) -> Json:
    users = compute.resources.users(parts_of(body["selfLink"]).name)
    found = [link(name) for name in users if "/subnetworks/" in name]
    return {"subnetworks": found} if found else {}


def _group_manager(compute: Compute, body: Json) -> Json:
    return status.of_manager(body, compute.groups.members(parts_of(body["selfLink"]).name))


def _group(compute: Compute, body: Json) -> Json:
    name = parts_of(body["selfLink"]).name.replace("/instanceGroups/", "/instanceGroupManagers/")
    return {"size": len(compute.groups.members(name))}


_VIEWS: dict[str, Callable[[Compute, Json], Json]] = {
    "addresses": _address,
    "globalAddresses": _address,
    "networks": _network,
    "regionInstanceGroupManagers": _group_manager,
    "regionInstanceGroups": _group,
}
