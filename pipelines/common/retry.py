"""Calls of a DICOM store, throttled and retried."""

from collections.abc import Callable
from typing import TypeVar

from google.api_core.exceptions import RetryError
from google.api_core.retry import Retry

from pipelines.common.throttle import TOO_MANY, Throttle
from workloads.common.dicomweb import StoreError

INITIAL_SECONDS, MAX_SECONDS = 0.25, 30.0
DEFAULT_PATIENCE_SECONDS = 300.0

ResultT = TypeVar("ResultT")


class Caller:
    """Calls a store until it answers, for as long as the failures may pass.

    Args:
        throttle: of this worker
        patience: seconds until a call is given up
        note: called before each further attempt
    """

    def __init__(
        self,
        throttle: Throttle,
        patience: float = DEFAULT_PATIENCE_SECONDS,
        note: Callable[[], None] = lambda: None,
    ) -> None:
        self._throttle = throttle
        self._note = note
        self._retry = Retry(
            predicate=_is_transient,
            initial=INITIAL_SECONDS,
            maximum=MAX_SECONDS,
            timeout=patience,
            on_error=self._failed,
        )

    def call(self, request: Callable[[], ResultT]) -> ResultT:
        """Return what a request returns.

        Raises:
            StoreError: it was refused, or failed for as long as the patience lasts
        """
        try:
            result: ResultT = self._retry(self._once)(request)
        except RetryError as error:
            raise error.cause or error from error
        self._throttle.accepted()
        return result

    def _once(self, request: Callable[[], ResultT]) -> ResultT:
        self._throttle.wait()
        return request()

    def _failed(self, error: Exception) -> None:
        self._note()
        if isinstance(error, StoreError) and error.code in TOO_MANY:
            self._throttle.refused()


def _is_transient(error: Exception) -> bool:
    return isinstance(error, StoreError) and error.is_transient
