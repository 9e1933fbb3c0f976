"""The options of the adapter, checked before anything starts."""

import re
import ssl
from dataclasses import dataclass
from pathlib import Path

from workloads.common import tls
from workloads.common.subscription import NAME as SUBSCRIPTION
from workloads.mllp.peer import Address, parse_address
from workloads.mllp.server import Limits

_STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/hl7V2Stores/[^/]+")


class UsageError(Exception):
    """Options that do not fit, in a sentence for people."""


@dataclass(frozen=True)
class TlsFiles:
    """Files of certificates.

    Attributes:
        certificate: of this side
        key: of the certificate
        authorities: of the other side
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None


@dataclass(frozen=True)
class IncomingOptions:
    """Options of the incoming side.

    Attributes:
        address: host and port to listen at
        store: `projects/P/locations/L/datasets/D/hl7V2Stores/S`
        spool: a folder; None passes the store's answers on
        limits: of connections and messages
        tls: of the server
    """

    address: tuple[str, int]
    store: str
    spool: Path | None
    limits: Limits
    tls: ssl.SSLContext | None


@dataclass(frozen=True)
class OutgoingOptions:
    """Options of the outgoing side.

    Attributes:
        subscription: `projects/P/subscriptions/S`
        peer: address of the server that takes the messages
        ack_seconds: to wait for each answer
        spool: a folder for dead letters
        tls: of the client
    """

    subscription: str
    peer: Address
    ack_seconds: float
    spool: Path | None
    tls: ssl.SSLContext | None


def incoming(
    address: tuple[str, int], store: str | None, spool: Path | None, limits: Limits, files: TlsFiles
) -> IncomingOptions:
    """Check the options of the incoming side.

    Raises:
        UsageError: one is missing or is not valid
        TlsError: the certificates can't be used
    """
    if not store:
        raise UsageError("--hl7v2-store is missing: the store that takes the messages.")
    if not _STORE.fullmatch(store):
        raise UsageError(
            f"{store!r} is not a valid HL7v2 store: write"
            " projects/PROJECT/locations/LOCATION/datasets/DATASET/hl7V2Stores/STORE."
        )
    _check_pair(files)
    if files.authorities and not files.certificate:
        raise UsageError("--tls-client-ca needs --tls-cert and --tls-key of the server.")
    context = None
    if files.certificate and files.key:
        context = tls.server_context(files.certificate, files.key, files.authorities)
    return IncomingOptions(address, store, spool, limits, context)


def outgoing(
    subscription: str | None,
    peer: str | None,
    ack_seconds: float,
    spool: Path | None,
    files: TlsFiles,
) -> OutgoingOptions:
    """Check the options of the outgoing side.

    Raises:
        UsageError: one is missing or is not valid
        TlsError: the certificates can't be used
    """
    if not subscription or not peer:
        raise UsageError("--outgoing needs --subscription and --peer.")
    if not SUBSCRIPTION.fullmatch(subscription):
        raise UsageError(
            f"{subscription!r} is not a valid subscription: write"
            " projects/PROJECT/subscriptions/SUBSCRIPTION."
        )
    _check_pair(files)
    if files.certificate and not files.authorities:
        raise UsageError("--tls-cert with --outgoing needs --peer-ca, the peer's authorities.")
    try:
        address = parse_address(peer)
    except ValueError as error:
        raise UsageError(str(error)) from error
    context = None
    if files.authorities:
        context = tls.client_context(files.authorities, files.certificate, files.key)
    return OutgoingOptions(subscription, address, ack_seconds, spool, context)


def _check_pair(files: TlsFiles) -> None:
    if bool(files.certificate) != bool(files.key):
        raise UsageError("--tls-cert and --tls-key belong together.")
