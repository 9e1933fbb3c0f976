"""The log: lines of JSON as Cloud Logging reads them, without the text of exceptions."""

import threading
from collections.abc import Callable
from typing import Any

from workloads.common import logs
from workloads.common.counters import Counters

Lines = Callable[[], list[dict[str, Any]]]


def test_a_line_has_the_fields_of_cloud_logging(logged: Lines) -> None:
    logs.Log("test").warning("message refused", peer="10.0.0.1:5000", bytes=3)
    line = logged()[0]
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "severity": "WARNING",
        "message": "message refused",
        "peer": "10.0.0.1:5000",
        "bytes": 3,
    }


def test_an_exception_is_logged_without_its_text(logged: Lines) -> None:
    try:
        raise ValueError("PID|1|Muster^Anna")
    except ValueError:
        logs.Log("test").exception("crashed")
    [line] = logged()
    assert "Muster" not in str(line)
    assert line["exception"] == "ValueError"
    assert "test_an_exception_is_logged" in line["raised_at"][-1]


def test_counters_are_logged_when_the_workload_stops(logged: Lines) -> None:
    counters, stop = Counters(), threading.Event()
    counters.add("received", 2)
    thread = counters.log_every(60, logs.Log("test"), stop)
    stop.set()
    thread.join()
    assert logged()[0]["counters"] == {"received": 2}
