"""The instances of managed groups: made from a template, with their disks and addresses."""

import secrets
import shutil
import string
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator.core import timestamps
from emulator.services.compute.fields import fingerprint, output_fields
from emulator.services.compute.names import Parts, last, link, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules.groups import preserved_disks
from emulator.services.compute.rules.networks import internal_address, located
from emulator.services.compute.type_table import DISKS, INSTANCES

FOLDER = "compute"
"""In the state folder: what the disks hold."""
_LETTERS = string.ascii_lowercase + string.digits
_DEFAULT_SIZE_GB = "10"
_ON_DELETION = "ON_PERMANENT_INSTANCE_DELETION"

Json = dict[str, Any]


@dataclass(frozen=True)
class Member:
    """An instance of a managed group.

    Attributes:
        name: its full name
        body: as answers show it
        local: `manager`, the name of its group; `template`, the URL that it was made from;
            `action`, what happens to it; `began`, seconds since the epoch; `failure`, why it does
            not run
    """

    name: str
    body: Json
    local: Json

    @property
    def action(self) -> str:
        """The action on it, such as `CREATING`, or `NONE`."""
        return str(self.local["action"])

    @property
    def template(self) -> str:
        """The URL of the template that it was made from."""
        return str(self.local["template"])

    @property
    def address(self) -> str:
        """Its internal address."""
        return str(self.body["networkInterfaces"][0]["networkIP"])


class Members:
    """The instances of all groups.

    Args:
        resources: keep them
        folder: of the content of disks
    """

    def __init__(self, resources: Resources, folder: Path) -> None:
        self._resources = resources
        self._folder = folder

    def of_manager(self, manager: str) -> list[Member]:
        """Return the instances of a group, the oldest first."""
        found = self._resources.with_local("instances", "manager", manager)
        members = [Member(*row) for row in found]
        return sorted(members, key=lambda member: (member.local["added"], member.name))

    def find(self, name: str) -> Member | None:
        """Return an instance; None if it does not exist."""
        body = self._resources.find(name)
        return None if body is None else Member(name, body, self._resources.local(name))

    def add(self, manager: str, body: Json, began: float) -> Member:
        """Add an instance to a group, in the zone that has the fewest.

        Args:
            manager: name of the group
            body: of the group
            began: seconds since the epoch

        Raises:
            ComputeError: the template refers to what does not exist
        """
        group = parts_of(manager)
        zone = self._zone(manager, body)
        while True:
            suffix = "".join(secrets.choice(_LETTERS) for _ in range(4))
            own = Parts(
                group.project, f"zones/{zone}", "instances", f"{body['baseInstanceName']}-{suffix}"
            )
            if self._resources.find(own.name) is None:
                break
        template = self._resources.get(parts_of(body["instanceTemplate"]).name)
        whole = self._instance(own, manager, body, template["properties"])
        interface = whole["networkInterfaces"][0]
        local = {
            "manager": manager,
            "template": body["instanceTemplate"],
            "action": "CREATING",
            "began": began,
            "added": began,
        }
        references = [parts_of(interface[key]).name for key in ("network", "subnetwork")]
        self._resources.create(own.name, whole, references, local)
        return Member(own.name, whole, local)

    def renew(self, member: Member, body: Json, began: float) -> Member:
        """Make an instance again from its group's template; what the group preserves stays.

        Args:
            member: the instance
            body: of the group
            began: seconds since the epoch
        """
        template = self._resources.get(parts_of(body["instanceTemplate"]).name)
        kept = preserved_disks(body)
        self._delete_disks(disk for disk in member.body["disks"] if disk["deviceName"] not in kept)
        own = parts_of(member.name)
        manager = member.local["manager"]
        whole = self._instance(own, manager, body, template["properties"], member.body)
        local = {"template": body["instanceTemplate"], "action": "CREATING", "began": began}
        self._resources.update(member.name, whole)
        self._resources.update_local(member.name, {**local, "failure": ""})
        return Member(member.name, whole, {**member.local, **local, "failure": ""})

    def remove(self, member: Member, body: Json) -> None:
        """Delete an instance permanently, with the disks that go with it.

        Args:
            member: the instance
            body: of its group
        """
        rules = preserved_disks(body)
        gone: list[Json] = []
        detached: list[Json] = []
        for disk in member.body["disks"]:
            rule = rules.get(disk["deviceName"])
            goes = rule == _ON_DELETION if rule else disk["autoDelete"]
            (gone if goes else detached).append(disk)
        self._delete_disks(gone)
        for disk in detached:
            self._resources.update(parts_of(disk["source"]).name, {"users": []})
        self._resources.delete(member.name, INSTANCES.noun)

    def disk_folder(self, disk: Json) -> Path:
        """Return the folder of what an attached disk holds."""
        found = self._resources.get(parts_of(disk["source"]).name)
        return self._folder / str(found["id"])

    def delete_folder(self, disk: Json) -> None:
        """Delete what a disk holds.

        Args:
            disk: the body of the disk itself
        """
        shutil.rmtree(self._folder / str(disk["id"]), ignore_errors=True)

    def clear(self) -> None:
        """Delete what all disks hold."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def _zone(self, manager: str, body: Json) -> str:
        zones = [last(one["zone"]) for one in body["distributionPolicy"]["zones"]]
        used = [last(member.body["zone"]) for member in self.of_manager(manager)]
        return min(zones, key=used.count)

    def _instance(
        self, own: Parts, manager: str, body: Json, properties: Json, before: Json | None = None
    ) -> Json:
        zone = f"projects/{own.project}/{own.location}"
        items = properties["metadata"].get("items", [])
        added = {"instance-template": body["instanceTemplate"], "created-by": link(manager)}
        metadata = {
            "kind": "compute#metadata",
            "items": [*items, *({"key": key, "value": value} for key, value in added.items())],
        }
        copied = (
            "canIpForward",
            "labels",
            "scheduling",
            "serviceAccounts",
            "shieldedInstanceConfig",
            "tags",
        )
        whole = {
            **{key: properties[key] for key in copied if key in properties},
            "deletionProtection": False,
            "disks": self._disks(own, properties["disks"], before),
            "labelFingerprint": fingerprint(properties.get("labels", {})),
            "lastStartTimestamp": timestamps.now("milliseconds"),
            "machineType": link(f"{zone}/machineTypes/{last(properties['machineType'])}"),
            "metadata": {**metadata, "fingerprint": fingerprint(metadata)},
            "networkInterfaces": self._interfaces(own, properties["networkInterfaces"], before),
            "startRestricted": False,
            "status": "STAGING",
            "statusMessage": "",
        }
        shown = output_fields(INSTANCES, own.name, whole, before)
        return {
            **shown,
            "fingerprint": fingerprint(shown),
            "labelFingerprint": whole["labelFingerprint"],
        }

    def _interfaces(self, own: Parts, interfaces: list[Json], before: Json | None) -> list[Json]:
        shown = []
        for index, interface in enumerate(interfaces):
            where = located(interface, own, self._resources)
            if before is not None:
                address = before["networkInterfaces"][index]["networkIP"]
            else:
                field = f"resource.networkInterfaces[{index}].networkIP"
                address = internal_address(interface.get("networkIP"), field, self._resources)
            whole = {"stackType": "IPV4_ONLY", **interface, **where, "networkIP": address}
            shown.append({**whole, "fingerprint": fingerprint(whole)})
        return shown

    def _disks(self, own: Parts, disks: list[Json], before: Json | None) -> list[Json]:
        """Return the disks of an instance; those that it had before stay attached to it."""
        present = {disk["deviceName"]: disk for disk in (before or {}).get("disks", [])}
        attached = []
        for disk in disks:
            old = present.get(disk["deviceName"])
            if old and self._resources.find(parts_of(old["source"]).name):
                attached.append(old)
                continue
            attached.append(self._new_disk(own, disk))
        return attached

    def _new_disk(self, own: Parts, disk: Json) -> Json:
        settings = disk.get("initializeParams", {})
        suffix = "" if disk["boot"] else f"-{disk['index']}"
        id_ = settings.get("diskName") or f"{own.id}{suffix}"
        disk_name = f"projects/{own.project}/{own.location}/disks/{id_}"
        size = str(disk.get("diskSizeGb") or settings.get("diskSizeGb") or _DEFAULT_SIZE_GB)
        type_ = last(settings.get("diskType") or "pd-standard")
        body = {
            "sizeGb": size,
            "status": "READY",
            "type": link(f"projects/{own.project}/{own.location}/diskTypes/{type_}"),
            "users": [link(own.name)],
            "physicalBlockSizeBytes": "4096",
        }
        if image := settings.get("sourceImage"):
            body["sourceImage"] = image
        self._resources.create(disk_name, output_fields(DISKS, disk_name, body))
        kept = {key: value for key, value in disk.items() if key != "initializeParams"}
        return {**kept, "diskSizeGb": size, "source": link(disk_name)}

    def _delete_disks(self, disks: Iterable[Json]) -> None:
        for disk in disks:
            name = parts_of(disk["source"]).name
            found = self._resources.find(name)
            if found is not None:
                self._resources.delete(name, DISKS.noun)
                self.delete_folder(found)
