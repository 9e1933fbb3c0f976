"""Managed instance groups: a thread makes the instances of each group what the group asks for.

Documented: https://cloud.google.com/compute/docs/instance-groups/working-with-managed-instances and
https://cloud.google.com/compute/docs/instance-groups/updating-migs. Instances are updated one after
the other, however many the policy allows at a time.
"""

import logging
import sqlite3
import threading
import time
from collections.abc import Sequence
from typing import Any

from emulator.core.errors import ApiError
from emulator.services.compute.fields import output_fields
from emulator.services.compute.names import parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.running.health import HEALTHY, UNHEALTHY, Health
from emulator.services.compute.running.machines import Machines
from emulator.services.compute.running.members import Member, Members
from emulator.services.compute.running.status import (
    CREATING,
    DELETING,
    NONE,
    RECREATING,
    VERIFYING,
)
from emulator.services.compute.type_table import GROUP_MANAGERS, INSTANCE_GROUPS, INSTANCES

LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.5
"""Between two looks at groups with instances that are on their way."""

Json = dict[str, Any]


class Groups:
    """The groups of all projects.

    Args:
        resources: have the groups and their templates
        members: make the instances
        machines: run them
        health: of the instances
    """

    def __init__(
        self, resources: Resources, members: Members, machines: Machines, health: Health
    ) -> None:
        self._resources = resources
        self._members = members
        self._machines = machines
        self._health = health
        self._changed = threading.Event()
        self._closed = threading.Event()
        self._is_paused = False
        self._lock = threading.RLock()
        self._errors: dict[str, str] = {}
        self._thread = threading.Thread(target=self._run, name="compute-groups", daemon=True)
        health.on_change(self.wake)

    def start(self) -> None:
        """Begin, with the instances that the state has, which are all to be started."""
        for name in self._resources.everywhere(INSTANCES.collection):
            self._resources.update(name, {"status": "STAGING"})
            self._resources.update_local(name, {"action": CREATING})
        self._thread.start()

    def wake(self) -> None:
        """Look at all groups now."""
        self._changed.set()

    def close(self) -> None:
        """Stop what runs; the instances run again after the next start."""
        self._closed.set()
        self.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._machines.stop_all(self._machines.running())

    def reset(self) -> None:
        """Stop what runs, and delete the content of all disks; start nothing until `resume`."""
        with self._lock:
            self._is_paused = True
            self._machines.stop_all(self._machines.running())
            self._members.clear()
            self._errors.clear()

    def resume(self) -> None:
        """Look at groups again, after their state was deleted."""
        with self._lock:
            self._is_paused = False
        self.wake()

    def members(self, manager: str) -> Sequence[Member]:
        """Return the instances of a group."""
        return self._members.of_manager(manager)

    def health_of(self, body: Json, member: Member) -> str:
        """Return the health of an instance by the policy of its group; nothing without one."""
        policies = body.get("autoHealingPolicies", [])
        checks = [policy["healthCheck"] for policy in policies if policy.get("healthCheck")]
        states = [self._health.of(parts_of(check).name, member.name) for check in checks]
        return (states[0] or UNHEALTHY) if states else ""

    def errors(self, manager: str) -> list[str]:
        """Return why the instances of a group can't be made or run."""
        failures = [str(one.local.get("failure", "")) for one in self.members(manager)]
        return [text for text in (self._errors.get(manager, ""), *failures) if text]

    def created(self, manager: str) -> None:
        """Add the instance group of a new manager."""
        group = manager.replace("/instanceGroupManagers/", "/instanceGroups/")
        self._resources.create(group, output_fields(INSTANCE_GROUPS, group, {}))

    def mark(self, manager: str, names: Sequence[str], action: str) -> None:
        """Have something done with instances of a group.

        Args:
            manager: name of the group
            names: of the instances
            action: `RECREATING` or `DELETING`
        """
        with self._lock:
            for member in self.members(manager):
                if member.name in names:
                    self._resources.update_local(member.name, {"action": action})
        self.wake()

    def delete(self, manager: str) -> None:
        """Delete a group with its instances; what runs in them is stopped first.

        Raises:
            ComputeError: 404, or 400 if its instance group is in use
        """
        group = manager.replace("/instanceGroupManagers/", "/instanceGroups/")
        with self._lock:
            body = self._resources.get(manager)
            self._resources.delete(manager, INSTANCE_GROUPS.noun, [group])
            members = self.members(manager)
            self._machines.stop_all([member.name for member in members])
            for member in members:
                self._members.remove(member, body)
            self._errors.pop(manager, None)

    def delete_disk(self, disk: Json) -> None:
        """Delete what a disk holds that no instance uses.

        Args:
            disk: its body
        """
        self._members.delete_folder(disk)

    def _run(self) -> None:
        while not self._closed.is_set():
            self._changed.clear()
            try:
                names = [*self._resources.everywhere(GROUP_MANAGERS.collection)]
            except sqlite3.Error as error:
                LOG.error("the groups can't be read: %s", error)
                self._changed.wait(_POLL_SECONDS)
                continue
            settled = [self._look(name) for name in names]
            self._changed.wait(None if all(settled) else _POLL_SECONDS)

    def _look(self, manager: str) -> bool:
        """Do what a group needs now; return whether nothing is left to do."""
        with self._lock:
            if self._is_paused or self._closed.is_set():
                return True
            try:
                body = self._resources.find(manager)
                if body is None:
                    return True
                changed = self._adjust(manager, body)
                self._errors.pop(manager, None)
            except (ApiError, OSError, sqlite3.Error) as error:
                message = error.message if isinstance(error, ApiError) else str(error)
                if self._errors.get(manager) != message:
                    LOG.error("%s: %s", manager, message)
                self._errors[manager] = message
                return False
        if changed:
            self._health.refresh()
        return all(self._is_settled(body, member) for member in self.members(manager))

    def _is_settled(self, body: Json, member: Member) -> bool:
        if member.action != NONE:
            return False
        # An unhealthy instance is made again after the initial delay of its policy.
        return self.health_of(body, member) in ("", HEALTHY) or bool(member.local.get("failure"))

    def _adjust(self, manager: str, body: Json) -> bool:
        """Make the instances what a group asks for; return whether any was added or removed."""
        members = self.members(manager)
        surplus = self._surplus(body, members)
        for member in surplus:
            self._machines.stop(member.name)
            self._members.remove(member, body)
        left = [member for member in members if member not in surplus]
        missing = body["targetSize"] - len(left)
        left += [self._members.add(manager, body, time.time()) for _ in range(missing)]
        for member in left:
            if not self._machines.has(member.name):
                self._start(body, member)
            elif member.action == RECREATING or self._is_to_be_healed(body, member):
                self._recreate(body, member)
            else:
                self._finish(body, member)
        self._update_next(manager, body)
        return bool(surplus) or missing > 0

    def _surplus(self, body: Json, members: Sequence[Member]) -> list[Member]:
        """Return the instances to remove: those marked, and the newest of too many."""
        marked = [member for member in members if member.action == DELETING]
        left = [member for member in members if member.action != DELETING]
        return marked + left[body["targetSize"] :]

    def _start(self, body: Json, member: Member) -> None:
        self._health.forget(member.name)
        failure = self._machines.start(member, self.wake)
        status = "TERMINATED" if failure else "RUNNING"
        self._resources.update(member.name, {"status": status, "statusMessage": failure})
        is_verified = bool(self.health_of(body, member)) and not failure
        change = {"action": VERIFYING if is_verified else NONE, "failure": failure}
        self._resources.update_local(member.name, {**change, "began": time.time()})
        if failure:
            LOG.warning("%s runs nothing: %s", member.name, failure)

    def _recreate(self, body: Json, member: Member) -> None:
        LOG.info("%s is made again", member.name)
        self._machines.stop(member.name)
        self._start(body, self._members.renew(member, body, time.time()))

    def _finish(self, body: Json, member: Member) -> None:
        if member.action == CREATING or (
            member.action == VERIFYING and self.health_of(body, member) in ("", HEALTHY)
        ):
            self._resources.update_local(member.name, {"action": NONE})

    def _is_to_be_healed(self, body: Json, member: Member) -> bool:
        if self.health_of(body, member) != UNHEALTHY or member.local.get("failure"):
            return False
        [policy] = body["autoHealingPolicies"]
        check = self._resources.find(parts_of(policy["healthCheck"]).name)
        if check is None:
            return False
        noticed = check["checkIntervalSec"] * check["unhealthyThreshold"]
        delay = max(policy.get("initialDelaySec", 0), noticed)
        return time.time() > float(member.local["began"]) + float(delay)

    def _update_next(self, manager: str, body: Json) -> None:
        """Make the next outdated instance again, once nothing happens to any other."""
        members = self.members(manager)
        if body["updatePolicy"]["type"] != "PROACTIVE":
            return
        if any(member.action != NONE for member in members):
            return
        for member in members:
            if member.template != body["instanceTemplate"]:
                self._replace(manager, body, member)
                return

    def _replace(self, manager: str, body: Json, member: Member) -> None:
        if body["updatePolicy"]["replacementMethod"] == "RECREATE":
            self._recreate(body, member)
            return
        self._machines.stop(member.name)
        self._members.remove(member, body)
        self._start(body, self._members.add(manager, body, time.time()))
        self._health.refresh()
