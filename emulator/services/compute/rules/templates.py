"""Rules for instance templates: additions to their bodies, and refusals.

Documented: https://cloud.google.com/compute/docs/reference/rest/v1/instanceTemplates.
"""

from typing import Any

from emulator.services.compute.errors import required
from emulator.services.compute.fields import fingerprint
from emulator.services.compute.names import Parts, link
from emulator.services.compute.resources import Resources

_SCHEDULING = {
    "automaticRestart": True, "onHostMaintenance": "MIGRATE", "preemptible": False,
    "provisioningModel": "STANDARD",
}  # fmt: skip

Json = dict[str, Any]


def template(body: Json, own: Parts, resources: Resources, before: Json | None) -> Json:  # noqa: ARG001
    """Prepare an instance template."""
    properties = dict(body["properties"])
    for field in ("machineType", "disks", "networkInterfaces"):
        if not properties.get(field):
            raise required(f"resource.properties.{field}")
    properties["disks"] = [_disk(index, one) for index, one in enumerate(properties["disks"])]
    properties["networkInterfaces"] = [
        _interface(index, one, own) for index, one in enumerate(properties["networkInterfaces"])
    ]
    metadata = {"kind": "compute#metadata", **properties.get("metadata", {})}
    properties["metadata"] = {**metadata, "fingerprint": fingerprint(metadata)}
    if "tags" in properties:
        tags = {"items": properties["tags"].get("items", [])}
        properties["tags"] = {**tags, "fingerprint": fingerprint(tags)}
    properties["scheduling"] = {**_SCHEDULING, **properties.get("scheduling", {})}
    properties.setdefault("canIpForward", False)
    return {**body, "properties": properties}


def _disk(index: int, disk: Json) -> Json:
    return {
        "autoDelete": False,
        "boot": index == 0,
        "deviceName": f"persistent-disk-{index}",
        "interface": "SCSI",
        "mode": "READ_WRITE",
        "type": "PERSISTENT",
        **disk,
        "index": index,
        "kind": "compute#attachedDisk",
    }


def _interface(index: int, interface: Json, own: Parts) -> Json:
    default = link(f"projects/{own.project}/global/networks/default")
    where = {} if "subnetwork" in interface else {"network": default}
    return {**where, **interface, "name": f"nic{index}", "kind": "compute#networkInterface"}
