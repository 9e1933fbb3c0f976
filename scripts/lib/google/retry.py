"""What is tried again, and for how long: Google's own retry library with Google's own list.

Which codes: https://cloud.google.com/healthcare-api/docs/best-practices-latency-error-handling
and https://cloud.google.com/storage/docs/retry-strategy (408, 429 and 5xx but 501).
"""

import email.utils
import time
from collections.abc import Callable
from datetime import UTC, datetime
from http.client import HTTPException
from typing import TypeVar

import httplib2
import requests
from google.api_core.exceptions import GoogleAPICallError, RetryError
from google.api_core.retry import Retry
from google.auth import exceptions as auth_exceptions
from googleapiclient.errors import HttpError

TRANSIENT_CODES = frozenset({408, 429, 500, 502, 503, 504})
# Codes that say that the service did nothing: safe to repeat for calls that must not run twice.
REFUSED_CODES = frozenset({429, 503})
# Of a job of BigQuery that failed: https://cloud.google.com/bigquery/docs/error-messages
_JOB_REASONS = frozenset({"jobBackendError", "jobInternalError", "jobRateLimitExceeded"})
# What a dataset answers, with 404, while its creation is under way.
_NOT_YET = "dataset not initialized"

INITIAL_SECONDS = 0.2
MAXIMUM_SECONDS = 10.0
DEADLINE_SECONDS = 60.0

T = TypeVar("T")

ONCE = Retry(predicate=lambda _: False)
"""For calls of libraries that would repeat by themselves: `call` does, and keeps its deadline."""


def _code(error: Exception) -> int | None:
    if isinstance(error, HttpError):
        return int(error.status_code)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    if isinstance(error, GoogleAPICallError):
        return int(error.code) if error.code else None
    return None


def _is_not_yet(error: Exception) -> bool:
    """Tell whether a dataset is refused that is still being made."""
    if _code(error) != 404:
        return False
    response = getattr(error, "response", None)
    text = response.text if isinstance(response, requests.Response) else str(error)
    return _NOT_YET in text.lower()


def _is_failed_job(error: Exception) -> bool:
    """Tell whether a job of BigQuery failed by BigQuery's fault."""
    reasons = error.errors if isinstance(error, GoogleAPICallError) else ()
    return any(entry.get("reason") in _JOB_REASONS for entry in reasons if isinstance(entry, dict))


def is_transient(error: Exception) -> bool:
    """Tell whether a call that may run twice is worth repeating."""
    if (code := _code(error)) is not None:
        return code in TRANSIENT_CODES or _is_not_yet(error) or _is_failed_job(error)
    if isinstance(error, auth_exceptions.RefreshError):
        return bool(error.retryable)
    return isinstance(
        error,
        (
            ConnectionError,
            TimeoutError,
            HTTPException,
            httplib2.ServerNotFoundError,
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
            auth_exceptions.TransportError,
        ),
    )


def is_refusal(error: Exception) -> bool:
    """Tell whether the service certainly did nothing, so that even an append may be repeated."""
    if (code := _code(error)) is not None:
        return code in REFUSED_CODES or _is_not_yet(error)
    return isinstance(error, (ConnectionRefusedError, httplib2.ServerNotFoundError))


def is_doubtful(error: BaseException | None) -> bool:
    """Tell whether the service may have done what was asked, though it did not say so."""
    return isinstance(error, Exception) and is_transient(error) and not is_refusal(error)


def _wished_pause(error: Exception) -> float:
    """Seconds that the service asks to be left alone (Retry-After); 0 if it doesn't."""
    if isinstance(error, HttpError):
        wish = error.resp.get("retry-after", "")
    elif isinstance(answer := getattr(error, "response", None), requests.Response):
        wish = answer.headers.get("Retry-After", "")
    else:
        wish = ""
    if wish.isdecimal():
        return float(wish)
    try:
        until = email.utils.parsedate_to_datetime(wish)
    except ValueError:
        return 0.0
    return max(0.0, (until.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds())


def call(
    target: Callable[[], T],
    *,
    repeatable: bool = True,
    deadline: float = DEADLINE_SECONDS,
    on_error: Callable[[Exception], None] | None = None,
) -> T:
    """Call, and call again with backoff and jitter while the error is a passing one.

    Args:
        target: the call; each attempt runs it anew.
        repeatable: the call may run twice without harm; else only certain refusals are repeated.
        deadline: seconds after which no further attempt begins. A service that asks to be left
            alone for longer is not asked again.
        on_error: told each error that will be tried again.

    Raises:
        Exception: the last error of the target, when it is not a passing one or time is up.
    """
    ends = time.monotonic() + deadline

    def again(error: Exception) -> bool:
        passing = is_transient(error) if repeatable else is_refusal(error)
        return passing and time.monotonic() + _wished_pause(error) <= ends

    def before_pause(error: Exception) -> None:
        if on_error:
            on_error(error)
        if wished := _wished_pause(error):
            time.sleep(wished)

    retry = Retry(
        predicate=again,
        initial=INITIAL_SECONDS,
        maximum=MAXIMUM_SECONDS,
        timeout=deadline,
        on_error=before_pause,
    )
    try:
        return retry(target)()
    except RetryError as error:
        # The caller wants to know what the service said, not that we gave up on it.
        if isinstance(error.cause, Exception):
            raise error.cause from None
        raise
