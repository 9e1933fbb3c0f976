"""The output of a container as entries of Cloud Logging.

Documented (https://cloud.google.com/logging/docs/structured-logging and
https://cloud.google.com/run/docs/logging#container-logs): a line that is a JSON object becomes
`jsonPayload`, but for the fields of the entry that it may name; any other line `textPayload`.
"""

import json
import logging
import sqlite3
import time
from typing import Any

from emulator.core import timestamps
from emulator.services.containers.models import Logs
from emulator.services.logging.entries import Entries, Entry, sortable
from emulator.services.logging.entry_filter import SEVERITIES

LOG = logging.getLogger(__name__)
MAX_LINE_BYTES = 200 << 10
"""Of a line in one entry, below the limit of an entry; a longer line becomes several."""
MAX_PENDING = 1000
"""Lines that wait to be written before no more output is read."""
_WAIT_SECONDS = 0.2
"""The longest wait of a line for those after it, with which it is written."""
_PREFIX = "logging.googleapis.com/"
_FIELDS = {
    "httpRequest": ("httpRequest", dict),
    f"{_PREFIX}insertId": ("insertId", str),
    f"{_PREFIX}labels": ("labels", dict),
    f"{_PREFIX}operation": ("operation", dict),
    f"{_PREFIX}sourceLocation": ("sourceLocation", dict),
    f"{_PREFIX}spanId": ("spanId", str),
    f"{_PREFIX}trace": ("trace", str),
    f"{_PREFIX}trace_sampled": ("traceSampled", bool),
}
"""Field of a line -> the field of the entry that it becomes, and its type."""


class Output:
    """One stream of a container, as a log.

    Args:
        entries: of all projects
        project: the id of the container's project
        logs: its monitored resource and labels
        log: the id of the log, such as `run.googleapis.com/stdout`
    """

    def __init__(self, entries: Entries, project: str, logs: Logs, log: str) -> None:
        self._entries = entries
        self._common: Entry = {
            "logName": f"projects/{project}/logs/{log.replace('/', '%2F')}",
            "resource": {"type": logs.resource_type, "labels": {**logs.resource_labels}},
            **({"labels": {**logs.labels}} if logs.labels else {}),
        }
        self._rest = b""
        self._pending: list[Entry] = []
        self._oldest = 0.0

    @property
    def is_full(self) -> bool:
        """Whether as many lines wait as may."""
        return len(self._pending) >= MAX_PENDING

    def feed(self, data: bytes) -> None:
        """Take what the container wrote."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        while len(self._rest) > MAX_LINE_BYTES:
            lines.append(self._rest[:MAX_LINE_BYTES])
            self._rest = self._rest[MAX_LINE_BYTES:]
        for line in lines:
            self._add(line)

    def write_due(self) -> None:
        """Write the lines that have waited long enough, or that are many."""
        if self._pending and (self.is_full or time.monotonic() - self._oldest > _WAIT_SECONDS):
            self._write()

    def close(self) -> None:
        """Write all lines, and the last one even if it has no end."""
        self._add(self._rest)
        self._rest = b""
        if self._pending and not self._write():
            LOG.error("%d lines of %s are lost", len(self._pending), self._common["logName"])

    def _add(self, line: bytes) -> None:
        for start in range(0, len(line), MAX_LINE_BYTES):
            text = line[start : start + MAX_LINE_BYTES].decode(errors="replace").rstrip("\r")
            if text.strip():
                self._oldest = self._oldest if self._pending else time.monotonic()
                self._pending.append(self._entry(text))

    def _entry(self, text: str) -> Entry:
        # The time of the line, and not that of the write, keeps the order of several streams.
        parsed = {"timestamp": timestamps.now(), **parse(text)}
        labels = {**self._common.get("labels", {}), **parsed.get("labels", {})}
        return {**self._common, **parsed, **({"labels": labels} if labels else {})}

    def _write(self) -> bool:
        """Write the lines that wait; return whether the disk took them."""
        try:
            self._entries.write(self._pending)
        except sqlite3.Error as error:
            LOG.warning("the lines of %s wait: %s", self._common["logName"], error)
            self._oldest = time.monotonic()
            return False
        self._pending = []
        return True


def parse(line: str) -> Entry:
    """Return the fields of the entry of a line that depend on it."""
    try:
        given = json.loads(line)
    except ValueError:
        return {"textPayload": line}
    if not isinstance(given, dict):
        return {"textPayload": line}
    entry: Entry = {}
    for name, (field, type_) in _FIELDS.items():
        if isinstance(given.get(name), type_):
            entry[field] = given.pop(name)
    if isinstance(entry.get("labels"), dict):
        entry["labels"] = {key: str(value) for key, value in entry["labels"].items()}
    _move_severity(given, entry)
    _move_time(given, entry)
    if given.keys() == {"message"} and isinstance(given["message"], str):
        return {**entry, "textPayload": given["message"]}
    return {**entry, "jsonPayload": given}


def _move_severity(given: dict[str, Any], entry: Entry) -> None:
    severity = str(given.get("severity", "")).upper()
    if severity in SEVERITIES:
        del given["severity"]
        entry["severity"] = severity


def _move_time(given: dict[str, Any], entry: Entry) -> None:
    """Move `time`, if it is one."""
    try:
        entry["timestamp"] = sortable(given["time"])
    except (KeyError, TypeError, ValueError):
        return
    del given["time"]
