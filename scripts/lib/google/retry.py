"""Retries of calls to Google services.

Retryable codes: https://cloud.google.com/healthcare-api/docs/best-practices-latency-error-handling
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
# With these codes the service did nothing: safe to retry for calls that must not run twice.
REFUSED_CODES = frozenset({429, 503})
# Retryable reasons of a failed BigQuery job: https://cloud.google.com/bigquery/docs/error-messages
_JOB_REASONS = frozenset({"jobBackendError", "jobInternalError", "jobRateLimitExceeded"})
# The message, with 404, of a dataset that is still being created.
_NOT_YET = "dataset not initialized"

INITIAL_SECONDS = 0.2
MAXIMUM_SECONDS = 10.0
DEADLINE_SECONDS = 60.0

T = TypeVar("T")

ONCE = Retry(predicate=lambda _: False)
"""For libraries that retry by themselves: `call` retries, within its deadline."""


def _code(error: Exception) -> int | None:
    if isinstance(error, HttpError):
        return int(error.status_code)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    if isinstance(error, GoogleAPICallError):
        return int(error.code) if error.code else None
    return None


def _is_not_yet(error: Exception) -> bool:
    """Return whether a dataset is refused because it is still being created."""
    if _code(error) != 404:
        return False
    response = getattr(error, "response", None)
    text = response.text if isinstance(response, requests.Response) else str(error)
    return _NOT_YET in text.lower()


def _is_failed_job(error: Exception) -> bool:
    """Return whether a BigQuery job failed for a transient reason."""
    reasons = error.errors if isinstance(error, GoogleAPICallError) else ()
    return any(entry.get("reason") in _JOB_REASONS for entry in reasons if isinstance(entry, dict))


def is_transient(error: Exception) -> bool:
    """Return whether to retry a call that may run twice."""
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
    """Return whether the service certainly did nothing, so that even an append may be retried."""
    if (code := _code(error)) is not None:
        return code in REFUSED_CODES or _is_not_yet(error)
    return isinstance(error, (ConnectionRefusedError, httplib2.ServerNotFoundError))


def is_doubtful(error: BaseException | None) -> bool:
    """Return whether the service may have run the call although its response was lost."""
    return isinstance(error, Exception) and is_transient(error) and not is_refusal(error)


def _wished_pause(error: Exception) -> float:
    """Return the delay that the service asks for (Retry-After), in seconds; 0 if none."""
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
    """Call, and retry transient errors with backoff and jitter.

    Args:
        target: the call; each attempt runs it again
        repeatable: the call may run twice; otherwise only some refusals are retried
        deadline: seconds after which no further attempt begins. If the service asks for a longer
            delay, there is no retry.
        on_error: called with each error before a retry

    Raises:
        Exception: the last error of the target, if it is not transient or the deadline is over
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
        # The caller needs the error of the service, not that of the retry.
        if isinstance(error.cause, Exception):
            raise error.cause from None
        raise
