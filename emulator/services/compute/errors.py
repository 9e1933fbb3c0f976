"""Errors as Compute Engine writes them: with a reason, in a list of one.

Observed in public reports of clients: the texts, the reasons and their HTTP codes.
"""

from collections.abc import Mapping
from typing import Any

from emulator.core.errors import STATUSES, ApiError

_REASONS = {
    "ALREADY_EXISTS": "alreadyExists",
    "FAILED_PRECONDITION": "conditionNotMet",
    "INTERNAL": "internalError",
    "NOT_FOUND": "notFound",
    "PERMISSION_DENIED": "forbidden",
    "RESOURCE_EXHAUSTED": "rateLimitExceeded",
    "UNAVAILABLE": "backendError",
    "UNIMPLEMENTED": "notImplemented",
}
_DISABLED = "SERVICE_DISABLED"


class ComputeError(ApiError):
    """An error with the reason that clients of Compute Engine look at.

    Attributes:
        reason: such as `notFound`
        domain: of the reason
    """

    def __init__(
        self, code: int, reason: str, message: str, *, cause: ApiError | None = None
    ) -> None:
        status = cause.status if cause else STATUSES.get(code, "UNKNOWN")
        super().__init__(code, status, message, cause.details if cause else None)
        self.reason = reason
        self.domain = "usageLimits" if reason == "accessNotConfigured" else "global"

    def body(self) -> dict[str, Any]:
        """Return the JSON body of the answer."""
        first = {"message": self.message, "domain": self.domain, "reason": self.reason}
        error: dict[str, Any] = {"code": self.code, "message": self.message, "errors": [first]}
        if self.details:
            error |= {"status": self.status, "details": self.details}
        return {"error": error}


def render(error: ApiError) -> ApiError:
    """Return an error of the shared parts in the shape of Compute Engine."""
    if isinstance(error, ComputeError):
        return error
    disabled = any(detail.get("reason") == _DISABLED for detail in error.details)
    reason = "accessNotConfigured" if disabled else _REASONS.get(error.status, "invalid")
    return ComputeError(error.code, reason, error.message, cause=error)


def not_found(name: str) -> ComputeError:
    """404: a resource does not exist."""
    return ComputeError(404, "notFound", f"The resource '{name}' was not found")


def already_exists(name: str) -> ComputeError:
    """409: the name is taken."""
    return ComputeError(409, "alreadyExists", f"The resource '{name}' already exists")


def in_use(noun: str, name: str, user: str) -> ComputeError:
    """400: another resource refers to the one that is to be deleted.

    Args:
        noun: what the resource is, such as `instance_template`
        name: of the resource
        user: the name of the other one
    """
    return ComputeError(
        400,
        "resourceInUseByAnotherResource",
        f"The {noun} resource '{name}' is already being used by '{user}'",
    )


def invalid(field: str, value: object, reason: str) -> ComputeError:
    """400: a field has a value that it can't have.

    Args:
        field: its path in the request, such as `resource.name`
        value: what was sent
        reason: a sentence that says what it must be
    """
    return ComputeError(400, "invalid", f"Invalid value for field '{field}': '{value}'. {reason}")


def required(field: str) -> ComputeError:
    """400: a field is missing."""
    return ComputeError(400, "required", f"Required field '{field}' not specified")


def check_fingerprint(given: Mapping[str, Any], present: str | None, field: str) -> None:
    """Refuse a change of a resource that was changed since the client read it.

    Args:
        given: the body of the request
        present: fingerprint of the resource
        field: that holds the fingerprint

    Raises:
        ComputeError: 412
    """
    if given.get(field) not in (None, "", present):
        message = (
            "Invalid fingerprint."
            if field == "fingerprint"
            else "Labels fingerprint either invalid or resource labels have changed"
        )
        raise ComputeError(412, "conditionNotMet", message)
