"""The filter language of `entries.list`.

Documented: https://cloud.google.com/logging/docs/view/logging-query-language. Not served: `sample`,
`ip_in_net`, `cast`, `regexp_extract` and comments.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from emulator.core.list_filter.fields import Enumeration, Test, Text, Timestamp, Value, search
from emulator.core.list_filter.grammar import AND, NOT, OR, SEQUENCE
from emulator.core.list_filter.table import BareTerm, FieldTable

SEVERITIES = (
    "DEFAULT",
    "DEBUG",
    "INFO",
    "NOTICE",
    "WARNING",
    "ERROR",
    "CRITICAL",
    "ALERT",
    "EMERGENCY",
)
_TEXT = Text(ignore_case=True)


@dataclass(frozen=True)
class PayloadValue:
    """A value of a payload: compared as a number where the filter names one, else as a text."""

    operators: frozenset[str] = _TEXT.operators

    def test(self, sign: str, wanted: str) -> Test:
        """Return the test of a comparison."""
        try:
            float(wanted)
        except ValueError:
            return _TEXT.test(sign, wanted)
        return (_TEXT if sign in ("=~", "!~", ":") else Value()).test(sign, wanted)


def _log_id(arguments: Sequence[str]) -> Callable[[Mapping[str, Any]], bool]:
    if len(arguments) != 1:
        raise ValueError("it takes one argument, the id of a log")
    return lambda entry: log_id(entry["logName"]) == arguments[0]


def _search(arguments: Sequence[str]) -> Callable[[Mapping[str, Any]], bool]:
    if len(arguments) != 1:
        raise ValueError("it takes one argument, a text")
    return lambda entry: search(entry, arguments[0])


def log_id(log_name: str) -> str:
    """Return the id of a log: the last part of its name, decoded."""
    return unquote(log_name.rpartition("/")[2])


ENTRIES = FieldTable(
    usage='an example: resource.type="healthcare_dicom_store" AND severity>=ERROR',
    fields={
        "logName": _TEXT,
        "insertId": _TEXT,
        "timestamp": Timestamp(),
        "receiveTimestamp": Timestamp(),
        "severity": Enumeration(SEVERITIES),
        "textPayload": _TEXT,
        "trace": _TEXT,
        "spanId": _TEXT,
        "resource.type": _TEXT,
        "resource.labels.*": _TEXT,
        "labels.*": _TEXT,
        "operation.**": PayloadValue(),
        "sourceLocation.**": PayloadValue(),
        "httpRequest.**": PayloadValue(),
        "jsonPayload.**": PayloadValue(),
        "protoPayload.**": PayloadValue(),
    },
    connectives=frozenset({AND, OR, NOT, SEQUENCE}),
    bare=BareTerm.SEARCH,
    functions={"log_id": _log_id, "SEARCH": _search},
)
