"""Errors of Google's services and client libraries, turned into the scripts' own."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException

import httplib2
import requests
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from googleapiclient.errors import HttpError

from scripts.lib.errors import ScriptError
from scripts.lib.pulumi_command import advised

LOG_IN = (
    "Set up application default credentials: run `gcloud auth application-default login`,"
    " or set GOOGLE_APPLICATION_CREDENTIALS. GOOGLE_OAUTH_ACCESS_TOKEN takes precedence,"
    " and expires after an hour."
)
AGAIN = "The service has an error at the moment. Try again in a minute."
# The hint depends on the status alone unless the message names a better one (see _hint).
HINTS = {
    401: LOG_IN,
    403: "Grant the missing role, or check the project: the message names what was refused.",
    404: f"Check the names; {advised('...', 'stack output --stack ...')} lists those of the stack.",
    429: "The quota is used up. Wait a minute, or ask for more quota.",
    500: AGAIN,
    502: AGAIN,
    503: "The service can't be reached at the moment. Try again in a minute.",
    504: AGAIN,
}
HINTS_BY_TEXT = {
    "not found: table": "Export the metadata first (`.venv/bin/python scripts/export_metadata.py`),"
    " or check the table's name.",
    "zero gcs objects": "Check the URI. Only *, ** and ? are wildcards; a folder needs /* or /**"
    " after its name.",
    "storage.": "Grant the service agent roles/storage.objectAdmin. The stack does so by default:"
    " `make refresh STACK=...` notices a grant that was removed, then `make up STACK=...` restores"
    " it. With `access: least-privilege` it does so for buckets alone that importBuckets or"
    " exportBuckets name: add this one. A grant can take minutes to propagate.",
    "bigquery.": "Grant the service agent roles/bigquery.admin. The stack does so by default:"
    " `make refresh STACK=...` notices a grant that was removed, then `make up STACK=...` restores"
    " it. A grant can take minutes to propagate.",
    "has rows": "Choose another table with --table, or another dataset for FHIR resources, or"
    " choose what happens to the rows: --write-disposition truncate or append.",
}
DISABLED = (
    "Enable it: `gcloud services enable {service} --project {project}`. A stack enables its APIs"
    " when it is deployed first, but can't be refreshed while one is disabled."
)

_DISABLED_API = re.compile(r"has not been used in project (\S+) before or it is disabled")
_SERVICE = re.compile(r"[a-z]+\.googleapis\.com")
_QUERY = re.compile(r"\?[^\s'\")]*")


def _hint(code: int, message: str) -> str:
    service = _SERVICE.search(message)
    if service and (disabled := _DISABLED_API.search(message)):
        return DISABLED.format(service=service[0], project=disabled[1])
    lowered = message.lower()
    for text, hint in HINTS_BY_TEXT.items():
        if text in lowered:
            return hint
    return HINTS.get(code, "")


def service_error(doing: str, code: int, status: str, message: str) -> ScriptError:
    """Make the error of a call that a Google service refused.

    Args:
        doing: the action, as a gerund: "importing into projects/.../dicomStores/s"
        code: the HTTP status or the google.rpc.Code
        status: its canonical name, e.g. PERMISSION_DENIED.
        message: the service's own text
    """
    return ScriptError(
        f"{doing[0].upper()}{doing[1:]} failed: {message} ({code} {status})".replace(" )", ")"),
        _hint(code, message),
        details={"code": code, "status": status},
    )


def http_error(doing: str, error: HttpError) -> ScriptError:
    """Map an error of google-api-python-client, which carries Google's JSON body."""
    return service_error(doing, int(error.status_code), *_body(error.content, error.reason))


def _body(content: bytes, reason: str | None) -> tuple[str, str]:
    """Read status and message of Google's JSON body."""
    try:
        body = json.loads(content)["error"]
        return str(body.get("status", "")), str(body["message"])
    except (ValueError, KeyError, TypeError, AttributeError):
        # A proxy's HTML or an empty body: the reason phrase is all there is.
        return "", str(reason or "no reason given")


def _connection_error(doing: str, error: BaseException) -> ScriptError:
    # A URL's query may name a patient: it must not appear in a log.
    reason = _QUERY.sub("", str(error))
    return ScriptError(
        f"{doing[0].upper()}{doing[1:]} failed: no connection ({reason}).",
        "Check the network, and that the service is there: for a local stack,"
        " `python -m emulator status`.",
        details={"code": 503, "status": "UNAVAILABLE"},
    )


def as_script_error(doing: str, error: Exception) -> ScriptError | None:
    """Map an error of Google's libraries; return None for any other exception."""
    if isinstance(error, ScriptError):
        return error
    if isinstance(error, api_exceptions.RetryError):
        cause = error.cause
        if isinstance(cause, Exception):
            return as_script_error(doing, cause)
    if isinstance(error, HttpError):
        return http_error(doing, error)
    if isinstance(error, api_exceptions.GoogleAPICallError):
        status = error.reason or type(error).__name__
        return service_error(doing, int(error.code or 500), status, _first_message(error))
    if isinstance(error, requests.HTTPError) and error.response is not None:
        code, reason = error.response.status_code, error.response.reason or ""
        return service_error(doing, code, *_body(error.response.content, reason))
    if isinstance(error, auth_exceptions.TransportError):
        return _connection_error(doing, error)
    if isinstance(error, auth_exceptions.GoogleAuthError):
        return ScriptError(f"No usable Google credentials: {error}", LOG_IN)
    if isinstance(error, (OSError, HTTPException, httplib2.HttpLib2Error)):
        # requests' connection errors, sockets' and time-outs are all OSErrors; an answer that is
        # cut off in the middle is an HTTPException.
        return _connection_error(doing, error)
    return None


def _first_message(error: api_exceptions.GoogleAPICallError) -> str:
    """Return the first error's text: BigQuery's client adds the verb and URL to its own."""
    for entry in error.errors or ():
        if isinstance(entry, dict) and entry.get("message"):
            return str(entry["message"])
    return str(error.message)


@contextmanager
def translate_errors(doing: str) -> Iterator[None]:
    """Turn errors of Google's libraries in the block into a ScriptError that names the action."""
    try:
        yield
    except Exception as error:
        mapped = as_script_error(doing, error)
        if mapped is None or mapped is error:
            raise
        raise mapped from error
