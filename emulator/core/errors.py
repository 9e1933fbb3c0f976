"""The one error type of the emulated services, and the one place where it becomes Google's JSON.

A domain error carries a code, a status and a message; `emulator.app` renders it. The pairs of HTTP
code and status are those of google.rpc.Code: https://cloud.google.com/apis/design/errors.
"""

from typing import Any


class ApiError(Exception):
    """An error as a Google API answers it.

    Attributes:
        code: The HTTP status code.
        status: The name in google.rpc.Code, such as `NOT_FOUND`.
        message: What is wrong, with the culprit; never holds patient data.
        details: Further `google.rpc` messages, each with its `@type`.
    """

    def __init__(
        self, code: int, status: str, message: str, details: list[dict[str, Any]] | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.message = message
        self.details = details or []

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def rpc_status(self) -> dict[str, Any]:
        """The google.rpc.Status that a failed long-running operation ends with."""
        return {"code": RPC_CODES.get(self.status, 2), "message": self.message}


_RPC = "type.googleapis.com/google.rpc"

RPC_CODES = {
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}


def invalid_argument(message: str) -> ApiError:
    """400: the request itself is wrong."""
    return ApiError(400, "INVALID_ARGUMENT", message)


def bad_field(field: str, message: str) -> ApiError:
    """400 that says which field of the body is at fault (google.rpc.BadRequest)."""
    violation = {"description": message, **({"field": field} if field else {})}
    detail = {"@type": f"{_RPC}.BadRequest", "fieldViolations": [violation]}
    return ApiError(400, "INVALID_ARGUMENT", message, [detail])


def failed_precondition(message: str) -> ApiError:
    """400: the request is fine, the state of the resource is not."""
    return ApiError(400, "FAILED_PRECONDITION", message)


def permission_denied(message: str) -> ApiError:
    """403."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_found(message: str) -> ApiError:
    """404."""
    return ApiError(404, "NOT_FOUND", message)


def not_acceptable(message: str) -> ApiError:
    """406: none of the media types that the client accepts can be served."""
    return ApiError(406, "INVALID_ARGUMENT", message)


def already_exists(message: str) -> ApiError:
    """409: the id is taken."""
    return ApiError(409, "ALREADY_EXISTS", message)


def aborted(message: str) -> ApiError:
    """409: a concurrent change came first."""
    return ApiError(409, "ABORTED", message)


def too_large(message: str) -> ApiError:
    """413: the body is over the limit."""
    return ApiError(413, "INVALID_ARGUMENT", message)


def resource_exhausted(message: str) -> ApiError:
    """429."""
    return ApiError(429, "RESOURCE_EXHAUSTED", message)


def insufficient_storage(message: str) -> ApiError:
    """507: the disk is full. Clients do not try again what 429 or 503 would have them try."""
    return ApiError(507, "RESOURCE_EXHAUSTED", message)


def internal(message: str) -> ApiError:
    """500."""
    return ApiError(500, "INTERNAL", message)


def data_loss(message: str) -> ApiError:
    """500: what was stored is not there any more."""
    return ApiError(500, "DATA_LOSS", message)


def unimplemented(message: str) -> ApiError:
    """501."""
    return ApiError(501, "UNIMPLEMENTED", message)


def unavailable(message: str) -> ApiError:
    """503."""
    return ApiError(503, "UNAVAILABLE", message)
