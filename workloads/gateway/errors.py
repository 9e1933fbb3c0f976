"""Refusals of the gateway, in the shape of Google's errors."""

from starlette.responses import JSONResponse

_STATUS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "INVALID_ARGUMENT",
    408: "DEADLINE_EXCEEDED",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


class SettingsError(Exception):
    """Settings that are not valid, in a sentence for people."""


class RefusedError(Exception):
    """A request that is not passed on.

    Args:
        code: the HTTP status code
        message: a sentence for people, without patient data and tokens
        headers: of the response
    """

    def __init__(self, code: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.headers = headers or {}

    def response(self) -> JSONResponse:
        """Return the response of the refusal."""
        error = {"code": self.code, "message": str(self), "status": _STATUS[self.code]}
        headers = {**self.headers, "Cache-Control": "no-store"}
        return JSONResponse({"error": error}, self.code, headers)
