"""TLS of associations, as pynetdicom takes it (PS3.15 B.12: TLS 1.2 or newer)."""

import ssl
from pathlib import Path
from typing import Any

from workloads.common import tls
from workloads.common.logs import Log
from workloads.dimse.aet_dictionary import Peer
from workloads.dimse.errors import UsageError

LOG = Log("dimse.tls")
TlsArguments = tuple[ssl.SSLContext, str] | None


class _LateHandshake(ssl.SSLSocket):
    """A socket whose handshake happens with the first read, in the thread of its association.

    pynetdicom wraps a connection in the thread that accepts all of them: there, a client that
    connects and stays silent would stop every other one.
    """

    def do_handshake(self, block: bool = False) -> None:
        """Leave the handshake to OpenSSL's first read."""

    def read(self, *arguments: Any) -> Any:
        """Read; log why a handshake fails, since pynetdicom keeps that to itself.

        Raises:
            SSLError: the handshake or the read fails
        """
        try:
            return super().read(*arguments)
        except ssl.SSLError as error:
            if self.version() is None and not isinstance(error, ssl.SSLWantReadError):
                LOG.warning("TLS failed", address=self._address(), reason=error.reason)
            raise

    def _address(self) -> str:
        try:
            host, port, *_ = self.getpeername()
        except OSError:  # the peer has closed the connection
            return "unknown"
        return f"{host}:{port}"


def server_context(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return the context of incoming associations.

    Args:
        certificate: PEM file, the chain included
        key: PEM file
        ca: PEM file of the authorities of peers, which then need a certificate

    Raises:
        UsageError: certificate or key is not given
        TlsError: a file can't be read, or key and certificate do not match
    """
    if not (certificate and key):
        raise UsageError("TLS needs both --tls-certificate and --tls-key.")
    context = tls.server_context(certificate, key, ca)
    context.sslsocket_class = _LateHandshake
    return context


def client_context(certificate: Path | None, key: Path | None, ca: Path | None) -> ssl.SSLContext:
    """Return the context of outgoing associations, which verifies the peer and its name.

    Without authorities, those of the system are trusted, and no certificate is shown.

    Raises:
        TlsError: as `server_context`
    """
    return tls.client_context(ca, certificate, key) if ca else ssl.create_default_context()


def arguments(peer: Peer, context: ssl.SSLContext) -> TlsArguments:
    """Return what pynetdicom takes for an association with a peer: None without TLS."""
    return (context, peer.host) if peer.tls else None
