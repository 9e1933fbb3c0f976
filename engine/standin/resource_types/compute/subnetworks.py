"""The resource type of a subnetwork, two of whose fields have calls of their own."""

from dataclasses import dataclass, replace

from engine.standin.compute import Compute, same_link
from engine.standin.http import Api
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type

_PARENT = "projects/{project}/regions/{region}/subnetworks"
_CALLS = {
    "ipCidrRange": "expandIpCidrRange",
    "privateIpGoogleAccess": "setPrivateIpGoogleAccess",
}
"""Property -> the call that changes it (documented: the fields' descriptions in the API)."""


@dataclass(frozen=True, kw_only=True)
class _Subnetwork(Compute):
    """A subnetwork."""

    def update_fields(self, type_: ResourceType, path: str, change: Update, api: Api) -> None:
        """Send each changed field by its call, and all others together."""
        for name, call in _CALLS.items():
            if name in change.changed:
                value = change.wanted.get(name)
                body = {name: bool(value) if name == "privateIpGoogleAccess" else value}
                self._call(api, "POST", f"{path}/{call}", body, timeout=change.timeout)
        others = replace(change, changed=change.changed - _CALLS.keys())
        super().update_fields(type_, path, others, api)


SUBNETWORK = resource_type(
    "gcp:compute/subnetwork:Subnetwork",
    "Subnetwork",
    _Subnetwork(
        id=f"{_PARENT}/{{name}}",
        create_call=f"POST {_PARENT}",
        imports=(f"{_PARENT}/{{name}}", "{project}/{region}/{name}", "{region}/{name}"),
        links={"network": "projects/{project}/global/networks/{}"},
    ),
    quirks={
        **SHORT_NAME,
        "region": {**IN_PATH, "from_provider": "region", "same": same_link},
        "network": {"same": same_link},
        "subnetworkId": {"wire": "id"},
    },
    uncovered=(
        "allowSubnetCidrRoutesOverlap", "externalIpv6Prefix", "internalIpv6Prefix", "ipCollection",
        "ipv6AccessType", "logConfig", "params", "privateIpv6GoogleAccess",
        "reservedInternalRange", "resolveSubnetMask", "role", "secondaryIpRanges",
        "sendSecondaryIpRangeIfEmpty", "stackType",
    ),
)  # fmt: skip
