"""Calls that change one field of a subnetwork.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/subnetworks.
"""

import ipaddress
from typing import Any

from emulator.core.discovery import api
from emulator.core.rest import Call
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.fields import output_fields
from emulator.services.compute.names import parts_of
from emulator.services.compute.responses import name_of
from emulator.services.compute.service import Compute
from emulator.services.compute.types import Type

_RANGE, _ACCESS = "ipCidrRange", "privateIpGoogleAccess"

Json = dict[str, Any]
Request = Call[Compute]


def expand(type_: Type, call: Request) -> Json:
    """Replace the range of a subnetwork by a larger one that contains it."""
    api("compute", "v1").check("SubnetworksExpandIpCidrRangeRequest", call.body)
    wanted = call.body.get(_RANGE)
    if not wanted:
        raise required(_RANGE)
    before = call.service.resources.get(name_of(type_, call))[_RANGE]
    if not _contains(wanted, before):
        raise invalid(_RANGE, wanted, f"The new range must contain the present one, {before}.")
    return _set(type_, call, "expandIpCidrRange", {_RANGE: wanted})


def set_access(type_: Type, call: Request) -> Json:
    """Switch Private Google Access on or off."""
    api("compute", "v1").check("SubnetworksSetPrivateIpGoogleAccessRequest", call.body)
    value = bool(call.body.get(_ACCESS, False))
    return _set(type_, call, "setPrivateIpGoogleAccess", {_ACCESS: value})


def _set(type_: Type, call: Request, verb: str, fields: Json) -> Json:
    compute, name = call.service, name_of(type_, call)
    with compute.lock:
        before = compute.resources.get(name)
        body = {**before, **fields}
        prepared, kept = compute.prepare(type_, body, parts_of(before["selfLink"]), before)
        whole = output_fields(type_, name, prepared, before)
        compute.resources.put(name, whole, kept)
    return compute.operations.add(verb, name, whole["id"])


def _contains(wanted: str, before: str) -> bool:
    try:
        one, other = ipaddress.ip_network(wanted), ipaddress.ip_network(before)
    except ValueError:
        return True  # the preparation of the subnetwork refuses it
    return one.version == other.version and other.subnet_of(one)  # type: ignore[arg-type]
