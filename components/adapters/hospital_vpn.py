"""An HA VPN between a VPC network and the network of a hospital."""

# Unevaluated, the annotations load nothing of the provider for programs without a VPN.
from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import compute, secretmanager

from components import rules
from components.adapters.networks import network_path
from components.base import ArgumentError, Component, require

TUNNELS = 2
"""Google's gateway has two interfaces, and is highly available with a tunnel on each:
https://cloud.google.com/network-connectivity/docs/vpn/concepts/topologies"""
_REDUNDANCY = {1: "SINGLE_IP_INTERNALLY_REDUNDANT", 2: "TWO_IPS_REDUNDANCY"}


@dataclass(frozen=True, kw_only=True)
class TunnelArgs:
    """A tunnel, with the BGP session in it.

    Attributes:
        shared_secret: The version of the secret that both sides know,
            `projects/P/secrets/S/versions/V`. A change replaces the tunnel.
        address: The own address of the session, of 169.254.0.0/16 with /30.
        peer_address: The hospital's address of the session, in the same /30.
    """

    shared_secret: str
    address: str
    peer_address: str

    def __post_init__(self) -> None:
        require("TunnelArgs", "shared_secret", self.shared_secret, rules.secret_version)
        require("TunnelArgs", "address", self.address, rules.session_address)
        require("TunnelArgs", "peer_address", self.peer_address, rules.ip_address)
        if not rules.are_of_one_session(self.address, self.peer_address):
            raise ArgumentError(
                f'TunnelArgs.peer_address: "{self.peer_address}" is not the other address of '
                f"{self.address}"
            )


@dataclass(frozen=True, kw_only=True)
class HospitalVpnArgs:
    """Arguments of `HospitalVpn`.

    Attributes:
        project: The id of the project.
        region: The region of the gateway: that of the adapters.
        vpn: The name of the VPN; names of its resources end with it. Replaces.
        peer_addresses: The public IPv4 addresses of the hospital's gateway, one or two.
        peer_asn: The hospital's number of BGP.
        tunnels: Two tunnels, the second one to the second address if there are two.
        asn: The own number of BGP.
        network: The VPC network, by its name or its full name.
        labels: Labels of the gateways and tunnels.
    """

    project: pulumi.Input[str]
    region: str
    vpn: str
    peer_addresses: Sequence[str]
    peer_asn: int
    tunnels: Sequence[TunnelArgs]
    asn: int = 64_514
    network: str = "default"
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        owner = "HospitalVpnArgs"
        require(owner, "project", self.project, rules.project)
        require(owner, "region", self.region, rules.region)
        require(owner, "vpn", self.vpn, rules.adapter)
        require(owner, "network", self.network, rules.network)
        for address in self.peer_addresses:
            require(owner, "peer_addresses", address, rules.ip_address)
        if len(self.peer_addresses) not in _REDUNDANCY:
            raise ArgumentError(f"{owner}.peer_addresses: one or two are needed")
        if len(self.tunnels) != TUNNELS:
            raise ArgumentError(f"{owner}.tunnels: {TUNNELS} are needed")
        if self.asn == self.peer_asn:
            raise ArgumentError(f"{owner}.asn: {self.asn} is the hospital's own")


class HospitalVpn(Component):
    """An HA VPN to a hospital: two tunnels, and routes by BGP.

    The shared secrets are read from Secret Manager by the program, and are secrets in the state.

    Inputs: see `HospitalVpnArgs`.

    Outputs:
        addresses: The public addresses of the own gateway, for the hospital's side.
    """

    addresses: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        args: HospitalVpnArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        self._name, self._args = name, args
        self._resource = f"vpn-{args.vpn}"
        network = network_path(args.project, args.network)
        gateway = compute.HaVpnGateway(
            name,
            project=args.project,
            region=args.region,
            name=self._resource,
            network=network,
            labels=args.labels,
            opts=self._child(),
        )
        peer = compute.ExternalVpnGateway(
            f"{name}-peer",
            project=args.project,
            name=f"{self._resource}-peer",
            redundancy_type=_REDUNDANCY[len(args.peer_addresses)],
            interfaces=[
                {"id": index, "ip_address": address}
                for index, address in enumerate(args.peer_addresses)
            ],
            labels=args.labels,
            opts=self._child(),
        )
        router = compute.Router(
            name,
            project=args.project,
            region=args.region,
            name=self._resource,
            network=network,
            bgp={"asn": args.asn},
            opts=self._child(),
        )
        for index, tunnel in enumerate(args.tunnels):
            self._connect(index, tunnel, gateway, peer, router)
        self.addresses = gateway.vpn_interfaces.apply(
            lambda interfaces: [interface["ip_address"] or "" for interface in interfaces or ()]
        )
        self.register_outputs({"addresses": self.addresses})

    def _connect(
        self,
        index: int,
        tunnel: TunnelArgs,
        gateway: compute.HaVpnGateway,
        peer: compute.ExternalVpnGateway,
        router: compute.Router,
    ) -> None:
        """Make a tunnel between two interfaces, and the BGP session in it."""
        args, logical, full = self._args, f"{self._name}-{index}", f"{self._resource}-{index}"
        vpn_tunnel = compute.VPNTunnel(
            logical,
            project=args.project,
            region=args.region,
            name=full,
            vpn_gateway=gateway.id,
            vpn_gateway_interface=index,
            peer_external_gateway=peer.id,
            peer_external_gateway_interface=min(index, len(args.peer_addresses) - 1),
            shared_secret=self._shared_secret(tunnel),
            router=router.id,
            ike_version=2,
            labels=args.labels,
            opts=self._child(),
        )
        interface = compute.RouterInterface(
            logical,
            project=args.project,
            region=args.region,
            name=full,
            router=router.name,
            ip_range=tunnel.address,
            vpn_tunnel=vpn_tunnel.name,
            opts=self._child(),
        )
        compute.RouterPeer(
            logical,
            project=args.project,
            region=args.region,
            name=full,
            router=router.name,
            interface=interface.name,
            peer_ip_address=tunnel.peer_address,
            peer_asn=args.peer_asn,
            opts=self._child(),
        )

    def _shared_secret(self, tunnel: TunnelArgs) -> pulumi.Output[str]:
        project, secret = rules.secret_of(tunnel.shared_secret)
        found = secretmanager.get_secret_version_access_output(
            project=project,
            secret=secret,
            version=tunnel.shared_secret.rpartition("/")[2],
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        return pulumi.Output.secret(found.secret_data)
