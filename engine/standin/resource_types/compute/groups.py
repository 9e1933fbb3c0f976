"""Resource type of Compute Engine: regional managed instance group."""

from dataclasses import dataclass
from typing import Any

from engine.standin.compute import Compute, same_link
from engine.standin.errors import PartialError, StandInError
from engine.standin.http import Api, Json, NotYetError
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.values import Values

_SAME = {"same": same_link}


@dataclass(frozen=True, kw_only=True)
class _GroupManager(Compute):
    """A managed group: its size has a call of its own, and the program may wait for instances."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Create it, and wait for its instances if the program says so."""
        id_ = super().create(type_, wanted, api)
        try:
            self._wait(id_, wanted, api, 0)
        except StandInError as error:
            raise PartialError(str(error), id_, {**wanted, "id": id_}) from error
        return id_

    def update_fields(self, type_: ResourceType, path: str, change: Update, api: Api) -> None:
        """Send the changed fields, then the size; wait for the instances."""
        rest = Update(change.state, change.wanted, change.changed - {"targetSize"}, change.timeout)
        super().update_fields(type_, path, rest, api)
        if "targetSize" in change.changed:
            size = str(change.wanted.get("targetSize", 0))
            self._call(api, "POST", f"{path}/resize", query={"size": size})
        self._wait(path, change.wanted, api, change.timeout)

    def _wait(self, path: str, wanted: Values, api: Api, timeout: float) -> None:
        if not wanted.get("waitForInstances"):
            return

        def look() -> None:
            status = self._call(api, "GET", path).get("status", {})
            is_reached = status.get("versionTarget", {}).get("isReached")
            must_reach = wanted.get("waitForInstancesStatus") == "UPDATED"
            if not status.get("isStable") or (must_reach and not is_reached):
                raise NotYetError(f"the instances of {path} are not stable")

        api.persist(look, lambda error: isinstance(error, NotYetError), timeout)


def _amount(policy: Values, name: str) -> Json | None:
    """Return a number of instances, or a percentage of them; none is one, too."""
    if policy.get(f"{name}Percent"):
        return {"percent": policy[f"{name}Percent"]}
    fixed = policy.get(f"{name}Fixed")
    return None if fixed is None else {"fixed": fixed}


def _policy_to_wire(policy: Values) -> Json:
    amounts = {name: _amount(policy, name) for name in ("maxSurge", "maxUnavailable")}
    plain = {
        key: value
        for key, value in policy.items()
        if value not in (None, "", 0) and not key.startswith(("maxSurge", "maxUnavailable"))
    }
    return {**plain, **{name: amount for name, amount in amounts.items() if amount is not None}}


def _policy_from_wire(policy: Json) -> Values:
    values = {key: value for key, value in policy.items() if not isinstance(value, dict)}
    for name in ("maxSurge", "maxUnavailable"):
        amount = policy.get(name, {})
        for key in ("fixed", "percent"):
            if key in amount:
                values[f"{name}{key.title()}"] = amount[key]
    return values


def _state(key: str, wire: str) -> dict[str, Any]:
    """Return the quirk of what a group preserves of its instances.

    Args:
        key: property that names it, such as `deviceName`
        wire: its field in the preserved state
    """
    return {
        "wire": f"statefulPolicy.preservedState.{wire}",
        "encode": lambda items: {one[key]: {"autoDelete": one["deleteRule"]} for one in items},
        "decode": lambda items: [
            {key: name, "deleteRule": rule.get("autoDelete", "NEVER")}
            for name, rule in sorted(items.items())
        ],
    }


def _status(status: Json) -> list[Values]:
    state = status.get("stateful", {})
    return [
        {
            "isStable": status.get("isStable", False),
            "allInstancesConfigs": [status.get("allInstancesConfig", {})],
            "statefuls": [
                {
                    "hasStatefulConfig": state.get("hasStatefulConfig", False),
                    "perInstanceConfigs": [state.get("perInstanceConfigs", {})],
                }
            ],
            "versionTargets": [status.get("versionTarget", {})],
        }
    ]


_PARENT = "projects/{project}/regions/{region}/instanceGroupManagers"

GROUP_MANAGER = resource_type(
    "gcp:compute/regionInstanceGroupManager:RegionInstanceGroupManager",
    "RegionInstanceGroupManager",
    _GroupManager(
        id=f"{_PARENT}/{{name}}",
        create_call=f"POST {_PARENT}",
        imports=(f"{_PARENT}/{{name}}", "{project}/{region}/{name}", "{region}/{name}"),
    ),
    quirks={
        **SHORT_NAME,
        "region": {**IN_PATH, "from_provider": "region", **_SAME},
        "autoHealingPolicies": {
            "encode": lambda policy: [policy],
            "decode": lambda policies: policies[0],
        },
        "autoHealingPolicies.healthCheck": _SAME,
        "distributionPolicyTargetShape": {"wire": "distributionPolicy.targetShape"},
        "distributionPolicyZones": {
            "wire": "distributionPolicy.zones",
            "encode": lambda zones: [{"zone": f"zones/{zone}"} for zone in zones],
            "decode": lambda zones: [one["zone"].rpartition("/")[2] for one in zones],
        },
        "instanceGroupManagerId": {"wire": "id"},
        "statefulDisks": _state("deviceName", "disks"),
        "statefulExternalIps": _state("interfaceName", "externalIPs"),
        "statefulInternalIps": _state("interfaceName", "internalIPs"),
        "statuses": {"wire": "status", "decode": _status},
        "updatePolicy.instanceRedistributionType": {"implied": "PROACTIVE"},
        "updatePolicy.replacementMethod": {"implied": "SUBSTITUTE"},
        "updatePolicy": {"encode": _policy_to_wire, "decode": _policy_from_wire},
        "namedPorts": {"wire": "namedPorts"},
        "versions": {"wire": "versions"},
        "versions.instanceTemplate": _SAME,
        "waitForInstances": {"client": True},
        "waitForInstancesStatus": {"client": True},
    },
    uncovered=(
        "allInstancesConfig", "instanceFlexibilityPolicy", "params", "resourcePolicies",
        "standbyPolicy", "targetPools", "targetSizePolicies",
    ),
)  # fmt: skip
