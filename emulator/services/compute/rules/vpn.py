"""Rules for VPN gateways, tunnels and routers: additions to their bodies, and refusals.

Documented: https://cloud.google.com/network-connectivity/docs/vpn and
https://cloud.google.com/network-connectivity/docs/router. No packet travels through a tunnel of the
local Google Cloud, so its status stays the one of a peer that does not answer.
"""

import base64
import hashlib
from typing import Any

from emulator.services.compute import addresses
from emulator.services.compute.errors import invalid, required
from emulator.services.compute.names import Parts, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules.networks import taken

_INTERFACES = {
    "SINGLE_IP_INTERNALLY_REDUNDANT": 1, "TWO_IPS_REDUNDANCY": 2, "FOUR_IPS_REDUNDANCY": 4,
}  # fmt: skip
_HIDDEN = "*************"

Json = dict[str, Any]


def vpn_gateway(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a gateway of HA VPN: two interfaces, each with an address."""
    if before is not None:
        return body
    drawn: list[str] = []
    for _ in range(2):
        drawn.append(addresses.external({*taken(resources), *drawn}))
    interfaces = [{"id": index, "ipAddress": address} for index, address in enumerate(drawn)]
    return {**body, "vpnInterfaces": interfaces}


def external_vpn_gateway(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare what is known of the gateway of the other side."""
    interfaces = [{"id": index, **one} for index, one in enumerate(body["interfaces"])]
    by_number = {number: redundancy for redundancy, number in _INTERFACES.items()}
    redundancy = body.get("redundancyType") or by_number.get(len(interfaces))
    if _INTERFACES.get(redundancy or "") != len(interfaces):
        raise invalid(
            "resource.interfaces",
            len(interfaces),
            f"The number of interfaces does not fit the redundancy type {redundancy}.",
        )
    return {**body, "interfaces": interfaces, "redundancyType": redundancy}


def vpn_tunnel(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a tunnel; its shared secret is not shown again."""
    if before is not None:
        return body
    if not body.get("vpnGateway"):
        raise required("resource.vpnGateway")
    if not body.get("router"):
        raise required("resource.router")
    peers = [key for key in ("peerExternalGateway", "peerGcpGateway") if body.get(key)]
    if len(peers) != 1:
        raise required("resource.peerExternalGateway")
    digest = hashlib.sha256(str(body["sharedSecret"]).encode()).digest()
    return {
        "vpnGatewayInterface": 0,
        **body,
        "peerIp": _peer_address(body, resources),
        "sharedSecret": _HIDDEN,
        "sharedSecretHash": base64.urlsafe_b64encode(digest).decode().rstrip("="),
        "status": "FIRST_HANDSHAKE",
        "detailedStatus": "Handshake with peer failed: the local Google Cloud sends no packets.",
    }


def _peer_address(body: Json, resources: Resources) -> str:
    if body.get("peerExternalGateway"):
        gateway = resources.get(parts_of(body["peerExternalGateway"]).name)
        wanted = body.get("peerExternalGatewayInterface", 0)
        found = {one["id"]: one.get("ipAddress", "") for one in gateway["interfaces"]}
    else:
        gateway = resources.get(parts_of(body["peerGcpGateway"]).name)
        wanted = body.get("vpnGatewayInterface", 0)
        found = {one["id"]: one["ipAddress"] for one in gateway["vpnInterfaces"]}
    if wanted not in found:
        field = "resource.peerExternalGatewayInterface"
        raise invalid(field, wanted, "The peer's gateway has no such interface.")
    return str(found[wanted])


def router(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare a router: its interfaces and its BGP peers know each other."""
    whole = dict(body)
    if "bgp" in whole:
        whole["bgp"] = {"advertiseMode": "DEFAULT", "keepaliveInterval": 20, **whole["bgp"]}
    by_user = {"managementType": "MANAGED_BY_USER"}
    interfaces = [{**by_user, **one} for one in whole.get("interfaces", [])]
    if interfaces:
        whole["interfaces"] = interfaces
    ranges = {one.get("name"): str(one.get("ipRange", "")) for one in interfaces}
    peers = []
    for index, peer in enumerate(whole.get("bgpPeers", [])):
        where = f"resource.bgpPeers[{index}]"
        if peer.get("interfaceName") not in ranges:
            reason = "The router has no such interface."
            raise invalid(f"{where}.interfaceName", peer.get("interfaceName"), reason)
        if not peer.get("peerAsn"):
            raise required(f"{where}.peerAsn")
        own_address = ranges[peer["interfaceName"]].partition("/")[0]
        more = {"advertiseMode": "DEFAULT", "enable": "TRUE", "ipAddress": own_address}
        peers.append({**by_user, **more, **peer})
    return {**whole, "bgpPeers": peers} if peers else whole
