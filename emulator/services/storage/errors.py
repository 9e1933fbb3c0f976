"""Errors as Cloud Storage answers them: with a reason, which its clients go by.

https://cloud.google.com/storage/docs/json_api/v1/status-codes
"""

from typing import Any

from emulator.errors import ApiError

_STATUS = {
    400: "INVALID_ARGUMENT",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    412: "FAILED_PRECONDITION",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
}
_REASONS = {
    400: "invalid",
    403: "forbidden",
    404: "notFound",
    409: "conflict",
    412: "conditionNotMet",
    501: "notImplemented",
    503: "backendError",
}


class StorageError(ApiError):
    """An error with Cloud Storage's reason, such as `notFound`."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(code, _STATUS.get(code, "UNKNOWN"), message)
        self.reason = reason or _REASONS.get(code, "invalid" if code < 500 else "internalError")

    def body(self) -> dict[str, Any]:
        """The JSON body of the answer."""
        entry = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.code, "message": self.message, "errors": [entry]}}


def of(error: ApiError) -> StorageError:
    """Any other error in Cloud Storage's shape."""
    return error if isinstance(error, StorageError) else StorageError(error.code, error.message)


def no_bucket() -> StorageError:
    """404."""
    return StorageError(404, "The specified bucket does not exist.")


def condition_not_met() -> StorageError:
    """412: the resource is not in the state that the request names."""
    return StorageError(412, "At least one of the pre-conditions you specified did not hold.")
