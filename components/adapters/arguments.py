"""Arguments of the adapters."""

# Unevaluated, the annotations load nothing of the provider for programs without adapters.
from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pulumi

from components import rules
from components.base import ArgumentError, require, require_each
from components.notification_topic import SubscriptionArgs

MIN_PORT, MAX_PORT = 1, 65_535


@dataclass(frozen=True, kw_only=True)
class TlsArgs:
    """Files of TLS, each a version of a secret: `projects/P/secrets/S/versions/V`.

    Attributes:
        certificate: The own certificate, as PEM.
        key: The key of the certificate, as PEM.
        authorities: The certificates of the peers' authorities, as PEM.
    """

    certificate: str | None = None
    key: str | None = None
    authorities: str | None = None

    def __post_init__(self) -> None:
        for name in ("certificate", "key", "authorities"):
            require("TlsArgs", name, getattr(self, name), rules.secret_version)
        if (self.certificate is None) != (self.key is None):
            raise ArgumentError("TlsArgs: certificate and key belong together")

    def secrets(self) -> Iterator[str]:
        """Return the versions that are given."""
        yield from filter(None, (self.certificate, self.key, self.authorities))


@dataclass(frozen=True, kw_only=True)
class AetArgs:
    """An application entity that the adapter connects to.

    Attributes:
        name: Its title.
        host: Its name or IPv4 address.
        port: Its TCP port.
        tls: Whether it expects TLS.
    """

    name: str
    host: str
    port: int
    tls: bool = False

    def __post_init__(self) -> None:
        require("AetArgs", "name", self.name, rules.aet)
        require("AetArgs", "host", self.host, rules.host)
        require_port("AetArgs", "port", self.port)

    def as_entry(self) -> dict[str, object]:
        """Return the entry of the AET dictionary."""
        entry = {"name": self.name, "host": self.host, "port": self.port}
        return {**entry, "tls": True} if self.tls else entry


@dataclass(frozen=True, kw_only=True)
class OutgoingArgs:
    """The outgoing side: notifications of the store become messages to a peer.

    Attributes:
        topic: The full name of the topic that the store notifies.
        peer: Where to send: of DIMSE a title among `aets`, of MLLP `HOST:PORT`.
        tls: Of MLLP: authorities of the peer, and an own certificate if the peer asks for one.
        instances: Instances of the worker pool. More than one lose the order of MLLP messages.
        subscription: Settings of the subscription, such as its dead letters; its own by default.
        pubsub_agent: Pub/Sub's own service agent, as IAM writes it: needed for dead letters.
    """

    topic: str
    peer: str
    tls: TlsArgs | None = None
    instances: int = 1
    subscription: SubscriptionArgs | None = None
    pubsub_agent: pulumi.Input[str] | None = None

    def __post_init__(self) -> None:
        if "/" not in self.topic or rules.topic(self.topic) is not None:
            raise ArgumentError(f'OutgoingArgs.topic: "{self.topic}" is not projects/P/topics/T')
        if self.tls is not None and self.tls.certificate and not self.tls.authorities:
            raise ArgumentError("OutgoingArgs.tls: certificate needs authorities, the peer's")


@dataclass(frozen=True, kw_only=True)
class AdapterArgs:
    """Arguments of every adapter.

    Attributes:
        project: The id of the project.
        region: The region of the instances.
        adapter: The name of the adapter; names of its resources end with it. Replaces.
        image: The container image.
        port: The TCP port that peers connect to.
        source_ranges: Ranges of IPv4 addresses that may connect; without one, no peer connects, and
            there is an outgoing side alone.
        network: The VPC network, by its name or its full name.
        subnetwork: The subnetwork in the region, by its name or its full name.
        address: The IPv4 address in the subnetwork; Google chooses one if None.
        machine_type: The machine type of the instances.
        size: The number of instances. The connections of one peer lead to one of them.
        spool: Whether what was accepted is kept on a disk, answered at once and delivered later.
        disk_gb: The size of the disk of each instance, in GiB.
        kms_key_name: The full name of a key for the disks; Google's own if None.
        tls: Certificates; without them, connections are plain text.
        outgoing: The outgoing side, if there is one.
        labels: Labels of the resources that take some.
    """

    project: pulumi.Input[str]
    region: str
    adapter: str
    image: str
    port: int
    source_ranges: Sequence[str] = ()
    network: str = "default"
    subnetwork: str = "default"
    address: str | None = None
    machine_type: str = "e2-small"
    size: int = 1
    spool: bool = True
    disk_gb: int = 50
    kms_key_name: pulumi.Input[str] | None = None
    tls: TlsArgs | None = None
    outgoing: OutgoingArgs | None = None
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            ArgumentError: an argument can't be used
        """
        owner = type(self).__name__
        require_each(
            self,
            project=rules.project,
            region=rules.region,
            adapter=rules.adapter,
            image=rules.image,
            network=rules.network,
            subnetwork=rules.subnetwork,
            address=rules.ip_address,
            machine_type=rules.machine_type,
            kms_key_name=rules.kms_key_name,
        )
        for source in self.source_ranges:
            require(owner, "source_ranges", source, rules.source_range)
        require_port(owner, "port", self.port)
        if not self.source_ranges and self.outgoing is None:
            raise ArgumentError(f"{owner}: source_ranges, outgoing or both are needed")
        for name, least in (("size", 1), ("disk_gb", 10)):
            if getattr(self, name) < least:
                raise ArgumentError(f"{owner}.{name}: {getattr(self, name)} is less than {least}")
        if self.tls is not None and self.tls.certificate is None:
            raise ArgumentError(f"{owner}.tls: certificate and key are needed")


def require_port(owner: str, argument: str, port: int) -> None:
    """Check a TCP port.

    Raises:
        ArgumentError: it is none
    """
    if not MIN_PORT <= port <= MAX_PORT:
        raise ArgumentError(f"{owner}.{argument}: {port} is not a port: {MIN_PORT} to {MAX_PORT}")
