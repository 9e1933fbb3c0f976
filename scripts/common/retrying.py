"""What is tried again, and for how long: Google's own retry library with Google's own list.

Which codes: https://cloud.google.com/healthcare-api/docs/best-practices-request-latency-errors
and https://cloud.google.com/storage/docs/retry-strategy (408, 429 and 5xx but 501).
"""

from collections.abc import Callable
from typing import TypeVar

import httplib2
import requests
from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry
from google.auth import exceptions as auth_exceptions
from googleapiclient.errors import HttpError

TRANSIENT_CODES = frozenset({408, 429, 500, 502, 503, 504})
# Codes that say that the service did nothing: safe to repeat for calls that must not run twice.
REFUSED_CODES = frozenset({429, 503})
# What a dataset answers, with 404, while its creation is under way.
_NOT_YET = "dataset not initialized"

INITIAL_SECONDS = 0.2
MAXIMUM_SECONDS = 10.0
DEADLINE_SECONDS = 60.0

T = TypeVar("T")


def _code(error: Exception) -> int | None:
    if isinstance(error, HttpError):
        return int(error.status_code)
    if isinstance(error, requests.HTTPError) and error.response is not None:
        return error.response.status_code
    return None


def is_transient(error: Exception) -> bool:
    """Tell whether a call that may run twice is worth repeating."""
    if (code := _code(error)) is not None:
        return code in TRANSIENT_CODES or (code == 404 and _NOT_YET in str(error).lower())
    if isinstance(error, auth_exceptions.RefreshError):
        return bool(error.retryable)
    return isinstance(
        error,
        (
            ConnectionError,
            TimeoutError,
            httplib2.ServerNotFoundError,
            requests.ConnectionError,
            requests.Timeout,
            auth_exceptions.TransportError,
        ),
    )


def is_refusal(error: Exception) -> bool:
    """Tell whether the service certainly did nothing, so that even an append may be repeated."""
    if (code := _code(error)) is not None:
        return code in REFUSED_CODES
    return isinstance(error, (ConnectionRefusedError, httplib2.ServerNotFoundError))


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
        deadline: seconds after which no further attempt begins.
        on_error: told each error that will be tried again.

    Raises:
        Exception: the last error of the target, when it is not a passing one or time is up.
    """
    retry = Retry(
        predicate=is_transient if repeatable else is_refusal,
        initial=INITIAL_SECONDS,
        maximum=MAXIMUM_SECONDS,
        timeout=deadline,
        on_error=on_error,
    )
    try:
        return retry(target)()
    except RetryError as error:
        # The caller wants to know what the service said, not that we gave up on it.
        if isinstance(error.cause, Exception):
            raise error.cause from None
        raise
