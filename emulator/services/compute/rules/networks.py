"""Rules for networks, addresses and firewalls: additions to their bodies, and refusals.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1 and https://cloud.google.com/vpc/docs.
Another rule holds for addresses here: internal ones are loopback addresses (`addresses.py`).
"""

import ipaddress
from collections.abc import Iterator
from typing import Any

from emulator.services.compute import addresses
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.locations import region_in
from emulator.services.compute.names import Parts, link, parts_of
from emulator.services.compute.resources import Resources

_DEFAULT_NETWORK = "projects/{}/global/networks/default"
_SOURCES = ("sourceRanges", "sourceServiceAccounts", "sourceTags")

Json = dict[str, Any]


def network(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a network, which makes its own subnetworks unless told otherwise."""
    if "IPv4Range" in body:
        reason = "Legacy networks can't be created any more."
        raise invalid("resource.IPv4Range", body["IPv4Range"], reason)
    return {"autoCreateSubnetworks": before is None, **body}


def subnetwork(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:
    """Prepare a subnetwork, whose range overlaps no other one of its network."""
    wanted = _range("resource.ipCidrRange", body["ipCidrRange"])
    for other in resources.everywhere("subnetworks").values():
        if other["network"] != body["network"] or other["selfLink"] == link(own.name):
            continue
        if ipaddress.ip_network(other["ipCidrRange"]).overlaps(wanted):
            where = parts_of(other["selfLink"])
            raise invalid(
                "resource.ipCidrRange",
                body["ipCidrRange"],
                f"Invalid IPCidrRange: {body['ipCidrRange']} conflicts with existing subnetwork "
                f"'{where.id}' in region '{region_in(where.location)}'.",
            )
    return {**body, "gatewayAddress": before["gatewayAddress"] if before else str(wanted[1])}


def firewall(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a rule of a firewall."""
    if bool(body.get("allowed")) == bool(body.get("denied")):
        raise (
            required("resource.allowed")
            if not body.get("allowed")
            else invalid("resource.denied", body["denied"], "A rule either allows or denies.")
        )
    is_ingress = body["direction"] == "INGRESS"
    key = "sourceRanges" if is_ingress else "destinationRanges"
    for index, text in enumerate(body.get(key, [])):
        _range(f"resource.{key}[{index}]", text)
    if is_ingress and not any(body.get(source) for source in _SOURCES):
        body = {**body, "sourceRanges": ["0.0.0.0/0"]}
    if not is_ingress and not body.get("destinationRanges"):
        body = {**body, "destinationRanges": ["0.0.0.0/0"]}
    return {"network": link(_DEFAULT_NETWORK.format(own.project)), **body}


def address(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:
    """Prepare an address, which is allotted unless the request names a loopback address."""
    if before is not None:
        return body
    wanted = body.get("address")
    if body["addressType"] == "EXTERNAL":
        allotted = wanted or addresses.external(set(taken(resources)))
        return {"networkTier": "PREMIUM", **body, "address": allotted, "status": "RESERVED"}
    whole = {"networkTier": "PREMIUM", "purpose": "GCE_ENDPOINT", **body, "status": "RESERVED"}
    if "network" not in whole:
        whole |= located(whole, own, resources, keys=("subnetwork",))
    whole["address"] = internal_address(wanted, "resource.address", resources)
    return whole


def internal_address(wanted: str | None, field: str, resources: Resources) -> str:
    """Return an internal address.

    Args:
        wanted: by the request; any free one without it
        field: of the request, for errors
        resources: know which are taken

    Raises:
        ComputeError: 400, the local Google Cloud has no such address, or it is taken
    """
    in_use = set(taken(resources))
    if not wanted:
        return addresses.internal(in_use)
    if not addresses.is_internal(wanted):
        raise invalid(
            field,
            wanted,
            "Internal addresses of the local Google Cloud are loopback addresses in "
            f"{addresses.INTERNAL}: leave the address out, and one is allotted.",
        )
    if wanted in in_use:
        raise invalid(field, wanted, f"IP '{wanted}' is already being used by another resource.")
    return wanted


def taken(resources: Resources) -> Iterator[str]:
    """Yield every address that a resource has."""
    for collection, field in (("addresses", "address"), ("forwardingRules", "IPAddress")):
        for body in resources.everywhere(collection).values():
            yield body[field]
    for body in resources.everywhere("instances").values():
        yield body["networkInterfaces"][0]["networkIP"]
    for body in resources.everywhere("vpnGateways").values():
        yield from (interface["ipAddress"] for interface in body["vpnInterfaces"])


def located(
    body: Json, own: Parts, resources: Resources, keys: tuple[str, ...] = ("network", "subnetwork")
) -> Json:
    """Return the network and the subnetwork of something internal.

    Args:
        body: may name one of them, or both, as full URLs
        own: its name
        resources: has the networks
        keys: those to return

    Raises:
        ComputeError: 400, the network has no subnetwork in the region
    """
    region = f"projects/{own.project}/regions/{region_in(own.location)}/subnetworks"
    if "subnetwork" in body:
        within = resources.get(parts_of(body["subnetwork"]).name)
        found = {"network": within["network"], "subnetwork": body["subnetwork"]}
        return {key: found[key] for key in keys}
    network_link = body.get("network") or link(_DEFAULT_NETWORK.format(own.project))
    resources.get(parts_of(network_link).name)
    for candidate in resources.all_in(region):
        if candidate["network"] == network_link:
            found = {"network": network_link, "subnetwork": candidate["selfLink"]}
            return {key: found[key] for key in keys}
    raise invalid(
        "resource.network",
        network_link,
        f"The network has no subnetwork in the region {region_in(own.location)}: create one.",
    )


def _range(field: str, text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise invalid(field, text, f"Must be a CIDR address range: {error}.") from None
