"""The thread that routes new log entries to the destinations of sinks.

Each sink has the number of the last entry that it has seen, so a restart loses no entry. Documented
(https://cloud.google.com/logging/docs/export/troubleshoot): entries that a destination refuses are
lost, and the log `logging.googleapis.com/sink_error` says so.
"""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus

from emulator.core.database import Database
from emulator.core.errors import ApiError
from emulator.core.resources.stored import StoredResources
from emulator.services.log_sinks.destinations import Destinations
from emulator.services.log_sinks.matching import Sink, matches
from emulator.services.logging.entries import Entries, Entry

LOG = logging.getLogger(__name__)
SCHEMA = """
CREATE TABLE sink_progress (
    sink TEXT PRIMARY KEY,
    created TEXT NOT NULL,
    since INTEGER NOT NULL,
    seen INTEGER NOT NULL,
    error TEXT NOT NULL
);
"""
INTERVAL_SECONDS = 0.3
"""Between two looks for new entries."""
BATCH = 500
"""Entries of one look."""
_CLOSING_SECONDS = 10.0


@dataclass(frozen=True)
class _Progress:
    """How far a sink is.

    Attributes:
        since: the number of the last entry before the sink was created
        seen: the number of the last entry that it has routed or left out
        error: why the destination refused its last entries; empty if it did not
    """

    since: int
    seen: int
    error: str


class SinkRouter:
    """Routes entries until it is closed."""

    def __init__(
        self,
        database: Database,
        sinks: StoredResources,
        entries: Entries,
        destinations: Destinations,
    ) -> None:
        self._database = database
        self._sinks = sinks
        self._entries = entries
        self._destinations = destinations
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-sinks", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier process left."""
        self._thread.start()

    def close(self) -> None:
        """Stop after the current entries."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join(_CLOSING_SECONDS)

    def route(self) -> None:
        """Route the new entries of every project."""
        sinks = self._sinks.everywhere()
        for name, sink in sinks.items():
            try:
                self._route(name, sink)
            except ApiError as error:
                LOG.warning("%s waits: %s", name, error.message)

    def _run(self) -> None:
        while not self._closed.wait(INTERVAL_SECONDS):
            try:
                self.route()
            except Exception:
                LOG.exception("the routing of log entries failed")

    def _route(self, name: str, sink: Sink) -> None:
        """Route the next entries of one sink.

        Raises:
            ApiError: the destination is unavailable; the entries wait
        """
        progress = self._progress(name, sink)
        found = self._entries.following(name.split("/")[1], progress.seen, BATCH)
        if not found:
            return
        wanted = [entry for _, entry in found if matches(sink, entry)]
        error = self._write(sink, wanted, progress) if wanted else progress.error
        with self._database.write(durable=False) as connection:
            connection.execute(
                "UPDATE sink_progress SET seen = ?, error = ? WHERE sink = ?",
                (found[-1][0], error, name),
            )

    def _write(self, sink: Sink, wanted: Sequence[Entry], progress: _Progress) -> str:
        """Write entries; return why the destination refused them, or an empty text."""
        try:
            self._destinations.write(sink, wanted, progress.since)
        except ApiError as error:
            if error.code >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise
            if error.message != progress.error:
                self._entries.write([_sink_error(sink, error)], durable=False)
            return error.message
        return ""

    def _progress(self, name: str, sink: Sink) -> _Progress:
        """Return how far a sink is; a new one begins at the last entry."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM sink_progress WHERE sink = ? AND created = ?",
                (name, sink["createTime"]),
            ).fetchone()
        if row is not None:
            return _Progress(row["since"], row["seen"], row["error"])
        last = self._entries.last_before(sink["createTime"])
        with self._database.write(durable=False) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO sink_progress VALUES (?, ?, ?, ?, '')",
                (name, sink["createTime"], last, last),
            )
        return _Progress(last, last, "")


def _sink_error(sink: Sink, error: ApiError) -> Entry:
    project = sink["resourceName"].split("/")[1]
    labels = {"project_id": project, "name": sink["name"], "destination": sink["destination"]}
    return {
        "logName": f"projects/{project}/logs/logging.googleapis.com%2Fsink_error",
        "severity": "ERROR",
        "resource": {"type": "logging_sink", "labels": labels},
        "textPayload": f"Cloud Logging sink configuration error in {project}, including sink "
        f"{sink['name']}: {error.status.lower()} ({error.message})",
    }
