"""The files that an import could not take, where the service tells them in a readable log."""

from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from scripts.common import clients, retrying
from scripts.common.errors import translated

SHOWN = 5
READ_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Failure:
    """One file: its URI, and the service's text."""

    source: str
    error: str

    def to_json(self) -> dict[str, str]:
        """Give the shape of `--json`."""
        return asdict(self)


def readable(logs_url: str) -> bool:
    """Tell whether the log is served by the API itself, rather than by a console for people."""
    root = clients.endpoint("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT")
    return bool(root and logs_url) and urlsplit(logs_url).netloc == urlsplit(root).netloc


def read(logs_url: str) -> list[Failure]:
    """Read the failures behind an operation's logsUrl, if a program can.

    Raises:
        ScriptError: the log is readable but did not answer.
    """
    if not readable(logs_url):
        return []
    with translated(f"reading the log {logs_url}"):
        session = clients.session()

        def attempt() -> Any:
            answer = session.get(logs_url, timeout=READ_TIMEOUT_SECONDS)
            answer.raise_for_status()
            return answer

        answer = retrying.call(attempt)
    return [_failure(entry) for entry in answer.json().get("entries", [])]


def _failure(entry: dict[str, object]) -> Failure:
    """Read a log entry: `source` and `error`, as in Cloud Logging's jsonPayload."""
    payload = entry.get("jsonPayload", entry)
    assert isinstance(payload, dict)
    return Failure(str(payload.get("source", "")), str(payload.get("error", "")))
