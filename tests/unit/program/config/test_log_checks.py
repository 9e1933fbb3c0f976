"""Errors between the settings of audit logs."""

from typing import Any

import pytest

from program.config.log_checks import log_errors

KEYS = {key: key for key in ("auditLogSink", "accessAlert", "auditLogs")}
ALERT = {"allowedDomains": ["example.com"], "emails": ["a@example.com"]}


@pytest.mark.parametrize(
    ("raw", "key", "text"),
    [
        ({"auditLogSink": {"name": "s"}}, "auditLogSink.destination", "is missing"),
        (
            {"accessAlert": {"emails": ["a@example.com"]}, "auditLogs": ["DATA_READ"]},
            "accessAlert",
            "lists no principal",
        ),
        (
            {"accessAlert": {"allowedDomains": ["e.com"]}, "auditLogs": ["DATA_READ"]},
            "accessAlert",
            "notifies no address",
        ),
        ({"accessAlert": ALERT}, "accessAlert", "reads are not logged"),
    ],
)
def test_errors(raw: dict[str, Any], key: str, text: str) -> None:
    [error] = log_errors(raw, KEYS)
    assert error.key == key
    assert text in error.message


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"auditLogSink": {}, "accessAlert": {}},
        {"auditLogSink": {"destination": "gs://logs"}},
        {"accessAlert": ALERT, "auditLogs": ["DATA_READ"]},
    ],
)
def test_valid_settings(raw: dict[str, Any]) -> None:
    assert list(log_errors(raw, KEYS)) == []
