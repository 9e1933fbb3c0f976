"""The session with Google's services, from the environment as Google's libraries read it.

`GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT`, `GOOGLE_PUBSUB_CUSTOM_ENDPOINT` and
`GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT` replace Google's own endpoints, `GOOGLE_OAUTH_ACCESS_TOKEN`
the application default credentials.
"""

import os
import re

import google.auth
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from requests.adapters import HTTPAdapter

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
NETWORK_ERRORS = (RefreshError, TransportError)
"""Errors of a call for a token."""
TRANSIENT_CODES = frozenset({401, 408, 429, 500, 502, 503, 504})
"""Status codes after which a call may succeed later; 401 when a token has expired."""

_VERSION = re.compile(r"/v\d[a-z0-9]*/?$")


class CredentialsError(Exception):
    """No credentials, in a sentence for people."""


def session(connections: int) -> AuthorizedSession:
    """Make a session for several threads.

    Args:
        connections: open at most, for each host

    Raises:
        CredentialsError: there are no credentials
    """
    authorized = AuthorizedSession(_credentials())  # type: ignore[no-untyped-call]
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections)
    for prefix in ("http://", "https://"):
        authorized.mount(prefix, adapter)
    return authorized


def _credentials() -> object:
    if token := os.environ.get("GOOGLE_OAUTH_ACCESS_TOKEN"):
        return Credentials(token)  # type: ignore[no-untyped-call]
    try:
        found, _ = google.auth.default(scopes=SCOPES)
    except DefaultCredentialsError as error:
        raise CredentialsError(
            "No Google Cloud credentials were found. On Google Cloud, run as a service account;"
            " elsewhere, set GOOGLE_APPLICATION_CREDENTIALS."
        ) from error
    return found


def healthcare_root() -> str:
    """Return the root of the Healthcare API, with a slash at its end."""
    return _root("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "https://healthcare.googleapis.com/")


def pubsub_root() -> str:
    """Return the root of Pub/Sub, with a slash at its end."""
    return _root("GOOGLE_PUBSUB_CUSTOM_ENDPOINT", "https://pubsub.googleapis.com/")


def secret_manager_root(location: str | None) -> str:
    """Return the root of Secret Manager, with a slash at its end.

    Args:
        location: of regional secrets, which have endpoints of their own; None for global ones
    """
    regional = f".{location}.rep" if location else ""
    default = f"https://secretmanager{regional}.googleapis.com/"
    return _root("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", default)


def _root(variable: str, default: str) -> str:
    value = os.environ.get(variable, "")
    return _VERSION.sub("", value).rstrip("/") + "/" if value else default
