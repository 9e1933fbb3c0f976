"""Patience with fresh grants: on Google Cloud a role takes up to minutes to be felt everywhere."""

from collections.abc import Callable
from typing import TypeVar

from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry

from scripts.common.errors import ScriptError

PATIENCE_SECONDS = 90.0
FIRST_SECONDS = 5.0
LONGEST_SECONDS = 20.0
_DENIED = {403, 7}  # HTTP, and google.rpc.Code of an operation's error

T = TypeVar("T")


def _denied(error: Exception) -> bool:
    return isinstance(error, ScriptError) and error.details.get("code") in _DENIED


def patient_with_grants(attempt: Callable[[], T], *, fresh: bool, say: Callable[[str], None]) -> T:
    """Try again while permission is denied, if the grants have only just been made.

    Args:
        attempt: starts and follows an operation; harmless to repeat after a denial.
        fresh: the deployment has just made or changed something; else a denial is final.
        say: told of each denial that will be tried again.

    Raises:
        ScriptError: what the last attempt raised.
    """
    if not fresh:
        return attempt()
    retry = Retry(
        predicate=_denied,
        initial=FIRST_SECONDS,
        maximum=LONGEST_SECONDS,
        timeout=PATIENCE_SECONDS,
        on_error=lambda error: say(
            f"{getattr(error, 'message', error)}\n"
            "The grants are new and may not be felt yet: trying again."
        ),
    )
    try:
        return retry(attempt)()
    except RetryError as error:
        if isinstance(error.cause, ScriptError):
            raise error.cause from None
        raise
