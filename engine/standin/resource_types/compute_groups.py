"""Resource types of Compute Engine: instance template and regional managed instance group."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from engine.standin.compute import Compute, full_link, same_link
from engine.standin.errors import PartialError, StandInError
from engine.standin.http import Api, Json, NotYetError
from engine.standin.resource import ResourceType, Update
from engine.standin.resource_types.common import IN_PATH, SHORT_NAME, resource_type
from engine.standin.values import Values

_NUMBERS = itertools.count(1)
_INITIALIZED = frozenset(
    {
        "architecture", "diskName", "diskSizeGb", "diskType", "labels", "provisionedIops",
        "provisionedThroughput", "sourceImage", "sourceSnapshot",
    }
)  # fmt: skip
"""Fields of a disk that the API has in its `initializeParams`."""
_SHOWN = (
    "architecture", "autoDelete", "boot", "deviceName", "interface", "mode", "source", "type",
)  # fmt: skip
_SAME = {"same": same_link}
_PROPERTIES = (
    "canIpForward", "keyRevocationActionType", "minCpuPlatform", "scheduling",
    "shieldedInstanceConfig",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class _Template(Compute):
    """An instance template: it is never changed, and may get its name from a prefix."""

    def create(self, type_: ResourceType, wanted: Values, api: Api) -> str:
        """Send it, under a new name if the program gives a prefix alone."""
        prefix = wanted.get("namePrefix", "terraform-")
        return super().create(type_, {**wanted, "name": wanted.get("name") or _unique(prefix)}, api)

    def read(self, type_: ResourceType, id_: str, known: Values, api: Api) -> Values | None:
        """Read it by its id: a program may not know the name."""
        return super().read(type_, id_, {**known, "name": id_.rpartition("/")[2]}, api)

    def _values(self, type_: ResourceType, answer: Json, known: Values) -> Values:
        labels = answer["properties"].get("labels")
        return super()._values(type_, {**answer, "labels": labels}, known)


def _unique(prefix: str) -> str:
    """Return a name as Terraform makes it: a prefix, the time, and a number in hexadecimal."""
    now = datetime.now(UTC)
    return f"{prefix}{now:%Y%m%d%H%M%S}{now.microsecond // 100:04d}{next(_NUMBERS):08x}"


def _with_links(body: Json, values: Values) -> Json:
    """Return a template whose networks are named in full."""
    region = {**values, "region": values.get("region") or ""}
    for interface in body["properties"].get("networkInterfaces", []):
        for key, template in (
            ("network", "projects/{project}/global/networks/{}"),
            ("subnetwork", "projects/{project}/regions/{region}/subnetworks/{}"),
        ):
            if interface.get(key):
                interface[key] = full_link(interface[key], template, region)
    return body


def _unique_link(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {
        "name": answer["name"],
        "selfLinkUnique": f"{answer['selfLink']}?uniqueId={answer['id']}",
    }


def _disks_to_wire(disks: list[Values]) -> list[Json]:
    return [_disk_to_wire(disk) for disk in disks]


def _disk_to_wire(disk: Values) -> Json:
    given = {key: value for key, value in disk.items() if value not in (None, "", 0, [], {})}
    initialized = {key: given[key] for key in _INITIALIZED & given.keys()}
    if "diskSizeGb" in initialized:
        initialized["diskSizeGb"] = str(initialized["diskSizeGb"])
    body: Json = {key: given[key] for key in _SHOWN if key in given and key not in _INITIALIZED}
    if features := given.get("guestOsFeatures"):
        body["guestOsFeatures"] = [{"type": feature} for feature in features]
    if key := (given.get("diskEncryptionKey") or {}).get("kmsKeySelfLink"):
        body["diskEncryptionKey"] = {"kmsKeyName": key}
    return {**body, "initializeParams": initialized} if initialized else body


def _disks_from_wire(disks: list[Json]) -> list[Values]:
    return [_disk_from_wire(disk) for disk in disks]


def _disk_from_wire(disk: Json) -> Values:
    settings = disk.get("initializeParams", {})
    values: Values = {key: disk[key] for key in _SHOWN if key in disk}
    values |= {key: settings[key] for key in _INITIALIZED & settings.keys()}
    if "diskSizeGb" in values:
        values["diskSizeGb"] = int(values["diskSizeGb"])
    if "guestOsFeatures" in disk:
        values["guestOsFeatures"] = [feature["type"] for feature in disk["guestOsFeatures"]]
    if key := disk.get("diskEncryptionKey", {}).get("kmsKeyName"):
        values["diskEncryptionKey"] = {"kmsKeySelfLink": key}
    return values


def _items(metadata: Mapping[str, str]) -> Json:
    items = [{"key": key, "value": value} for key, value in sorted(metadata.items())]
    return {"items": items}


def _from_items(metadata: Json) -> Values:
    return {item["key"]: item.get("value", "") for item in metadata.get("items", [])}


TEMPLATE = resource_type(
    "gcp:compute/instanceTemplate:InstanceTemplate",
    "instance template",
    _Template(
        id="projects/{project}/global/instanceTemplates/{name}",
        create_call="POST projects/{project}/global/instanceTemplates",
        imports=(
            "projects/{project}/global/instanceTemplates/{name}",
            "{project}/{name}",
            "{name}",
        ),
        encode=_with_links,
        decode=_unique_link,
    ),
    quirks={
        **SHORT_NAME,
        "region": {**IN_PATH, "from_provider": "region"},
        "namePrefix": IN_PATH,
        "numericId": {"wire": "id"},
        "selfLinkUnique": IN_PATH,
        "disks": {
            "wire": "properties.disks",
            "encode": _disks_to_wire,
            "decode": _disks_from_wire,
        },
        "disks.diskEncryptionKey.kmsKeySelfLink": _SAME,
        "disks.sourceImage": _SAME,
        "instanceDescription": {"wire": "properties.description"},
        "labels": {"wire": "properties.labels"},
        "machineType": {"wire": "properties.machineType"},
        "metadata": {"wire": "properties.metadata", "encode": _items, "decode": _from_items},
        "metadataFingerprint": {"wire": "properties.metadata.fingerprint"},
        "networkInterfaces": {"wire": "properties.networkInterfaces"},
        **{
            f"networkInterfaces.{name}": {"wire": name}
            for name in ("accessConfigs", "aliasIpRanges", "aliasIpv6Ranges", "ipv6AccessConfigs")
        },
        "networkInterfaces.accessConfigs.natIp": {"wire": "natIP"},
        "networkInterfaces.network": _SAME,
        "networkInterfaces.networkIp": {"wire": "networkIP"},
        "networkInterfaces.subnetwork": _SAME,
        "networkInterfaces.subnetworkProject": IN_PATH,
        **{name: {"wire": f"properties.{name}"} for name in _PROPERTIES},
        "serviceAccount": {
            "wire": "properties.serviceAccounts",
            "encode": lambda account: [account],
            "decode": lambda accounts: accounts[0],
        },
        "tags": {
            "wire": "properties.tags",
            "encode": lambda tags: {"items": tags},
            "decode": lambda tags: tags.get("items", []),
        },
        "tagsFingerprint": {"wire": "properties.tags.fingerprint"},
    },
    uncovered=(
        "advancedMachineFeatures", "confidentialInstanceConfig", "enableDisplay",
        "guestAccelerators", "metadataStartupScript", "networkPerformanceConfig",
        "partnerMetadata", "reservationAffinity", "resourceManagerTags", "resourcePolicies",
        "workloadIdentityConfig",
    ),
)  # fmt: skip


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
