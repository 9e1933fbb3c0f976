"""The session with Google's services, from the environment as Google's libraries read it.

`GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT`, `GOOGLE_PUBSUB_CUSTOM_ENDPOINT`,
`GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT` and `GOOGLE_LOGGING_CUSTOM_ENDPOINT` replace Google's own
endpoints, `GOOGLE_OAUTH_ACCESS_TOKEN` the application default credentials.
"""

import os
import re
from urllib.parse import urlsplit

import google.auth
from google.auth.exceptions import DefaultCredentialsError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession
from google.oauth2.credentials import Credentials
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

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
    authorized = AuthorizedSession(credentials())  # type: ignore[no-untyped-call]
    # For each call, requests would read the whole environment and ~/.netrc again.
    authorized.trust_env = False
    roots = (healthcare_root(), pubsub_root(), logging_root(), storage_root())
    authorized.proxies = _proxies(*roots)
    authorized.verify = _authorities()
    adapter = HTTPAdapter(pool_connections=4, pool_maxsize=connections)
    for prefix in ("http://", "https://"):
        authorized.mount(prefix, adapter)
    return authorized


def _proxies(*roots: str) -> dict[str, str]:
    """Return the proxies that the environment has for some servers, as a session takes them."""
    found = {}
    for root in roots:
        url, proxies = urlsplit(root), get_environ_proxies(root)
        if proxy := proxies.get(url.scheme) or proxies.get("all"):
            found[f"{url.scheme}://{url.hostname}"] = proxy
    return found


def _authorities() -> str | bool:
    """Return the file of authorities that the environment names, as requests reads it."""
    names = (os.environ.get(name) for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"))
    return next(filter(None, names), True)


def credentials() -> object:
    """Return the credentials of the environment.

    Raises:
        CredentialsError: there are none
    """
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


def logging_root() -> str:
    """Return the root of Cloud Logging, with a slash at its end."""
    return _root("GOOGLE_LOGGING_CUSTOM_ENDPOINT", "https://logging.googleapis.com/")


def storage_root() -> str:
    """Return the root of Cloud Storage, with a slash at its end, as its library finds it."""
    root = os.environ.get("STORAGE_EMULATOR_HOST") or "https://storage.googleapis.com"
    return f"{root.rstrip('/')}/"


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
