"""Retry while new IAM grants propagate, which can take minutes on Google Cloud."""

from collections.abc import Callable
from typing import TypeVar

from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry

from scripts.lib.errors import ScriptError

DEADLINE_SECONDS = 90.0
INITIAL_DELAY_SECONDS = 5.0
MAX_DELAY_SECONDS = 20.0
_DENIED = {403, 7}  # HTTP, and google.rpc.Code of an operation's error

T = TypeVar("T")


def _denied(error: Exception) -> bool:
    return isinstance(error, ScriptError) and error.details.get("code") in _DENIED


def retry_while_denied(
    attempt: Callable[[], T], *, fresh: bool, report: Callable[[str], None]
) -> T:
    """Retry while permission is denied, if the grants are new.

    Args:
        attempt: starts and follows an operation; safe to repeat after a denial
        fresh: the deployment has just created or changed something; otherwise a denial is final
        report: called with each denial before a retry

    Raises:
        ScriptError: the error of the last attempt
    """
    if not fresh:
        return attempt()
    retry = Retry(
        predicate=_denied,
        initial=INITIAL_DELAY_SECONDS,
        maximum=MAX_DELAY_SECONDS,
        timeout=DEADLINE_SECONDS,
        on_error=lambda error: report(
            f"{getattr(error, 'message', error)}\n"
            "New IAM grants may not have propagated yet; retrying."
        ),
    )
    try:
        return retry(attempt)()
    except RetryError as error:
        if isinstance(error.cause, ScriptError):
            raise error.cause from None
        raise
