"""Errors as Cloud Storage answers them: with a reason, which its clients go by.

https://cloud.google.com/storage/docs/json_api/v1/status-codes

Inferred (conformance: storage-missing-text): the text of a refusal.
"""

from typing import Any

from emulator.core.errors import STATUSES, ApiError

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
        super().__init__(code, STATUSES.get(code, "UNKNOWN"), message)
        self.reason = reason or _REASONS.get(code, "invalid" if code < 500 else "internalError")

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        entry = {"message": self.message, "domain": "global", "reason": self.reason}
        return {"error": {"code": self.code, "message": self.message, "errors": [entry]}}


def to_storage_error(error: ApiError) -> StorageError:
    """Return an error in the shape of Cloud Storage."""
    return error if isinstance(error, StorageError) else StorageError(error.code, error.message)


def no_bucket() -> StorageError:
    """Return a 404: the bucket does not exist."""
    return StorageError(404, "The specified bucket does not exist.")


def condition_not_met() -> StorageError:
    """412: the resource is not in the state that the request names."""
    return StorageError(412, "At least one of the pre-conditions you specified did not hold.")
