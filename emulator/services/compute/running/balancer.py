"""The internal passthrough load balancer: it listens for forwarding rules, and passes bytes on.

Documented: https://cloud.google.com/load-balancing/docs/internal. A connection goes to a healthy
instance of the backend service; if none is healthy, to any. As there, the instance sees the address
of the client. Another protocol than TCP is not passed on here.
"""

import asyncio
import logging
import secrets
import zlib
from contextlib import suppress
from typing import Any

from emulator.services.compute import addresses
from emulator.services.compute.errors import ComputeError
from emulator.services.compute.names import link, parts_of
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules.balancing import INTERNAL
from emulator.services.compute.running.health import HEALTHY, UNHEALTHY, Health, manager_of
from emulator.services.compute.running.loop import Loop
from emulator.services.compute.running.machines import Machines
from emulator.services.compute.running.members import Member, Members

LOG = logging.getLogger(__name__)
_CONNECT_SECONDS = 5.0
_CHUNK_BYTES = 1 << 16
_TCP = "TCP"
_PRIVILEGED = 1024

Json = dict[str, Any]
Listening = tuple[str, tuple[int, ...]]


class Balancer:
    """The forwarding rules that are served.

    Args:
        resources: have the rules and their backends
        members: know the instances
        machines: know the ports of their containers
        health: of the instances
        loop: carries the connections
    """

    def __init__(
        self,
        resources: Resources,
        members: Members,
        machines: Machines,
        health: Health,
        loop: Loop,
    ) -> None:
        self._resources = resources
        self._members = members
        self._machines = machines
        self._health = health
        self._loop = loop
        self._listening: dict[str, Listening] = {}
        self._servers: dict[str, list[asyncio.Server]] = {}
        self._connections: dict[str, set[asyncio.Task[None]]] = {}

    def start(self) -> None:
        """Listen for all rules; one that can't be listened for is logged."""
        self._loop.start()
        for name in self._resources.everywhere("forwardingRules"):
            try:
                self.open(name)
            except ComputeError as error:
                LOG.error("%s: %s", name, error.message)
        self._health.refresh()

    def open(self, name: str) -> list[str]:
        """Listen for a rule, which exists; return what its client should know.

        Raises:
            ComputeError: its port can't be listened at
        """
        rule = self._resources.get(name)
        if rule["loadBalancingScheme"] != INTERNAL or rule["IPProtocol"] != _TCP:
            return [
                f"{name} is stored without effect: the local Google Cloud passes on TCP of "
                "internal load balancers alone."
            ]
        if rule["IPAddress"] == addresses.SHARED:
            return []  # the program itself listens there
        ports = tuple(int(port) for port in rule.get("ports", []))
        if not ports:
            return [f"{name} is stored without effect: name its ports instead of allPorts."]
        wanted = (rule["IPAddress"], ports)
        if self._listening.get(name) != wanted and self._loop.is_running:
            self.close_rule(name)
            self._loop.run(self._listen(name, *wanted))
            self._listening[name] = wanted
        return []

    def close_rule(self, name: str) -> None:
        """Stop to listen for a rule, and end its connections."""
        if self._listening.pop(name, None):
            self._loop.run(self._stop(name))

    def refresh(self) -> None:
        """Look again at which instances are watched."""
        self._health.refresh()

    def reset(self) -> None:
        """Stop to listen for all rules."""
        for name in [*self._listening]:
            self.close_rule(name)

    def close(self) -> None:
        """Stop permanently."""
        self.reset()
        self._loop.close()

    def health_of(self, service: Json, group: str) -> list[Json]:
        """Return the health of the instances of a group, for a backend service.

        Args:
            service: the backend service
            group: URL of the instance group
        """
        own = service["selfLink"]
        rules = [
            rule
            for rule in self._resources.everywhere("forwardingRules").values()
            if rule.get("backendService") == own
        ]
        return [
            {
                "instance": member.body["selfLink"],
                "ipAddress": member.address,
                "port": int((rule.get("ports") or [0])[0]),
                "forwardingRule": link(parts_of(rule["selfLink"]).name),
                "forwardingRuleIp": rule["IPAddress"],
                "healthState": HEALTHY if self._is_healthy(service, member) else UNHEALTHY,
            }
            for rule in rules
            for member in self._members.of_manager(manager_of(group))
        ]

    def _is_healthy(self, service: Json, member: Member) -> bool:
        checks = [parts_of(check).name for check in service.get("healthChecks", [])]
        return all(self._health.of(check, member.name) == HEALTHY for check in checks)

    async def _listen(self, name: str, address: str, ports: tuple[int, ...]) -> None:
        servers: list[asyncio.Server] = []
        self._connections[name] = set()
        for port in ports:

            async def serve(
                reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int = port
            ) -> None:
                await self._serve(name, port, reader, writer)

            try:
                servers.append(await asyncio.start_server(serve, address, port))
            except OSError as error:
                for server in servers:
                    server.close()
                raise _cannot_listen(address, port, error) from error
        self._servers[name] = servers

    async def _stop(self, name: str) -> None:
        for server in self._servers.pop(name, []):
            server.close()
        connections = self._connections.pop(name, set())
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _serve(
        self, name: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections = self._connections.get(name, set())
        connections.add(task)
        try:
            await self._pass_on(name, port, reader, writer)
        except asyncio.CancelledError:
            LOG.info("a connection to %s is closed with its rule", name)
        finally:
            connections.discard(task)
            writer.close()

    async def _pass_on(
        self, name: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        client = writer.get_extra_info("peername")[0]
        member = await asyncio.to_thread(self._choose, name, client)
        if member is None:
            LOG.warning("%s has no instance to connect to", name)
            writer.transport.abort()
            return
        inner = self._machines.port(member.name, port)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                there = await asyncio.open_connection(member.address, inner, local_addr=(client, 0))
        except (OSError, TimeoutError) as error:
            LOG.warning("%s does not take a connection at port %d: %s", member.name, inner, error)
            writer.transport.abort()
            return
        try:
            await asyncio.gather(_copy(reader, there[1]), _copy(there[0], writer))
        finally:
            there[1].close()

    def _choose(self, name: str, client: str) -> Member | None:
        """Return the instance for a new connection to a rule.

        Args:
            name: of the rule
            client: the address of the client, which always gets the same instance if the service
                has an affinity
        """
        rule = self._resources.find(name)
        service = self._resources.find(parts_of(rule["backendService"]).name) if rule else None
        members = [
            member
            for backend in (service or {}).get("backends", [])
            for member in self._members.of_manager(manager_of(backend["group"]))
        ]
        healthy = [one for one in members if self._is_healthy(service or {}, one)]
        candidates = healthy or members
        if not candidates:
            return None
        if (service or {}).get("sessionAffinity", "NONE") == "NONE":
            return secrets.choice(candidates)
        return candidates[zlib.crc32(client.encode()) % len(candidates)]


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy until the end of the one side, and close the other side then."""
    with suppress(ConnectionError):
        while chunk := await reader.read(_CHUNK_BYTES):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
        return
    writer.transport.abort()


def _cannot_listen(address: str, port: int, error: OSError) -> ComputeError:
    if port < _PRIVILEGED and isinstance(error, PermissionError):
        cure = (
            f"ports below {_PRIVILEGED} need the rights of root: choose one from {_PRIVILEGED} on."
        )
    else:
        cure = "another program listens there: end it, or choose another port."
    return ComputeError(
        409,
        "RESOURCE_IN_USE_BY_ANOTHER_RESOURCE",
        f"The local Google Cloud can't listen at {address}:{port} ({error.strerror}); {cure}",
    )
