"""Injected faults: which calls fail, and how."""

import fnmatch
import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from emulator.core.discovery import method_ids
from emulator.core.errors import ApiError, invalid_argument, not_found
from emulator.services.bigquery.errors import BigQueryError
from emulator.services.compute.errors import render as compute_error
from emulator.services.storage.errors import StorageError

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
"""The status that Google's errors carry with each HTTP code."""
# BigQuery's client decides by the reason, not by the code:
# https://cloud.google.com/bigquery/docs/error-messages
_BIGQUERY_REASONS = {
    400: "invalid",
    401: "authError",
    403: "accessDenied",
    404: "notFound",
    409: "duplicate",
    429: "rateLimitExceeded",
    500: "internalError",
}
_STORAGE_REASONS = {401: "required", 429: "rateLimitExceeded"}
MAX_DELAY_SECONDS = 600.0
"""The longest delay of a response, in seconds."""


@dataclass(frozen=True)
class Fault:
    """A fault and the calls that it applies to.

    Attributes:
        method: a method of a discovery document, such as
            `healthcare.projects.locations.datasets.get`, with * for any part
        status: the HTTP code to return; None to serve the call
        message: the message of that error
        retry_after: the header Retry-After of that error, in seconds; None for no header
        delay: seconds before the response
        cut: bytes of the response after which the connection is closed; None for a whole response
        times: the number of calls that fail; None for all
        every: one call in so many fails, beginning with the first
    """

    method: str
    status: int | None = None
    message: str = "injected fault"
    retry_after: int | None = None
    delay: float = 0.0
    cut: int | None = None
    times: int | None = None
    every: int = 1

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Fault":
        """Return the fault of a request.

        Raises:
            ApiError: 400, naming the invalid field.
        """
        unknown = sorted(set(body) - set(cls.__dataclass_fields__))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise invalid_argument(
                f"{', '.join(unknown)} is not a field of a fault. The fields are {known}."
            )
        for name, types in _TYPES.items():
            value = body.get(name)
            if value is not None and (not isinstance(value, types) or isinstance(value, bool)):
                raise invalid_argument(f"{value!r} is not a valid {name} of a fault.")
        if not body.get("method"):
            raise invalid_argument("A fault needs a method, such as healthcare.*.datasets.get.")
        if not fnmatch.filter(method_ids(), body["method"]):
            raise invalid_argument(
                f"No method matches {body['method']!r}: docs/methods.md lists the methods, and *"
                " stands for any part."
            )
        fault = cls(**body)
        fault.check()
        return fault

    def check(self) -> None:
        """Refuse values out of range, and a fault without an effect.

        Raises:
            ApiError: 400.
        """
        if self.status is not None and self.status not in STATUSES:
            raise invalid_argument(
                f"status {self.status} is not one of {', '.join(map(str, STATUSES))}."
            )
        if self.status is None and not self.delay and self.cut is None:
            raise invalid_argument("A fault needs a status, a delay or a cut.")
        if not 0 <= self.delay <= MAX_DELAY_SECONDS:
            raise invalid_argument(
                f"delay {self.delay} is not between 0 and {MAX_DELAY_SECONDS:.0f} seconds."
            )
        for name in ("cut", "retry_after"):
            if (getattr(self, name) or 0) < 0:
                raise invalid_argument(f"{name} must not be negative.")
        if self.every < 1 or (self.times is not None and self.times < 1):
            raise invalid_argument("times and every must be at least 1.")

    def error(self, method: str) -> ApiError | None:
        """Return the error for a call of a method, in the shape of its service."""
        if self.status is None:
            return None
        status = STATUSES[self.status]
        if method.startswith("bigquery."):
            reason = _BIGQUERY_REASONS.get(self.status, "backendError")
            return BigQueryError(self.status, reason, self.message, status)
        if method.startswith("storage."):
            return StorageError(self.status, self.message, _STORAGE_REASONS.get(self.status, ""))
        error = ApiError(self.status, status, self.message)
        return compute_error(error) if method.startswith("compute.") else error

    @property
    def phrase(self) -> str:
        """A short description of the fault."""
        parts = [] if self.status is None else [f"{self.status} {HTTPStatus(self.status).phrase}"]
        parts += [f"{self.delay:g} s late"] if self.delay else []
        parts += [] if self.cut is None else [f"cut off after {self.cut} bytes"]
        often = "" if self.every == 1 else f", one call in {self.every}"
        return ", ".join(parts) + often


_TYPES: dict[str, tuple[type, ...]] = {
    "method": (str,),
    "status": (int,),
    "message": (str,),
    "retry_after": (int,),
    "delay": (int, float),
    "cut": (int,),
    "times": (int,),
    "every": (int,),
}


class Faults:
    """The active faults. A restart removes them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._matched: dict[int, int] = {}
        self._injected: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> int:
        """Activate a fault, and return its number."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = fault
            self._matched[number] = self._injected[number] = 0
            return number

    def clear(self, numbers: Iterable[int] = ()) -> None:
        """Remove faults; all of them if none is named.

        Raises:
            ApiError: 404 for an unknown number.
        """
        with self._lock:
            wanted = list(numbers) or list(self._faults)
            missing = [number for number in wanted if number not in self._faults]
            if missing:
                raise not_found(f"Fault {', '.join(map(str, missing))} does not exist.")
            for number in wanted:
                del self._faults[number]

    def to_json(self) -> list[dict[str, Any]]:
        """Return every fault with its number, and how many calls it matched and made fail."""
        with self._lock:
            return [
                {
                    "number": number,
                    **asdict(fault),
                    "phrase": fault.phrase,
                    "met": self._matched[number],
                    "broken": self._injected[number],
                }
                for number, fault in self._faults.items()
            ]

    def match(self, method: str) -> Fault | None:
        """Return the oldest fault to inject into a call of a method, and count it."""
        with self._lock:
            for number, fault in self._faults.items():
                if not fnmatch.fnmatchcase(method, fault.method):
                    continue
                if fault.times is not None and self._injected[number] >= fault.times:
                    continue
                self._matched[number] += 1
                if (self._matched[number] - 1) % fault.every == 0:
                    self._injected[number] += 1
                    return fault
        return None
