"""The MLLP adapter on Google Cloud: HL7v2 messages of hospitals to an HL7v2 store, and back."""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_gcp import healthcare

from components import rules
from components.adapters.adapter import Adapter
from components.adapters.arguments import AdapterArgs, OutgoingArgs
from components.adapters.cloud_init import SPOOL_FOLDER
from components.adapters.sides import GrantOnStore, Side, options
from components.base import require

INGEST = "roles/healthcare.hl7V2Ingest"
"""The role of the incoming side."""
CONSUMER = "roles/healthcare.hl7V2Consumer"
"""The role of the outgoing side."""
PROTOCOL = "mllp"


@dataclass(frozen=True, kw_only=True)
class MllpAdapterArgs(AdapterArgs):
    """Arguments of `MllpAdapter`.

    Attributes:
        project: The id of the project.
        region: The region of the instances.
        adapter: The name of the adapter; names of its resources end with it. Replaces.
        image: The container image.
        hl7v2_store: The full name of the HL7v2 store.
        port: The TCP port that peers connect to.
        source_ranges: Ranges of IPv4 addresses that may connect; without one, no peer connects, and
            there is an outgoing side alone.
        network: The VPC network, by its name or its full name.
        subnetwork: The subnetwork in the region, by its name or its full name.
        address: The IPv4 address in the subnetwork; Google chooses one if None.
        machine_type: The machine type of the instances.
        size: The number of instances. The connections of one peer lead to one of them.
        spool: Whether messages are answered when they are on a disk, and delivered later; without
            it, the store's own answers are passed on.
        disk_gb: The size of that disk, of each instance, in GiB.
        kms_key_name: The full name of a key for the disks; Google's own if None.
        tls: Certificates; without them, connections are plain text.
        outgoing: The outgoing side, if there is one.
        labels: Labels of the resources that take some.
    """

    hl7v2_store: pulumi.Input[str]
    port: int = 2575
    spool: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.outgoing is not None:
            require("OutgoingArgs", "peer", self.outgoing.peer, rules.peer_address)


class MllpAdapter(Adapter):
    """An MLLP adapter: instances behind an internal address, and a worker pool for the other way.

    Peers reach the address from the VPC network, or by a VPN. Give `depends_on` the store and the
    services.

    Inputs: see `MllpAdapterArgs`.

    Outputs:
        address: The IPv4 address that peers connect to; empty without `source_ranges`.
        port: The TCP port that peers connect to.
        service_account: The e-mail address of the incoming side's account; empty without that side.
        outgoing_service_account: That of the outgoing side's.
        subscription: The full name of the outgoing side's subscription; empty without that side.
    """

    def __init__(
        self,
        name: str,
        args: MllpAdapterArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outgoing = None if args.outgoing is None else _outgoing(args, args.outgoing)
        super().__init__(name, args, _incoming(args), outgoing, opts)


def _incoming(args: MllpAdapterArgs) -> Side:
    arguments: list[pulumi.Input[str]] = [
        "--hl7v2-store",
        args.hl7v2_store,
        "--port",
        str(args.port),
    ]
    files = []
    if args.tls is not None:
        arguments += options(
            {
                "--tls-cert": args.tls.certificate,
                "--tls-key": args.tls.key,
                "--tls-client-ca": args.tls.authorities,
            }
        )
        files = [args.tls]
    if args.spool:
        arguments += ["--spool", SPOOL_FOLDER]
    return Side(PROTOCOL, arguments, _grant(args, INGEST), tls=files)


def _outgoing(args: MllpAdapterArgs, outgoing: OutgoingArgs) -> Side:
    arguments: list[pulumi.Input[str]] = ["--outgoing", "--peer", outgoing.peer]
    files = []
    if outgoing.tls is not None:
        arguments += options(
            {
                "--peer-ca": outgoing.tls.authorities,
                "--tls-cert": outgoing.tls.certificate,
                "--tls-key": outgoing.tls.key,
            }
        )
        files = [outgoing.tls]
    return Side(PROTOCOL, arguments, _grant(args, CONSUMER), tls=files)


def _grant(args: MllpAdapterArgs, role: str) -> GrantOnStore:
    def grant(
        logical: str, member: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        return healthcare.Hl7StoreIamMember(
            logical, hl7_v2_store_id=args.hl7v2_store, role=role, member=member, opts=opts
        )

    return grant
