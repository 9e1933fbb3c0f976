"""Resource type of Compute Engine: instance template."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from engine.standin.compute import Compute, full_link, same_link
from engine.standin.http import Api, Json
from engine.standin.resource import ResourceType
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
