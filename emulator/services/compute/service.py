"""Compute Engine as its handlers see it: the resources, and what follows from their changes."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from emulator.services.compute import defaults
from emulator.services.compute.errors import in_use, required
from emulator.services.compute.names import Parts, parts_of
from emulator.services.compute.operations import Operations
from emulator.services.compute.resources import Resources
from emulator.services.compute.rules import (
    armor,
    balancing,
    certificates,
    groups,
    http_balancing,
    networks,
    templates,
    vpn,
)
from emulator.services.compute.running.balancer import Balancer
from emulator.services.compute.running.groups import Groups
from emulator.services.compute.types import Type, holders, resolve
from emulator.services.serviceusage.service import ProjectAccess

API = "compute.googleapis.com"

Json = dict[str, Any]
Rule = Callable[[Json, Parts, Resources, Json | None], Json]

_RULES: Mapping[str, Rule] = {
    "addresses": networks.address,
    "backendServices": http_balancing.backend_service,
    "externalVpnGateways": vpn.external_vpn_gateway,
    "firewalls": networks.firewall,
    "forwardingRules": balancing.forwarding_rule,
    "globalAddresses": networks.address,
    "globalForwardingRules": http_balancing.forwarding_rule,
    "healthChecks": balancing.health_check,
    "instanceTemplates": templates.template,
    "networks": networks.network,
    "regionBackendServices": balancing.backend_service,
    "regionHealthChecks": balancing.health_check,
    "regionInstanceGroupManagers": groups.group_manager,
    "regionInstanceTemplates": templates.template,
    "regionNetworkEndpointGroups": http_balancing.endpoint_group,
    "routers": vpn.router,
    "securityPolicies": armor.security_policy,
    "sslCertificates": certificates.certificate,
    "sslPolicies": http_balancing.ssl_policy,
    "subnetworks": networks.subnetwork,
    "targetHttpsProxies": http_balancing.https_proxy,
    "urlMaps": http_balancing.url_map,
    "vpnGateways": vpn.vpn_gateway,
    "vpnTunnels": vpn.vpn_tunnel,
}
"""Type -> what it adds to a body and refuses in it."""


@dataclass(frozen=True)
class Compute:
    """The state of Compute Engine.

    Attributes:
        projects: those that have enabled the API
        resources: of all types
        operations: of all changes
        groups: run the instances of managed groups
        balancer: listens for forwarding rules
        lock: held by a change from its checks to its end
    """

    projects: ProjectAccess
    resources: Resources
    operations: Operations
    groups: Groups
    balancer: Balancer
    lock: threading.RLock = field(default_factory=threading.RLock)

    def enter(self, id_or_number: str) -> str:
        """Return the id of the project of a request; its default network exists from then on.

        Raises:
            ApiError: the project is not valid, or has not enabled the API
        """
        project = self.projects.resolve(id_or_number)
        self.resources.begin_project(project, lambda: defaults.of_project(project))
        return project

    def prepare(
        self, type_: Type, body: Json, own: Parts, before: Json | None
    ) -> tuple[Json, list[str]]:
        """Return a resource as it is kept, and the names of those that have to stay for it.

        Args:
            type_: of the resource
            body: of the request, with the defaults
            own: name of the resource
            before: the resource before a change

        Raises:
            ComputeError: the body is refused
        """
        for reference in type_.references:
            top = reference.path.partition("[")[0]
            is_missing = reference.is_required and not [*holders(body, reference.path)]
            if is_missing and ("[" not in reference.path or body.get(top)):
                raise required(f"resource.{reference.path}")
        resolve(type_, body, own, self.resources)
        rule = _RULES.get(type_.api)
        prepared = rule(body, own, self.resources, before) if rule else body
        return prepared, resolve(type_, prepared, own, self.resources)

    def created(self, type_: Type, name: str) -> list[str]:
        """Do what follows from a new resource; return what its client should know.

        Raises:
            ComputeError: it can't be done
        """
        if type_.api == "forwardingRules":
            return self.balancer.open(name)
        if type_.api == "regionInstanceGroupManagers":
            self.groups.created(name)
        elif type_.api == "networks" and self.resources.get(name)["autoCreateSubnetworks"]:
            _, project, _, _, id_ = name.split("/")
            for subnetwork, body in defaults.subnetworks(project, id_):
                self.resources.create(subnetwork, body, [name])
        self.changed(type_, name)
        return []

    def changed(self, type_: Type, name: str) -> None:
        """Do what follows from a change of a resource."""
        if type_.api == "forwardingRules":
            self.balancer.open(name)
        self.balancer.refresh()
        self.groups.wake()

    def delete(self, type_: Type, name: str) -> None:
        """Delete a resource with what belongs to it.

        Raises:
            ComputeError: 404, or 400 if another resource refers to it
        """
        if type_.api == "regionInstanceGroupManagers":
            self.groups.delete(name)
        elif type_.api == "disks":
            self._delete_disk(name, type_.noun)
        elif type_.collection == "addresses":
            self._delete_address(name, type_.noun)
        elif type_.api == "networks":
            self.resources.delete(name, type_.noun, self._own_subnetworks(name))
        else:
            self.resources.delete(name, type_.noun)
        if type_.api == "forwardingRules":
            self.balancer.close_rule(name)
        self.balancer.refresh()

    def _delete_disk(self, name: str, noun: str) -> None:
        disk = self.resources.get(name)
        if users := disk.get("users"):
            raise in_use(noun, name, parts_of(users[0]).name)
        self.resources.delete(name, noun)
        self.groups.delete_disk(disk)

    def _delete_address(self, name: str, noun: str) -> None:
        users = balancing.users_of_address(self.resources.get(name), self.resources)
        if users:
            raise in_use(noun, name, parts_of(users[0]).name)
        self.resources.delete(name, noun)

    def _own_subnetworks(self, network: str) -> list[str]:
        if not self.resources.get(network)["autoCreateSubnetworks"]:
            return []
        return [name for name in self.resources.users(network) if "/subnetworks/" in name]

    def start(self) -> None:
        """Listen for the rules and run the groups that the state has."""
        self.operations.prune()
        self.balancer.start()
        self.groups.start()

    def reset(self) -> None:
        """Stop everything that runs, before the state is emptied."""
        self.groups.reset()
        self.balancer.reset()

    def resume(self) -> None:
        """Begin again, once the state is empty."""
        self.balancer.refresh()
        self.groups.resume()

    def close(self) -> None:
        """Stop everything that runs; it runs again after the next start."""
        self.groups.close()
        self.balancer.close()
