"""The network of Dataflow workers: a subnetwork without the internet, and a firewall rule."""

# Unevaluated, the annotations load nothing of the provider for programs without pipelines.
from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_gcp import compute

from components import rules
from components.adapters.networks import network_path, subnetwork_path
from components.base import ArgumentError, Component, require_each

TAG = "dataflow"
"""The network tag that Dataflow puts on each worker.

Documented: https://cloud.google.com/dataflow/docs/guides/routes-firewall#network-tags
"""
PORTS = "12345-12346"
"""TCP ports between workers: 12345 of streaming jobs, 12346 of batch jobs.

Documented: https://cloud.google.com/dataflow/docs/guides/routes-firewall#firewall_rules
"""
_URL = "https://www.googleapis.com/compute/v1/"


@dataclass(frozen=True, kw_only=True)
class WorkerNetworkArgs:
    """Arguments of `WorkerNetwork`.

    Attributes:
        project: The id of the project.
        region: The region of the workers. A change replaces the subnetwork.
        network: The VPC network, by its name or its full name. A change replaces the subnetwork.
        subnetwork: An existing subnetwork with Private Google Access, by its name or its full name;
            one is created if None.
        subnetwork_range: The IPv4 range of the subnetwork that is created: an address a worker, one
            for a launcher, and four of Google's. It can grow.
    """

    project: pulumi.Input[str]
    region: str
    network: str = "default"
    subnetwork: str | None = None
    subnetwork_range: str = "10.64.0.0/22"

    def __post_init__(self) -> None:
        require_each(
            self,
            project=rules.project,
            region=rules.region,
            network=rules.network,
            subnetwork=rules.subnetwork,
            subnetwork_range=rules.subnetwork_range,
        )
        name = self.subnetwork or ""
        if "/regions/" in name and f"/regions/{self.region}/" not in name:
            raise ArgumentError(
                f'{type(self).__name__}.subnetwork: "{name}" is not in {self.region}'
            )

    def require_addresses(self, owner: str, max_workers: int) -> None:
        """Check that a subnetwork to create has addresses for workers and a launcher."""
        fit = rules.workers_in(self.subnetwork_range)
        if self.subnetwork is None and max_workers > fit:
            raise ArgumentError(
                f"{owner}.max_workers: {fit} workers and a launcher fit in {self.subnetwork_range}"
            )


class WorkerNetwork(Component):
    """A subnetwork whose machines reach Google's APIs without external addresses, and a firewall.

    Inputs: see `WorkerNetworkArgs`.

    Outputs:
        subnetwork: The URL of the subnetwork, as launches of jobs name it.
    """

    subnetwork: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        args: WorkerNetworkArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        network = network_path(args.project, args.network)
        if args.subnetwork is None:
            created = compute.Subnetwork(
                name,
                project=args.project,
                region=args.region,
                name=name,
                network=network,
                ip_cidr_range=args.subnetwork_range,
                private_ip_google_access=True,
                opts=self._child(),
            )
            path = subnetwork_path(created.project, args.region, created.name)
        else:
            path = subnetwork_path(args.project, args.region, args.subnetwork)
        self.subnetwork = pulumi.Output.concat(_URL, path)
        compute.Firewall(
            f"{name}-between",
            project=args.project,
            name=f"{name}-between",
            network=network,
            direction="INGRESS",
            source_tags=[TAG],
            target_tags=[TAG],
            allows=[{"protocol": "tcp", "ports": [PORTS]}],
            opts=self._child(),
        )
        self.register_outputs({"subnetwork": self.subnetwork})
