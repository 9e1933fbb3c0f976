"""Which calls go wrong, and how."""

import fnmatch
import itertools
import threading
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any

from emulator.bigquery.errors import BigQueryError
from emulator.errors import ApiError, invalid_argument, not_found
from emulator.storage.errors import StorageError

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
"""HTTP code -> the status that Google's errors carry with it."""
# BigQuery's client goes by the reason, not by the code:
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
LONGEST_DELAY = 600.0
"""Seconds that an answer may be late."""


@dataclass(frozen=True)
class Fault:
    """One fault.

    Attributes:
        method: Which calls: a method of a discovery document, such as
            `healthcare.projects.locations.datasets.get`, with * for any part.
        status: The HTTP code to answer; None to let the call be answered.
        message: The message of that answer.
        retry_after: Seconds for its header Retry-After; none if None.
        delay: Seconds before the call is answered or refused.
        cut: Bytes of the answer after which the connection breaks; None for a whole answer.
        times: How many calls go wrong; None for all.
        every: Only one call in so many goes wrong, the first one first.
    """

    method: str
    status: int | None = None
    message: str = "fault on demand"
    retry_after: int | None = None
    delay: float = 0.0
    cut: int | None = None
    times: int | None = None
    every: int = 1

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> "Fault":
        """Read a fault.

        Raises:
            ApiError: 400, naming the field that can't be used.
        """
        unknown = sorted(set(body) - set(cls.__dataclass_fields__))
        if unknown:
            known = ", ".join(cls.__dataclass_fields__)
            raise invalid_argument(f"a fault has no {', '.join(unknown)}; it has {known}")
        for name, kinds in _KINDS.items():
            value = body.get(name)
            if value is not None and (not isinstance(value, kinds) or isinstance(value, bool)):
                raise invalid_argument(f"{name} of a fault can't be {value!r}")
        if not body.get("method"):
            raise invalid_argument("a fault needs a method, such as healthcare.*.datasets.get")
        fault = cls(**body)
        fault.check()
        return fault

    def check(self) -> None:
        """Refuse what makes no sense.

        Raises:
            ApiError: 400.
        """
        if self.status is not None and self.status not in STATUSES:
            raise invalid_argument(f"status {self.status}: one of {', '.join(map(str, STATUSES))}")
        if self.status is None and not self.delay and self.cut is None:
            raise invalid_argument("a fault does nothing without a status, a delay or a cut")
        if not 0 <= self.delay <= LONGEST_DELAY:
            raise invalid_argument(f"delay {self.delay}: 0 to {LONGEST_DELAY:.0f} seconds")
        for name in ("cut", "retry_after"):
            if (getattr(self, name) or 0) < 0:
                raise invalid_argument(f"{name} can't be negative")
        if self.every < 1 or (self.times is not None and self.times < 1):
            raise invalid_argument("times and every count from 1")

    def error(self, method: str) -> ApiError | None:
        """The error that a call of a method is answered with, in the shape of its service."""
        if self.status is None:
            return None
        status = STATUSES[self.status]
        if method.startswith("bigquery."):
            reason = _BIGQUERY_REASONS.get(self.status, "backendError")
            return BigQueryError(self.status, reason, self.message, status)
        if method.startswith("storage."):
            return StorageError(self.status, self.message, _STORAGE_REASONS.get(self.status, ""))
        return ApiError(self.status, status, self.message)

    @property
    def phrase(self) -> str:
        """The fault in words."""
        parts = [] if self.status is None else [f"{self.status} {HTTPStatus(self.status).phrase}"]
        parts += [f"{self.delay:g} s late"] if self.delay else []
        parts += [] if self.cut is None else [f"cut off after {self.cut} bytes"]
        often = "" if self.every == 1 else f", one call in {self.every}"
        return ", ".join(parts) + often


_KINDS: dict[str, tuple[type, ...]] = {
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
    """The faults in force. They are not kept over a restart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._faults: dict[int, Fault] = {}
        self._met: dict[int, int] = {}
        self._done: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._faults)

    def add(self, fault: Fault) -> int:
        """Put a fault in force; gives its number."""
        with self._lock:
            number = next(self._numbers)
            self._faults[number] = fault
            self._met[number] = self._done[number] = 0
            return number

    def clear(self, numbers: Iterable[int] = ()) -> None:
        """Take faults out of force; all of them if none is named.

        Raises:
            ApiError: 404 for a number that no fault has.
        """
        with self._lock:
            wanted = list(numbers) or list(self._faults)
            missing = [number for number in wanted if number not in self._faults]
            if missing:
                raise not_found(f"there is no fault {', '.join(map(str, missing))}")
            for number in wanted:
                del self._faults[number]

    def listed(self) -> list[dict[str, Any]]:
        """Every fault with its number, what it met and what it broke, as JSON."""
        with self._lock:
            return [
                {
                    "number": number,
                    **asdict(fault),
                    "phrase": fault.phrase,
                    "met": self._met[number],
                    "broken": self._done[number],
                }
                for number, fault in self._faults.items()
            ]

    def meets(self, method: str) -> Fault | None:
        """The fault that a call of a method meets, which counts as met; the oldest one first."""
        with self._lock:
            for number, fault in self._faults.items():
                if not fnmatch.fnmatchcase(method, fault.method):
                    continue
                if fault.times is not None and self._done[number] >= fault.times:
                    continue
                self._met[number] += 1
                if (self._met[number] - 1) % fault.every == 0:
                    self._done[number] += 1
                    return fault
        return None
