"""Structured logs: a JSON object per line on standard error, in the format of Cloud Logging.

The fields `severity`, `message` and `time` are those that the logging agent reads:
https://cloud.google.com/logging/docs/structured-logging. No patient data is logged: callers log
identifiers of their own choice, and of an exception the log has its type and where it was raised,
but not its text, which may quote a message.
"""

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

_LOGGER = "workloads"


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        line: dict[str, Any] = {
            "severity": record.levelname,
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "message": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["raised_at"] = _frames(record.exc_info[2])
        return json.dumps(line, default=str)


def configure(stream: TextIO | None = None) -> None:
    """Write the log of the workload to a stream, by default to standard error."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger(_LOGGER)
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    root.propagate = False


class Log:
    """The log of a part of a workload: `log.info("connected", peer="10.0.0.1:2575")`."""

    def __init__(self, part: str) -> None:
        self._logger = logging.getLogger(f"{_LOGGER}.{part}")

    def info(self, message: str, **fields: Any) -> None:
        """Log an event of normal work."""
        self._logger.info(message, extra={"fields": fields})

    def warning(self, message: str, **fields: Any) -> None:
        """Log an event that a person may want to look at."""
        self._logger.warning(message, extra={"fields": fields})

    def error(self, message: str, **fields: Any) -> None:
        """Log a failure."""
        self._logger.error(message, extra={"fields": fields})

    def exception(self, message: str, **fields: Any) -> None:
        """Log the type and the frames of the current exception."""
        self._logger.exception(message, extra={"fields": fields})


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
