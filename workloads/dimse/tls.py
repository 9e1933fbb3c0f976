"""TLS of associations, incoming and outgoing (PS3.15 B.12: TLS 1.2 or newer)."""

import ssl
from collections.abc import Callable
from pathlib import Path
from socket import socket

from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.errors import UsageError

TlsArguments = tuple[ssl.SSLContext, str] | None


class _ServerContext(ssl.SSLContext):
    """A context whose handshake waits for the thread of the association.

    pynetdicom wraps a connection in the thread that accepts all of them: there, a client that
    connects and stays silent would stop every other one.
    """

    def wrap_socket(self, sock: socket, *arguments: object, **options: object) -> ssl.SSLSocket:
        """Return the wrapped socket, before its handshake."""
        options["do_handshake_on_connect"] = False
        return super().wrap_socket(sock, *arguments, **options)  # type: ignore[arg-type]


def server_context(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return the context of incoming associations.

    Args:
        certificate: PEM file, the chain included
        key: PEM file
        ca: PEM file of the authorities that sign certificates of peers; None asks for none

    Raises:
        UsageError: a file is missing, not valid, or certificate and key do not belong together
    """
    if not (certificate and key):
        raise UsageError("TLS needs both --tls-certificate and --tls-key.")
    context = _ServerContext(ssl.PROTOCOL_TLS_SERVER)
    _load(certificate, key, lambda: context.load_cert_chain(certificate, key))
    if ca:
        _load(ca, ca, lambda: context.load_verify_locations(ca))
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return the context of outgoing associations, which verifies the peer and its name.

    Args:
        certificate: PEM file, shown to peers that ask; None shows none
        key: PEM file
        ca: PEM file of authorities; None trusts those of the system

    Raises:
        UsageError: as `server_context`
    """
    context = ssl.create_default_context()
    if ca:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        _load(ca, ca, lambda: context.load_verify_locations(ca))
    if certificate and key:
        _load(certificate, key, lambda: context.load_cert_chain(certificate, key))
    return context


def arguments(peer: Peer, context: ssl.SSLContext) -> TlsArguments:
    """Return what pynetdicom takes for an association with a peer: None without TLS."""
    return (context, peer.host) if peer.tls else None


def _load(certificate: Path, key: Path, load: Callable[[], None]) -> None:
    try:
        load()
    except ssl.SSLError as error:
        files = str(certificate) if certificate == key else f"{certificate} and {key}"
        raise UsageError(f"{files} can't be used for TLS: {error.reason or error}.") from error
    except OSError as error:
        missing = next((one for one in (certificate, key) if not one.is_file()), certificate)
        raise UsageError(f"{missing} can't be read: {error.strerror}.") from error
