"""Settings of adapters: DIMSE and MLLP before the stack's stores."""

from typing import Annotated

from pydantic import Field

from components import rules
from program.config.model import KmsKeyName, Labels, Model, Topic, follows
from program.config.topics import DeadLetterSettings

Aet = Annotated[str, follows(rules.aet)]
Asn = Annotated[int, Field(ge=1, le=4_294_967_294)]
Port = Annotated[int, Field(ge=1, le=65_535)]
SecretVersion = Annotated[str, follows(rules.secret_version)]


class AdapterRepositorySettings(Model):
    """The Artifact Registry repository of the adapters' images."""

    name: Annotated[str, follows(rules.repository)] | None = None
    """The id of the repository. A change replaces it with all its images."""
    location: str | None = None
    """A region, or us, europe or asia; that of the stack if not given. A change replaces it."""


class VpnTunnelSettings(Model):
    """A tunnel of a VPN, with the BGP session in it."""

    shared_secret: SecretVersion
    """The secret that both sides know: projects/PROJECT/secrets/SECRET/versions/VERSION."""
    address: Annotated[str, follows(rules.session_address)]
    """The own address of the session, such as 169.254.0.1/30."""
    peer_address: Annotated[str, follows(rules.ip_address)]
    """The hospital's address of the session, in the same /30."""


class VpnSettings(Model):
    """An HA VPN to the network of a hospital."""

    name: Annotated[str, follows(rules.adapter)]
    """The name of the VPN; names of its resources end with it. A change replaces them."""
    region: Annotated[str, follows(rules.region)] | None = None
    """The region of the gateway, that of the adapters; the stack's location if not given."""
    network: Annotated[str, follows(rules.network)] = "default"
    """The VPC network, by its name or its full name."""
    peer_addresses: Annotated[
        list[Annotated[str, follows(rules.ip_address)]], Field(min_length=1, max_length=2)
    ]
    """The public IPv4 addresses of the hospital's gateway, one or two."""
    peer_asn: Asn
    """The hospital's number of BGP."""
    asn: Asn = 64_514
    """The own number of BGP."""
    tunnels: Annotated[list[VpnTunnelSettings], Field(min_length=2, max_length=2)]
    """Two tunnels, the second one to the second address if there are two."""
    labels: Labels = {}
    """Labels of the gateways and tunnels, over those of the stack."""


class AdapterTlsSettings(Model):
    """Files of TLS, each a version of a secret: connections without TLS are refused."""

    certificate: SecretVersion
    """The own certificate, as PEM: projects/PROJECT/secrets/SECRET/versions/VERSION."""
    key: SecretVersion
    """The key of the certificate, as PEM."""
    ca: SecretVersion | None = None
    """The authorities of peers, as PEM: peers then need a certificate of theirs."""


class AetSettings(Model):
    """An application entity that the adapter connects to."""

    name: Aet
    """Its title."""
    host: Annotated[str, follows(rules.host)]
    """Its name or IPv4 address."""
    port: Port
    """Its TCP port."""
    tls: bool = False
    """Whether it expects TLS."""


class AdapterOutgoingSettings(Model):
    """The outgoing side: notifications of the store become messages to a peer."""

    topic: Topic
    """The topic that the store notifies, by its name or its full name."""
    instances: Annotated[int, Field(ge=1, le=100)] = 1
    """Instances of the worker pool; more than one lose the order of messages."""
    dead_letter: DeadLetterSettings | None = None
    """Where notifications go whose message the peer refuses; they are repeated if not given."""


class DimseOutgoingSettings(AdapterOutgoingSettings):
    """The outgoing side of a DIMSE adapter: new instances are sent to a peer."""

    peer: Aet
    """The title to send to, one of `aets`."""


class MllpOutgoingSettings(AdapterOutgoingSettings):
    """The outgoing side of an MLLP adapter: new messages are sent to a peer."""

    peer: Annotated[str, follows(rules.peer_address)]
    """The server that takes the messages, HOST:PORT."""
    ca: SecretVersion | None = None
    """The authorities of the peer, as PEM: use TLS."""
    certificate: SecretVersion | None = None
    """The own certificate, as PEM, if the peer asks for one."""
    key: SecretVersion | None = None
    """The key of that certificate, as PEM."""


class AdapterSettings(Model):
    """The settings of every adapter."""

    name: Annotated[str, follows(rules.adapter)]
    """The name of the adapter; names of its resources end with it. A change replaces them."""
    source_ranges: list[Annotated[str, follows(rules.source_range)]] = []
    """IPv4 ranges that may connect, such as 10.20.0.0/16; without one, the adapter only sends."""
    region: Annotated[str, follows(rules.region)] | None = None
    """The region of its instances; the stack's location if not given. A change replaces them."""
    network: Annotated[str, follows(rules.network)] = "default"
    """The VPC network, by its name or its full name."""
    subnetwork: Annotated[str, follows(rules.subnetwork)] = "default"
    """The subnetwork in the region, by its name or its full name."""
    address: Annotated[str, follows(rules.ip_address)] | None = None
    """The IPv4 address in the subnetwork that peers connect to; Google chooses if not given."""
    image: Annotated[str, follows(rules.image)] | None = None
    """The container image; `dimse-adapter` or `mllp-adapter` of the repository if not given."""
    machine_type: Annotated[str, follows(rules.machine_type)] = "e2-small"
    """The machine type of the instances."""
    size: Annotated[int, Field(ge=1, le=100)] = 1
    """The number of instances; the connections of one peer lead to one of them."""
    disk_gb: Annotated[int, Field(ge=10, le=65_536)] = 50
    """The size of the spool's disk, of each instance, in GiB."""
    kms_key_name: KmsKeyName | None = None
    """An existing key for the disks, in the region; Google's own if not given."""
    tls: AdapterTlsSettings | None = None
    """Certificates; connections are plain text if not given."""
    labels: Labels = {}
    """Labels of its resources, over those of the stack."""

    def secrets(self) -> list[str]:
        """Return the versions of secrets that it reads."""
        tls = self.tls
        return [] if tls is None else [tls.certificate, tls.key, *([tls.ca] if tls.ca else [])]


class DimseAdapterSettings(AdapterSettings):
    """A DIMSE adapter before a DICOM store."""

    dicom_store: str
    """The store by its name, or as DATASET/STORE in a further dataset."""
    aet: Aet
    """The own AE title; other called titles are rejected."""
    port: Port = 11_112
    """The TCP port that peers connect to."""
    calling_aets: list[Aet] = []
    """The AE titles that may connect; all if the list is empty."""
    aets: list[AetSettings] = []
    """The application entities that the adapter connects to: its AET dictionary."""
    spool: bool = True
    """Whether instances are answered when they are on a disk, and delivered later."""
    outgoing: DimseOutgoingSettings | None = None
    """New instances of the store, sent to a peer."""


class MllpAdapterSettings(AdapterSettings):
    """An MLLP adapter before an HL7v2 store."""

    hl7v2_store: str = Field(alias="hl7v2Store")
    """The store by its name, or as DATASET/STORE in a further dataset."""
    port: Port = 2575
    """The TCP port that peers connect to."""
    spool: bool = False
    """Whether messages are answered when they are on a disk; the store answers without it."""
    outgoing: MllpOutgoingSettings | None = None
    """New messages of the store, sent to a peer."""

    def secrets(self) -> list[str]:
        """Return the versions of secrets that it reads."""
        outgoing = self.outgoing
        files = [] if outgoing is None else [outgoing.ca, outgoing.certificate, outgoing.key]
        return [*super().secrets(), *filter(None, files)]
