"""The one error of the scripts, and the one place where other people's errors become it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from http.client import HTTPException
from typing import Any

import httplib2
import requests
from google.api_core import exceptions as api_exceptions
from google.auth import exceptions as auth_exceptions
from googleapiclient.errors import HttpError


class ExitCode(IntEnum):
    """What a script's exit code means; docs/scripts.md lists them too."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTLY_FAILED = 3
    STILL_RUNNING = 4
    REFUSED = 5
    PROTECTED = 6
    INTERRUPTED = 130


class ScriptError(Exception):
    """A failure to show to a person: the culprit, then the cure.

    Attributes:
        message: what went wrong, with the name of the thing at fault.
        cure: what to do about it; empty if nobody knows.
        exit_code: what the process ends with.
        details: facts for `--json`, already free of patient data.
    """

    def __init__(
        self,
        message: str,
        cure: str = "",
        exit_code: ExitCode = ExitCode.FAILED,
        details: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.cure = cure
        self.exit_code = exit_code
        self.details = details or {}

    def __str__(self) -> str:
        return f"{self.message}\n{self.cure}" if self.cure else self.message

    def to_json(self) -> dict[str, Any]:
        """Give the shape that `--json` prints under `error`."""
        shape = {"message": self.message, "cure": self.cure, "exit_code": int(self.exit_code)}
        return shape | self.details


class UsageError(ScriptError):
    """The command line asks for something that can't be; nothing was called."""

    def __init__(self, message: str, cure: str = "") -> None:
        super().__init__(message, cure, ExitCode.USAGE)


LOG_IN = (
    "Give the scripts application default credentials: run `gcloud auth application-default login`,"
    " or set GOOGLE_APPLICATION_CREDENTIALS. GOOGLE_OAUTH_ACCESS_TOKEN comes first where it is set,"
    " and holds for an hour."
)
AGAIN = "The service is in trouble at the moment. Try again in a minute."
# The cure depends on the status alone unless the message names a better one (see _cure).
CURES = {
    401: LOG_IN,
    403: "Grant the missing role, or check the project: the message names what was refused.",
    404: "Check the names; `pulumi stack output` lists those of the stack.",
    429: "The quota is used up. Wait a minute, or ask for more quota.",
    500: AGAIN,
    502: AGAIN,
    503: "The service can't be reached at the moment. Try again in a minute.",
    504: AGAIN,
}
CURES_BY_TEXT = {
    "has not been used in project": "Deploy the stack, which enables it (`make up STACK=...`), or"
    " enable it by hand: `gcloud services enable NAME.googleapis.com`.",
    "zero gcs objects": "Check the URI. Only *, ** and ? are wildcards; a folder needs /* or /**"
    " behind its name.",
    "storage.": "Grant the service agent roles/storage.objectAdmin (the stack does so by default:"
    " `make up STACK=...`); a grant may take a minute to spread.",
    "bigquery.": "Grant the service agent roles/bigquery.admin (the stack does so by default:"
    " `make up STACK=...`); a grant may take a minute to spread.",
    "has rows": "Choose another table with --table, or say what to do with its rows:"
    " --write-disposition truncate or append.",
}


_QUERY = re.compile(r"\?[^\s'\")]*")


def _cure(code: int, message: str) -> str:
    lowered = message.lower()
    for text, cure in CURES_BY_TEXT.items():
        if text in lowered:
            return cure
    return CURES.get(code, "")


def service_error(doing: str, code: int, status: str, message: str) -> ScriptError:
    """Make the error of a refusal by a Google service, however it came to us.

    Args:
        doing: what was attempted, as a gerund: "importing into projects/.../dicomStores/s".
        code: the HTTP status or the google.rpc.Code.
        status: its canonical name, e.g. PERMISSION_DENIED.
        message: the service's own text.
    """
    return ScriptError(
        f"{doing[0].upper()}{doing[1:]} failed: {message} ({code} {status})".replace(" )", ")"),
        _cure(code, message),
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
    # A URL's query may name a patient: it stays out of what may end in a log.
    reason = _QUERY.sub("", str(error))
    return ScriptError(
        f"{doing[0].upper()}{doing[1:]} failed: no connection ({reason}).",
        "Check the network, and that the service is there: for a local stack,"
        " `python -m emulator status`.",
        details={"code": 503, "status": "UNAVAILABLE"},
    )


def as_script_error(doing: str, error: Exception) -> ScriptError | None:
    """Map any error that Google's libraries raise; None for one that is a bug of ours."""
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
    """BigQuery's client prefixes the verb and URL to its text; the errors' own text is clearer."""
    for entry in error.errors or ():
        if isinstance(entry, dict) and entry.get("message"):
            return str(entry["message"])
    return str(error.message)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn whatever Google's libraries raise inside into a ScriptError that says what was done."""
    try:
        yield
    except Exception as error:
        mapped = as_script_error(doing, error)
        if mapped is None or mapped is error:
            raise
        raise mapped from error
