"""Files that are versions of secrets: read from Secret Manager, with the workload's own account.

Documented: https://cloud.google.com/secret-manager/docs/access-secret-version, and for secrets of a
location https://cloud.google.com/secret-manager/docs/reference/rest (regional endpoints).
`GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT` replaces Google's own endpoints.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from workloads.common import google

TIMEOUT_SECONDS = 30.0
ATTEMPTS, BACKOFF_SECONDS = 4, 0.5
"""Of a read that fails for a moment. After the last one the workload ends; its platform starts it
again."""

_NAME = re.compile(
    r"projects/[^/]+(?:/locations/(?P<location>[^/]+))?/secrets/[^/]+/versions/[^/]+"
)
_DISABLED_API = "SERVICE_DISABLED"


class SecretError(Exception):
    """A version of a secret that can't be read, in a sentence for people; no secret is in it."""


def is_version(path: Path) -> bool:
    """Whether an option names a version of a secret instead of a file."""
    return _NAME.fullmatch(path.as_posix()) is not None


def read(version: Path) -> bytes:
    """Return the payload of a version of a secret.

    Args:
        version: `projects/P/secrets/S/versions/V`, with `locations/L` before `secrets` or without

    Raises:
        SecretError: it can't be read; the text says why, and what to do
        CredentialsError: there are no credentials
    """
    name = version.as_posix()
    match = _NAME.fullmatch(name)
    assert match is not None
    url = f"{google.secret_manager_root(match['location'])}v1/{name}:access"
    session = google.session(1)
    retries = Retry(
        ATTEMPTS - 1,
        backoff_factor=BACKOFF_SECONDS,
        status_forcelist=google.TRANSIENT_CODES - {401},
        raise_on_status=False,
    )
    for prefix in ("http://", "https://"):
        session.mount(prefix, HTTPAdapter(max_retries=retries))
    try:
        answer = session.get(url, timeout=TIMEOUT_SECONDS)
    except (requests.RequestException, *google.NETWORK_ERRORS) as error:
        raise SecretError(f"{name} can't be read: {type(error).__name__}.") from error
    if answer.status_code != requests.codes.ok:
        raise SecretError(f"{name} can't be read: {_reason(name, answer)}")
    return base64.b64decode(answer.json()["payload"]["data"])


def _reason(name: str, answer: requests.Response) -> str:
    error = _error(answer)
    secret = name.rpartition("/versions/")[0]
    if answer.status_code == requests.codes.forbidden and _DISABLED_API in str(error):
        project = name.split("/")[1]
        return (
            "the Secret Manager API is not enabled. Run"
            f" `gcloud services enable secretmanager.googleapis.com --project={project}`."
        )
    if answer.status_code == requests.codes.forbidden:
        return (
            "the account of this workload may not. Grant it roles/secretmanager.secretAccessor on"
            f" {secret}."
        )
    if answer.status_code == requests.codes.not_found:
        return f"it does not exist. Name a version that {secret} has."
    if error.get("status") == "FAILED_PRECONDITION":
        return "it is disabled or destroyed. Enable it, or add a version and name that one."
    return f"Secret Manager answers {answer.status_code} {error.get('message', '')}".rstrip() + "."


def _error(answer: requests.Response) -> Mapping[str, Any]:
    try:
        found = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
