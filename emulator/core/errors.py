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
        """Return the JSON body of the answer."""
        error: dict[str, Any] = {"code": self.code, "message": self.message, "status": self.status}
        if self.details:
            error["details"] = self.details
        return {"error": error}

    def rpc_status(self) -> dict[str, Any]:
        """Return the google.rpc.Status that a failed long-running operation ends with."""
        return {"code": RPC_CODES.get(self.status, 2), "message": self.message}


STATUSES = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
"""HTTP status code -> the name in google.rpc.Code of services that answer with a reason."""

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
    """Return a 400: the request is valid, but not in this state of the resource."""
    return ApiError(400, "FAILED_PRECONDITION", message)


def permission_denied(message: str) -> ApiError:
    """Return a 403: the caller or a service agent lacks a permission."""
    return ApiError(403, "PERMISSION_DENIED", message)


def not_found(message: str) -> ApiError:
    """Return a 404: the resource does not exist."""
    return ApiError(404, "NOT_FOUND", message)


def not_acceptable(message: str) -> ApiError:
    """Return a 406: no representation has a media type that the client accepts."""
    return ApiError(406, "INVALID_ARGUMENT", message)


def already_exists(message: str) -> ApiError:
    """Return a 409: the id is taken."""
    return ApiError(409, "ALREADY_EXISTS", message)


def aborted(message: str) -> ApiError:
    """Return a 409: a concurrent change came first."""
    return ApiError(409, "ABORTED", message)


def too_large(message: str) -> ApiError:
    """Return a 413: the body is over the limit."""
    return ApiError(413, "INVALID_ARGUMENT", message)


def resource_exhausted(message: str) -> ApiError:
    """Return a 429: a quota or rate limit is exceeded."""
    return ApiError(429, "RESOURCE_EXHAUSTED", message)


def insufficient_storage(message: str) -> ApiError:
    """Return a 507: the disk is full. Clients do not retry it, as they would a 429 or 503."""
    return ApiError(507, "RESOURCE_EXHAUSTED", message)


def internal(message: str) -> ApiError:
    """Return a 500: an unexpected error."""
    return ApiError(500, "INTERNAL", message)


def data_loss(message: str) -> ApiError:
    """Return a 500: stored data is lost."""
    return ApiError(500, "DATA_LOSS", message)


def unimplemented(message: str) -> ApiError:
    """Return a 501: the emulator does not implement the method or field."""
    return ApiError(501, "UNIMPLEMENTED", message)


def unavailable(message: str) -> ApiError:
    """Return a 503: a backend is unavailable."""
    return ApiError(503, "UNAVAILABLE", message)
