"""TLS of an adapter: certificates from files, or from versions of secrets.

Each path may also be `projects/P/secrets/S/versions/V`: Secret Manager is asked when a context is
made. A key of it is in no file that outlives that.
"""

import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workloads.common import secrets

_MEMORY = Path("/dev/shm")  # noqa: S108 - a file system in memory, where there is one


class TlsError(Exception):
    """Files that are not the right certificates or keys, in a sentence for people."""


def server_context(certificate: Path, key: Path, client_ca: Path | None) -> ssl.SSLContext:
    """Make the context of a server.

    Args:
        certificate: of the server, with its chain, as PEM
        key: of the certificate, as PEM, without a password
        client_ca: authorities of clients, which then need a certificate; None lets all connect

    Raises:
        TlsError: a file can't be read, or key and certificate do not match
        SecretError: a version of a secret can't be read
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    _load_chain(context, certificate, key)
    if client_ca:
        _load_authorities(context, client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def client_context(
    authorities: Path, certificate: Path | None = None, key: Path | None = None
) -> ssl.SSLContext:
    """Make the context of a client, which checks the server's certificate and host name.

    Args:
        authorities: of the server's certificate, as PEM
        certificate: of the client, if the server asks for one
        key: of the certificate

    Raises:
        TlsError: a file can't be read, or key and certificate do not match
        SecretError: a version of a secret can't be read
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    _load_authorities(context, authorities)
    if certificate and key:
        _load_chain(context, certificate, key)
    return context


def _load_chain(context: ssl.SSLContext, certificate: Path, key: Path) -> None:
    try:
        with _files(certificate, key) as (certificate_file, key_file):
            # A password would be asked for on the terminal.
            context.load_cert_chain(certificate_file, key_file, password="")
    except (OSError, ValueError) as error:
        raise TlsError(
            f"{certificate} and {key} can't be used for TLS: {_reason(error)}. They are a"
            " certificate and its key, as PEM, without a password."
        ) from error


def _load_authorities(context: ssl.SSLContext, authorities: Path) -> None:
    try:
        with _files(authorities) as (file,):
            context.load_verify_locations(file)
    except OSError as error:
        raise TlsError(
            f"{authorities} can't be used for TLS: {_reason(error)}. It holds certificates of"
            " authorities, as PEM."
        ) from error


@contextmanager
def _files(*paths: Path) -> Iterator[list[Path]]:
    """Yield a file for each path: that of a version of a secret exists meanwhile alone.

    OpenSSL loads keys from files only.
    """
    with tempfile.TemporaryDirectory(dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        files = []
        for number, path in enumerate(paths):
            if secrets.is_version(path):
                file = Path(folder, str(number))
                file.write_bytes(secrets.read(path))
                path = file
            files.append(path)
        yield files


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return (error.reason or "not PEM").replace("_", " ").lower()
    return getattr(error, "strerror", None) or str(error)
