"""The log of a job's container: its entries, and the last error among them.

Observed in Beam's own client (`poll_for_job_completion` in `runners/dataflow/dataflow_runner.py`
looks for it): a message of a failed job has the whole traceback of a worker's exception.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import dropwhile
from typing import Any

from emulator.services.logging.entries import Entries, sortable
from emulator.services.logging.entry_filter import SEVERITIES

STDOUT, STDERR = "dataflow.googleapis.com/launcher", "dataflow.googleapis.com/worker"
MAX_CHARACTERS = 10_000
"""Of a message; a longer traceback loses its middle."""
_ERRORS = frozenset(SEVERITIES[SEVERITIES.index("ERROR") :])
_TRACEBACK = "Traceback (most recent call last):"
_ERROR_LINE = "error: "
"""In the line by which programs end that refuse their command line (argparse)."""

Json = dict[str, Any]


def of_job(entries: Entries, job: Json, since: str = "") -> Iterator[Json]:
    """Yield the entries that the container of a job wrote on standard error, by time.

    Args:
        entries: of all projects
        job: as the API has it
        since: the timestamp of the first one
    """
    log = f"projects/{job['projectId']}/logs/{STDERR.replace('/', '%2F')}"
    for entry in entries.of_hour(log, "", 0):
        is_in_time = not since or sortable(entry["timestamp"]) >= since
        if is_in_time and entry["resource"]["labels"].get("job_id") == job["id"]:
            yield entry


def last_error(entries: Iterable[Json]) -> str:
    """Return the last error: of severity ERROR, a traceback, or else a line that begins with it.

    Args:
        entries: of the log, by time

    Returns:
        The text of the error; empty if there is none.
    """
    logged = ""
    lines: list[str] = []
    for entry in entries:
        text = entry.get("textPayload")
        if entry.get("severity") in _ERRORS:
            logged, lines = _described(entry), []  # it came after the text before it
        elif isinstance(text, str):
            lines.append(text)
    return _traceback(lines) or logged or _error_line(lines)


def _described(entry: Mapping[str, Any]) -> str:
    """Return the message of an entry, with the exception that it names."""
    payload = entry.get("jsonPayload", {})
    message = str(entry.get("textPayload") or payload.get("message", ""))
    exception = payload.get("exception")
    return _cut(f"{message} ({exception})" if exception else message)


def _traceback(lines: Sequence[str]) -> str:
    """Return the last traceback with what follows it; empty if there is none."""
    last = next((n for n in reversed(range(len(lines))) if lines[n].startswith(_TRACEBACK)), None)
    return "" if last is None else _cut("\n".join(lines[last:]))


def _error_line(lines: Sequence[str]) -> str:
    """Return the last line with an error, and those that follow it."""
    backwards = dropwhile(lambda line: _ERROR_LINE not in line, reversed(lines))
    return _cut(next(backwards, ""))


def _cut(text: str) -> str:
    half = MAX_CHARACTERS // 2
    return text if len(text) <= MAX_CHARACTERS else f"{text[:half]}\n...\n{text[-half:]}"
