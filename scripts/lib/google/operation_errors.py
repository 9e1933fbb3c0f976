"""Items that an operation could not handle, from Cloud Logging.

https://cloud.google.com/healthcare-api/docs/how-tos/logging: entries appear some seconds after the
operation has ended, and where many items failed the service logs a part of them only.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.lib.google.operations import Operation

SHOWN = 5
MAX_WAIT_SECONDS = 20.0
PAUSE_SECONDS = 1.0
_PAGE_SIZE = 1000


@dataclass(frozen=True)
class Failure:
    """One item: its URI or resource name, and the service's text."""

    source: str
    error: str

    def to_json(self) -> dict[str, str]:
        """Return the shape of `--json`."""
        return asdict(self)


def read(operation: Operation) -> list[Failure]:
    """Read the failures of an operation, by their sources.

    Waits for entries that have not appeared yet, `MAX_WAIT_SECONDS` at most.

    Raises:
        ScriptError: Cloud Logging refused; the caller needs roles/logging.viewer
    """
    logging = clients.cloud_logging()
    ends = time.monotonic() + MAX_WAIT_SECONDS
    with translate_errors(f"reading the errors of {operation.name} in Cloud Logging"):
        while True:
            found = {failure.source: failure for failure in _entries(logging, operation.name)}
            if len(found) >= operation.failure or time.monotonic() + PAUSE_SECONDS > ends:
                return sorted(found.values(), key=lambda failure: failure.source)
            time.sleep(PAUSE_SECONDS)


def _entries(logging: Any, operation: str) -> Iterator[Failure]:
    body: dict[str, Any] = {
        "resourceNames": ["/".join(operation.split("/")[:2])],
        "filter": f'operation.id="{operation}" AND severity>=ERROR',
        "pageSize": _PAGE_SIZE,
    }
    while True:
        page = retry.call(lambda: logging.entries().list(body=body).execute())
        for entry in page.get("entries", []):
            yield _failure(entry.get("jsonPayload", {}))
        if not page.get("nextPageToken"):
            return
        body["pageToken"] = page["nextPageToken"]


def _failure(payload: dict[str, Any]) -> Failure:
    """Read a payload: entries of imports name a source, of exports a resource or a destination."""
    named = (payload.get(key) for key in ("source", "resourceName", "destination"))
    source = next(filter(None, named), "")
    return Failure(str(source), str(payload.get("error", {}).get("message", "")))
