"""The incoming side: instances of Container-Optimized OS behind an internal load balancer."""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import pulumi
from pulumi_gcp import compute

from components import propagation
from components.adapters import cloud_init
from components.adapters.arguments import AdapterArgs
from components.adapters.networks import network_path, subnetwork_path
from components.adapters.sides import (
    Child,
    Side,
    grant_on_instances,
    grant_roles,
    resource_name,
)
from components.service_accounts import create_account

OS_IMAGE = "projects/cos-cloud/global/images/family/cos-stable"
BOOT_DISK_GB = 10
HEALTH_CHECK_RANGES = ("35.191.0.0/16", "130.211.0.0/22")
"""https://cloud.google.com/load-balancing/docs/health-check-concepts#ip-ranges"""
DRAINING_SECONDS = 60
"""Open connections may end for so long when an instance goes."""
_INITIAL_DELAY_SECONDS = 300
"""Until the first boot, with the pull of the image, counts as a failure."""
# A regional group spreads over three zones, and takes no smaller number than that of its zones:
# https://cloud.google.com/compute/docs/instance-groups/updating-migs#max_unavailable
_ZONES = 3


class Incoming:
    """The resources of an incoming side.

    Args:
        name: logical name of the component
        args: of the adapter
        side: what it runs
        child: makes options of children
    """

    address: pulumi.Output[str]
    service_account: pulumi.Output[str]

    def __init__(self, name: str, args: AdapterArgs, side: Side, child: Child) -> None:
        self._name, self._args, self._side, self._child = name, args, side, child
        self._resource = resource_name(side, args)
        self._network = network_path(args.project, args.network)
        self._subnetwork = subnetwork_path(args.project, args.region, args.subnetwork)
        title = f"{side.protocol.upper()} adapter {args.adapter}"
        account = create_account(name, args.project, self._resource, title, child())
        self.service_account = account.email
        granted = [
            *grant_roles(name, side, account.member, child),
            *grant_on_instances(name, args, account.member, child),
        ]
        address = compute.Address(
            name,
            project=args.project,
            region=args.region,
            name=self._resource,
            address_type="INTERNAL",
            address=args.address,
            subnetwork=self._subnetwork,
            labels=args.labels,
            opts=child(),
        )
        self.address = address.address
        firewalls = self._firewalls(account.email)
        check = self._health_check()
        group = self._group(self._template(account.email), check, [*granted, *firewalls])
        self._balance(address, group, check)

    def _firewalls(self, account: pulumi.Input[str]) -> list[pulumi.Resource]:
        """Admit peers and Google's health checks to the port, and no other client."""
        ranges: dict[str, Sequence[str]] = {
            "peers": self._args.source_ranges,
            "health-checks": HEALTH_CHECK_RANGES,
        }
        return [
            compute.Firewall(
                f"{self._name}-{who}",
                project=self._args.project,
                name=f"{self._resource}-{who}",
                network=self._network,
                direction="INGRESS",
                source_ranges=list(sources),
                target_service_accounts=[account],
                allows=[{"protocol": "tcp", "ports": [str(self._args.port)]}],
                opts=self._child(),
            )
            for who, sources in ranges.items()
        ]

    def _health_check(self) -> compute.RegionHealthCheck:
        return compute.RegionHealthCheck(
            self._name,
            project=self._args.project,
            region=self._args.region,
            name=self._resource,
            tcp_health_check={"port": self._args.port},
            check_interval_sec=10,
            timeout_sec=5,
            healthy_threshold=2,
            unhealthy_threshold=3,
            opts=self._child(),
        )

    def _template(self, account: pulumi.Input[str]) -> compute.InstanceTemplate:
        args = self._args
        return compute.InstanceTemplate(
            self._name,
            project=args.project,
            name_prefix=f"{self._resource}-",
            machine_type=args.machine_type,
            disks=self._disks(),
            # Without access configuration, an instance has no external address.
            network_interfaces=[{"network": self._network, "subnetwork": self._subnetwork}],
            service_account={
                "email": account,
                "scopes": ["https://www.googleapis.com/auth/cloud-platform"],
            },
            shielded_instance_config={
                "enable_secure_boot": True,
                "enable_vtpm": True,
                "enable_integrity_monitoring": True,
            },
            metadata={
                "user-data": self._user_data(),
                "google-logging-enabled": "true",
                "enable-oslogin": "TRUE",
                "block-project-ssh-keys": "TRUE",
            },
            labels=args.labels,
            opts=self._child(),
        )

    def _disks(self) -> list[compute.InstanceTemplateDiskArgsDict]:
        args = self._args
        key = {} if args.kms_key_name is None else {"kms_key_self_link": args.kms_key_name}
        encryption: dict[str, object] = {"disk_encryption_key": key} if key else {}
        boot: dict[str, object] = {
            "boot": True,
            "auto_delete": True,
            "source_image": OS_IMAGE,
            "disk_size_gb": BOOT_DISK_GB,
            "disk_type": "pd-balanced",
            **encryption,
        }
        spool: dict[str, object] = {
            "boot": False,
            "auto_delete": True,
            "device_name": cloud_init.SPOOL_DEVICE,
            "disk_size_gb": args.disk_gb,
            "disk_type": "pd-balanced",
            "labels": args.labels,
            **encryption,
        }
        return [boot, spool] if args.spool else [boot]

    def _user_data(self) -> pulumi.Output[str]:
        args, side = self._args, self._side
        render = partial(
            _render, args=args, environment=side.environment, description=self._resource
        )
        return pulumi.Output.all(*side.arguments).apply(render)

    def _group(
        self,
        template: compute.InstanceTemplate,
        check: compute.RegionHealthCheck,
        waits_for: list[pulumi.Resource],
    ) -> compute.RegionInstanceGroupManager:
        args = self._args
        return compute.RegionInstanceGroupManager(
            self._name,
            project=args.project,
            region=args.region,
            name=self._resource,
            base_instance_name=self._resource,
            versions=[{"instance_template": template.id}],
            target_size=args.size,
            auto_healing_policies={
                "health_check": check.id,
                "initial_delay_sec": _INITIAL_DELAY_SECONDS,
            },
            stateful_disks=[
                {
                    "device_name": cloud_init.SPOOL_DEVICE,
                    "delete_rule": "ON_PERMANENT_INSTANCE_DELETION",
                }
            ]
            if args.spool
            else None,
            update_policy=_STATEFUL_UPDATES if args.spool else _STATELESS_UPDATES,
            wait_for_instances=True,
            opts=self._child(depends_on=waits_for, hooks=propagation.after_grants()),
        )

    def _balance(
        self,
        address: compute.Address,
        group: compute.RegionInstanceGroupManager,
        check: compute.RegionHealthCheck,
    ) -> None:
        args = self._args
        backend = compute.RegionBackendService(
            self._name,
            project=args.project,
            region=args.region,
            name=self._resource,
            load_balancing_scheme="INTERNAL",
            protocol="TCP",
            health_checks=check.id,
            backends=[{"group": group.instance_group, "balancing_mode": "CONNECTION"}],
            connection_draining_timeout_sec=DRAINING_SECONDS,
            # A spool belongs to one instance: it answers for what its peer has sent before.
            session_affinity="CLIENT_IP",
            opts=self._child(),
        )
        compute.ForwardingRule(
            self._name,
            project=args.project,
            region=args.region,
            name=self._resource,
            load_balancing_scheme="INTERNAL",
            ip_protocol="TCP",
            ip_address=address.address,
            ports=[str(args.port)],
            backend_service=backend.id,
            network=self._network,
            subnetwork=self._subnetwork,
            labels=args.labels,
            opts=self._child(),
        )


# An instance keeps its name and its disk: the old one ends before its successor starts.
# https://cloud.google.com/compute/docs/instance-groups/stateful-migs
_STATEFUL_UPDATES = {
    "type": "PROACTIVE",
    "minimal_action": "REPLACE",
    "replacement_method": "RECREATE",
    "instance_redistribution_type": "NONE",
    "max_surge_fixed": 0,
    "max_unavailable_fixed": _ZONES,
}
_STATELESS_UPDATES = {
    "type": "PROACTIVE",
    "minimal_action": "REPLACE",
    "replacement_method": "SUBSTITUTE",
    "instance_redistribution_type": "PROACTIVE",
    "max_surge_fixed": _ZONES,
    "max_unavailable_fixed": 0,
}


def _render(
    arguments: Sequence[str],
    *,
    args: AdapterArgs,
    environment: Mapping[str, str],
    description: str,
) -> str:
    container = cloud_init.Container(
        image=args.image,
        arguments=arguments,
        port=args.port,
        environment=environment,
        spool=args.spool,
    )
    return cloud_init.user_data(container, description)
