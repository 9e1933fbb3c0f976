"""The DIMSE adapter on Google Cloud: modalities and archives before a DICOM store."""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi_gcp import healthcare

from components import rules
from components.adapters.adapter import Adapter
from components.adapters.arguments import AdapterArgs, AetArgs, OutgoingArgs, TlsArgs
from components.adapters.cloud_init import SPOOL_FOLDER
from components.adapters.sides import Side, options
from components.base import ArgumentError, require

EDITOR = "roles/healthcare.dicomEditor"
"""The role of the incoming side: it stores, searches and retrieves."""
VIEWER = "roles/healthcare.dicomViewer"
"""The role of the outgoing side."""
PROTOCOL = "dimse"


@dataclass(frozen=True, kw_only=True)
class DimseAdapterArgs(AdapterArgs):
    """Arguments of `DimseAdapter`.

    Attributes:
        project: The id of the project.
        region: The region of the instances.
        adapter: The name of the adapter; names of its resources end with it. Replaces.
        image: The container image.
        dicom_store: The full name of the DICOM store.
        aet: The own AE title; other called titles are rejected.
        port: The TCP port that peers connect to.
        source_ranges: Ranges of IPv4 addresses that may connect; without one, no peer connects, and
            there is an outgoing side alone.
        calling_aets: The AE titles that may connect; all if there is none.
        aets: The application entities that the adapter connects to.
        network: The VPC network, by its name or its full name.
        subnetwork: The subnetwork in the region, by its name or its full name.
        address: The IPv4 address in the subnetwork; Google chooses one if None.
        machine_type: The machine type of the instances.
        size: The number of instances. The connections of one peer lead to one of them.
        spool: Whether instances are answered when they are on a disk, and delivered later.
        disk_gb: The size of that disk, of each instance, in GiB.
        kms_key_name: The full name of a key for the disks; Google's own if None.
        tls: Certificates; without them, associations are plain text.
        outgoing: The outgoing side, if there is one.
        labels: Labels of the resources that take some.
    """

    dicom_store: pulumi.Input[str]
    aet: str
    port: int = 11_112
    calling_aets: Sequence[str] = ()
    aets: Sequence[AetArgs] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        owner = type(self).__name__
        for title in (self.aet, *self.calling_aets):
            require(owner, "aet", title, rules.aet)
        titles = [peer.name for peer in self.aets]
        for _, title, _ in rules.repeated(titles):
            raise ArgumentError(f'{owner}.aets: two are named "{title}"')
        if self.outgoing is not None and self.outgoing.peer not in titles:
            raise ArgumentError(
                f'{owner}.outgoing.peer: "{self.outgoing.peer}" is not among aets: '
                f"{', '.join(titles) or 'none is listed'}"
            )
        if self.outgoing is not None and self.outgoing.tls is not None:
            raise ArgumentError(f"{owner}.outgoing.tls: give tls of the adapter, of both sides")


class DimseAdapter(Adapter):
    """A DIMSE adapter: instances behind an internal address, and a worker pool for the other way.

    Peers reach the address from the VPC network, or by a VPN. Give `depends_on` the store and the
    services.

    Inputs: see `DimseAdapterArgs`.

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
        args: DimseAdapterArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        outgoing = None if args.outgoing is None else _outgoing(args, args.outgoing)
        super().__init__(name, args, _incoming(args), outgoing, opts)


def _incoming(args: DimseAdapterArgs) -> Side:
    arguments = [*_both(args), "--port", str(args.port)]
    for title in args.calling_aets:
        arguments += ["--calling-aet", title]
    if args.spool:
        arguments += ["--spool", SPOOL_FOLDER]
    return _side(args, arguments, EDITOR)


def _outgoing(args: DimseAdapterArgs, outgoing: OutgoingArgs) -> Side:
    return _side(args, [*_both(args), "--outgoing", "--peer", outgoing.peer], VIEWER)


def _both(args: DimseAdapterArgs) -> list[pulumi.Input[str]]:
    tls = args.tls or TlsArgs()
    files = {
        "--tls-certificate": tls.certificate,
        "--tls-key": tls.key,
        "--tls-ca": tls.authorities,
    }
    return ["--aet", args.aet, "--dicomweb-store", args.dicom_store, *options(files)]


def _side(args: DimseAdapterArgs, arguments: Sequence[pulumi.Input[str]], role: str) -> Side:
    def grant(
        logical: str, member: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> pulumi.Resource:
        return healthcare.DicomStoreIamMember(
            logical, dicom_store_id=args.dicom_store, role=role, member=member, opts=opts
        )

    entries = [peer.as_entry() for peer in args.aets]
    environment = {"ENV_AETS_JSON": json.dumps(entries)} if entries else {}
    return Side(PROTOCOL, arguments, grant, environment, [args.tls] if args.tls else [])
