"""Types of operations: the code, and the messages of its metadata and response."""

from collections.abc import Callable
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any, Protocol

from emulator.core.errors import RPC_CODES

Json = dict[str, Any]
INVALID_ARGUMENT = RPC_CODES["INVALID_ARGUMENT"]


@dataclass(frozen=True)
class FailedItem:
    """An item that an operation could not handle.

    Attributes:
        operation: the full name of the operation
        method: the type of the operation
        request: the request that started it
        source: what names the item
        error: the reason
        code: of google.rpc.Code
    """

    operation: str
    method: str
    request: Json
    source: str
    error: str
    code: int


FailureListener = Callable[[Connection, FailedItem], None]
"""Called in the transaction that logs the failure of an item."""


class OperationRun(Protocol):
    """A running operation, as its code sees it.

    Attributes:
        name: the full name of the operation
        request: the request that started it, as given to `Operations.start`
    """

    name: str
    request: Json

    def progress(self, *, success: int, failure: int, pending: int, secondary: int = 0) -> None:
        """Report the counters so far; `secondary` counts what else succeeded."""

    def check_cancelled(self) -> None:
        """Raise `OperationCancelledError` after a request to cancel."""

    def log_failure(self, source: str, error: str, code: int = INVALID_ARGUMENT) -> None:
        """Log the failure of an item; the same source is logged once.

        Args:
            source: what names the item: its URI, or its resource name
            error: the reason
            code: of google.rpc.Code
        """


Run = Callable[[OperationRun], Json]


@dataclass(frozen=True)
class OperationType:
    """A type of operation, registered by the service whose method starts it.

    Attributes:
        method: the name under which operations of this type are stored
        run: does the work. It may be interrupted at any point and run again with the same request,
            so it is idempotent. It returns the fields of the response
        metadata: from the API's version to the fixed fields of the metadata, with `@type`
        response_type: from the API's version to the `@type` of the response
        lenient: whether items that fail leave the operation a success
        has_progress: whether the metadata has times, counters and the URL of a log
    """

    method: str
    run: Run
    metadata: Callable[[str], Json]
    response_type: Callable[[str], str]
    lenient: bool = False
    has_progress: bool = True
