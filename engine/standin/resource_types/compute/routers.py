"""Resource types of Compute Engine: the peer's gateway, and the interfaces and peers of a router.

Interfaces and BGP peers are items of lists of a router: the provider reads, changes and writes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.standin.compute import Compute, full_link, same_link
from engine.standin.errors import StandInError
from engine.standin.http import Api, Json, unless_gone
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.values import Values

_SAME = {"same": same_link}
_ROUTER = "projects/{project}/regions/{region}/routers/{router}"
_IN_REGION = "projects/{project}/regions/{region}/"


@dataclass(frozen=True, kw_only=True)
class _RouterPart(Compute):
    """An item of a list of a router.

    Attributes:
        items: the list, such as `bgpPeers`
    """

    items: str
    create_call: str = ""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Add it to its router."""

        def add(present: list[Json]) -> list[Json]:
            if any(one["name"] == wanted["name"] for one in present):
                raise StandInError(f"{type_.title} {wanted['name']} already present in the router")
            return [*present, self._body(type_.properties, wanted)]

        self._change(wanted, api, add)
        return self.id.format_map(_by_name(wanted))

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:  # noqa: ARG002
        """Look for it in its router; a router that is gone has none."""
        router = unless_gone(lambda: self._call(api, "GET", _ROUTER.format_map(_by_name(known))))
        if router is None:
            return None
        found = [one for one in router.get(self.items, []) if one["name"] == known["name"]]
        return self._values(type_, found[0], known) if found else None

    def update(self, type_: ResourceType, id_: str, change: Update, api: Api) -> None:  # noqa: ARG002
        """Replace it in its router."""
        computed = {n: change.state.get(n) for n, p in type_.properties.items() if p.computed}
        wanted = {**computed, **change.wanted}

        def replace(present: list[Json]) -> list[Json]:
            new = self._body(type_.properties, wanted)
            return [new if one["name"] == wanted["name"] else one for one in present]

        self._change(wanted, api, replace)

    def delete(self, type_: ResourceType, id_: str, state: Values, api: Api) -> None:  # noqa: ARG002
        """Take it out of its router."""
        name = state["name"]
        self._change(state, api, lambda present: [one for one in present if one["name"] != name])

    def _change(self, values: Values, api: Api, change: Callable[[list[Json]], list[Json]]) -> None:
        path = _ROUTER.format_map(_by_name(values))
        with api.lock(path):
            router = self._call(api, "GET", path)
            self._call(api, "PATCH", path, {self.items: change(router.get(self.items, []))})


def _by_name(values: Values) -> Values:
    """Return values with the name of the router, which may be given by its full name."""
    return {**values, "router": str(values["router"]).rpartition("/")[2]}


def _linked(body: Json, values: Values) -> Json:
    """Return an interface whose tunnel and subnetwork are named in full."""
    for key, collection in (("linkedVpnTunnel", "vpnTunnels"), ("subnetwork", "subnetworks")):
        if body.get(key):
            body[key] = full_link(body[key], f"{_IN_REGION}{collection}/{{}}", values)
    return body


def _with_switch(body: Json, values: Values) -> Json:
    return {**body, "enable": "FALSE" if values.get("enable") is False else "TRUE"}


def _switched(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"enable": answer.get("enable", "TRUE") == "TRUE"}


_PART: dict[str, Any] = {
    **SHORT_NAME,
    "region": {**IN_PATH, "from_provider": "region"},
    "router": {**IN_PATH, **_SAME},
}
_IMPORTS = (
    f"{_ROUTER}/{{name}}",
    "{project}/{region}/{router}/{name}",
    "{region}/{router}/{name}",
)

EXTERNAL_GATEWAY = resource_type(
    "gcp:compute/externalVpnGateway:ExternalVpnGateway",
    "ExternalVpnGateway",
    Compute(
        id="projects/{project}/global/externalVpnGateways/{name}",
        create_call="POST projects/{project}/global/externalVpnGateways",
        imports=(
            "projects/{project}/global/externalVpnGateways/{name}",
            "{project}/{name}",
            "{name}",
        ),
    ),
    quirks={
        **SHORT_NAME,
        "interfaces": {"wire": "interfaces"},
        "interfaces.ipv6Address": _SAME,
    },
    uncovered=("params",),
)

ROUTER_INTERFACE = resource_type(
    "gcp:compute/routerInterface:RouterInterface",
    "RouterInterface",
    _RouterPart(
        id="{region}/{router}/{name}", items="interfaces", imports=_IMPORTS, encode=_linked
    ),
    quirks={
        **_PART,
        "interconnectAttachment": {"wire": "linkedInterconnectAttachment", **_SAME},
        "subnetwork": _SAME,
        "vpnTunnel": {"wire": "linkedVpnTunnel", **_SAME},
    },
)

ROUTER_PEER = resource_type(
    "gcp:compute/routerPeer:RouterPeer",
    "RouterBgpPeer",
    _RouterPart(
        id=f"{_ROUTER}/{{name}}",
        items="bgpPeers",
        imports=_IMPORTS,
        encode=_with_switch,
        decode=_switched,
    ),
    quirks={
        **_PART,
        "enable": IN_PATH,
        "interface": {"wire": "interfaceName"},
        "isAdvertisedRoutePrioritySet": IN_PATH,
        "isCustomLearnedPrioritySet": IN_PATH,
        "routerApplianceInstance": _SAME,
        "zeroAdvertisedRoutePriority": {"client": True},
        "zeroCustomLearnedRoutePriority": {"client": True},
    },
    uncovered=("md5AuthenticationKey",),
)
