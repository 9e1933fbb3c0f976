"""The health of instances: watched as health checks say, for groups and for backend services.

An instance is looked at more often than its check says until it is healthy, so that a local group
is ready as soon as its programs are.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any, NamedTuple

from emulator.services.compute.names import parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.running import probes
from emulator.services.compute.running.loop import Loop
from emulator.services.compute.running.machines import Machines
from emulator.services.compute.running.members import Members

LOG = logging.getLogger(__name__)
HEALTHY, UNHEALTHY = "HEALTHY", "UNHEALTHY"
UNSETTLED_SECONDS = 0.1
"""Between two looks at an instance that is not healthy."""

Json = dict[str, Any]


class Watched(NamedTuple):
    """A health check and the instance that it watches.

    Attributes:
        check: name of the health check
        instance: name of the instance
    """

    check: str
    instance: str


class Health:
    """The health of the instances that something asks about.

    Args:
        resources: have the health checks, groups and backend services
        members: know the addresses of instances
        machines: know the ports of their containers
        loop: runs the checks
    """

    def __init__(
        self, resources: Resources, members: Members, machines: Machines, loop: Loop
    ) -> None:
        self._resources = resources
        self._members = members
        self._machines = machines
        self._loop = loop
        self._tasks: dict[Watched, asyncio.Task[None]] = {}
        self._states: dict[Watched, str] = {}
        self._on_change: Callable[[], None] = lambda: None

    def on_change(self, listener: Callable[[], None]) -> None:
        """Have a function called whenever an instance becomes healthy or unhealthy."""
        self._on_change = listener

    def of(self, check: str, instance: str) -> str:
        """Return `HEALTHY`, `UNHEALTHY`, or nothing as long as it is not known.

        Args:
            check: name of the health check
            instance: name of the instance
        """
        return self._states.get(Watched(check, instance), "")

    def forget(self, instance: str) -> None:
        """Begin again with an instance, which was started again."""
        for watched in [*self._states]:
            if watched.instance == instance:
                self._states.pop(watched, None)

    def refresh(self) -> None:
        """Watch what the groups and backend services want watched now, and nothing else."""
        if self._loop.is_running:
            self._loop.run(self._watch({*self._of_groups(), *self._of_services()}))

    def _of_groups(self) -> list[Watched]:
        found = []
        for name, group in self._resources.everywhere("instanceGroupManagers").items():
            for policy in group.get("autoHealingPolicies", []):
                if check := policy.get("healthCheck"):
                    found += self._members_watched(parts_of(check).name, name)
        return found

    def _of_services(self) -> list[Watched]:
        found = []
        for service in self._resources.everywhere("backendServices").values():
            for check in service.get("healthChecks", []):
                for backend in service.get("backends", []):
                    found += self._members_watched(
                        parts_of(check).name, manager_of(backend["group"])
                    )
        return found

    def _members_watched(self, check: str, manager: str) -> list[Watched]:
        return [Watched(check, member.name) for member in self._members.of_manager(manager)]

    async def _watch(self, wanted: set[Watched]) -> None:
        for gone in self._tasks.keys() - wanted:
            self._tasks.pop(gone).cancel()
            self._states.pop(gone, None)
        for new in wanted - self._tasks.keys():
            self._tasks[new] = asyncio.create_task(self._follow(new))

    async def _follow(self, watched: Watched) -> None:
        streak, last = 0, False
        while True:
            check = await asyncio.to_thread(self._resources.find, watched.check)
            if check is None:
                return
            result = await self._probe(check, watched.instance)
            streak, last = (streak + 1 if result == last else 1), result
            before = self._states.get(watched, "")
            threshold = check["healthyThreshold" if result else "unhealthyThreshold"]
            if streak >= threshold or (result and not before):
                self._become(watched, HEALTHY if result else UNHEALTHY)
            is_settled = self._states.get(watched) == HEALTHY
            await asyncio.sleep(check["checkIntervalSec"] if is_settled else UNSETTLED_SECONDS)

    def _become(self, watched: Watched, state: str) -> None:
        if self._states.get(watched) != state:
            self._states[watched] = state
            LOG.info("%s is %s by %s", watched.instance, state, watched.check)
            self._on_change()

    async def _probe(self, check: Json, instance: str) -> bool:
        target = await asyncio.to_thread(self._target, check, instance)
        return target is not None and await probes.is_healthy(check, *target)

    def _target(self, check: Json, instance: str) -> tuple[str, int] | None:
        member = self._members.find(instance)
        if member is None:
            return None
        group = self._resources.find(member.local["manager"]) or {}
        named = {one["name"]: int(one["port"]) for one in group.get("namedPorts", [])}
        port = probes.port_of(check, named)
        if port is None:
            return None
        return member.address, self._machines.port(instance, port)


def manager_of(group: str) -> str:
    """Return the name of the manager of an instance group."""
    return parts_of(group).name.replace("/instanceGroups/", "/instanceGroupManagers/")
