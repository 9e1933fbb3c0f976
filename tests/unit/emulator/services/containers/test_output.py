"""Lines of a container as entries of Cloud Logging."""

import json
import sqlite3
from typing import Any

import pytest

from emulator.cloud import Cloud
from emulator.services.containers import output
from emulator.services.containers.models import Logs
from emulator.services.containers.output import MAX_LINE_BYTES, Output
from emulator.services.logging.entries import Entries

LOGS = Logs("cloud_run_job", {"job_name": "j"}, "run.googleapis.com/stdout", "e", {"a": "b"})


def entries(cloud: Cloud) -> list[dict[str, Any]]:
    return [entry for _, entry in cloud.logging.entries.page(["p"], None, 100)]


def written(cloud: Cloud, *chunks: bytes) -> list[dict[str, Any]]:
    log = Output(cloud.logging.entries, "p", LOGS, LOGS.stdout)
    for chunk in chunks:
        log.feed(chunk)
    log.close()
    return entries(cloud)


@pytest.mark.parametrize(
    ("line", "entry"),
    [
        ("plain text", {"textPayload": "plain text"}),
        ("[1, 2]", {"textPayload": "[1, 2]"}),
        ('{"half": ', {"textPayload": '{"half": '}),
        ('{"severity": "warning", "message": "m"}', {"severity": "WARNING", "textPayload": "m"}),
        (
            '{"severity": "INFO", "message": "m", "n": 1}',
            {"severity": "INFO", "jsonPayload": {"message": "m", "n": 1}},
        ),
        ('{"severity": "loud"}', {"jsonPayload": {"severity": "loud"}}),
        (
            '{"time": "2026-01-02T03:04:05+01:00", "a": 1}',
            {"timestamp": "2026-01-02T02:04:05.000000Z", "jsonPayload": {"a": 1}},
        ),
        ('{"time": "soon", "a": 1}', {"jsonPayload": {"time": "soon", "a": 1}}),
        (
            '{"a": 1, "httpRequest": {"status": 200}, "logging.googleapis.com/trace": "t",'
            ' "logging.googleapis.com/labels": {"k": 1}}',
            {
                "jsonPayload": {"a": 1},
                "httpRequest": {"status": 200},
                "trace": "t",
                "labels": {"k": "1"},
            },
        ),
    ],
)
def test_a_line_becomes_the_fields_of_an_entry(line: str, entry: dict[str, Any]) -> None:
    assert output.parse(line) == entry


def test_entries_have_the_resource_and_the_labels_of_the_container(cloud: Cloud) -> None:
    line = json.dumps({"n": 1, "logging.googleapis.com/labels": {"c": "d"}}).encode()
    (entry,) = written(cloud, line + b"\n")
    assert entry["logName"] == "projects/p/logs/run.googleapis.com%2Fstdout"
    assert entry["resource"] == {"type": "cloud_run_job", "labels": {"job_name": "j"}}
    assert entry["labels"] == {"a": "b", "c": "d"}


def test_lines_are_put_together_from_what_is_read(cloud: Cloud) -> None:
    found = written(cloud, b"one\r\ntw", b"o\n\n  \nthr", b"ee \xff")
    assert [entry["textPayload"] for entry in found] == ["one", "two", "three �"]


def test_a_long_line_becomes_several_entries(cloud: Cloud) -> None:
    found = written(cloud, b"x" * (MAX_LINE_BYTES + 10) + b"\nend\n")
    assert [len(entry["textPayload"]) for entry in found] == [MAX_LINE_BYTES, 10, 3]


def test_lines_that_the_disk_refuses_are_written_later(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Entries.write

    def refuse(*_: object, **__: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    log = Output(cloud.logging.entries, "p", LOGS, LOGS.stdout)
    log.feed(b"line\n" * output.MAX_PENDING)
    monkeypatch.setattr(Entries, "write", refuse)
    log.write_due()
    assert entries(cloud) == []
    monkeypatch.setattr(Entries, "write", write)
    log.write_due()
    assert len(entries(cloud)) == 100
