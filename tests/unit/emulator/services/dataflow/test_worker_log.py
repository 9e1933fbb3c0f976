"""The last error in the log of a container: of severity ERROR, a traceback, a line of argparse."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.core.database import STATE_FILE, Database
from emulator.migrations import MIGRATIONS
from emulator.services.containers.output import parse
from emulator.services.dataflow import worker_log
from emulator.services.dataflow.worker_log import last_error
from emulator.services.logging.entries import Entries

COUNTERS = '{"severity": "INFO", "message": "counters", "counters": {"stored": 7}}'
ERROR = '{"severity": "ERROR", "message": "No such table: p.d.t"}'
TRACEBACK = [
    "Traceback (most recent call last):",
    '  File "/app/pipelines/ingest/__main__.py", line 61, in main',
    "    running.run(options)",
    "ValueError: no",
    "more of it",
]


def of(lines: Sequence[str]) -> str:
    return last_error(map(parse, lines))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([], ""),
        ([COUNTERS, "Beam has started."], ""),
        ([ERROR, COUNTERS], "No such table: p.d.t"),
        (['{"severity": "ERROR", "message": "a", "exception": "OSError"}', "b"], "a (OSError)"),
        (['{"severity": "CRITICAL", "message": "a", "of": 1}', COUNTERS], "a"),
        ([*TRACEBACK, ERROR], "No such table: p.d.t"),
        ([ERROR, *TRACEBACK], "\n".join(TRACEBACK)),
        ([*TRACEBACK[:3], COUNTERS, *TRACEBACK[3:]], "\n".join(TRACEBACK)),
        (["KeyError: 1", *TRACEBACK, "", "During", *TRACEBACK[:4]], "\n".join(TRACEBACK[:4])),
        (["usage: ingest [-h]", "ingest: error: no --store"], "ingest: error: no --store"),
        ([ERROR, "ingest: error: no --store"], "No such table: p.d.t"),
    ],
)
def test_the_last_error_is_found(lines: list[str], expected: str) -> None:
    assert of(lines) == expected


def test_a_long_traceback_keeps_its_beginning_and_its_end() -> None:
    found = of([TRACEBACK[0], *['  File "x.py"'] * 10_000, "ValueError: no"])
    assert len(found) < worker_log.MAX_CHARACTERS + 10
    assert (found.splitlines()[0], found.splitlines()[-1]) == (TRACEBACK[0], "ValueError: no")


def test_entries_are_those_of_one_job_since_a_time(tmp_path: Path) -> None:
    entries = Entries(Database(tmp_path / STATE_FILE, MIGRATIONS))
    job = {"id": "j1", "projectId": "p"}

    def entry(id_: str, second: int) -> dict[str, Any]:
        return {
            "logName": "projects/p/logs/dataflow.googleapis.com%2Fworker",
            "resource": {"type": "dataflow_step", "labels": {"job_id": id_}},
            "timestamp": f"2026-12-01T00:00:0{second}Z",
            "textPayload": f"{id_} {second}",
        }

    entries.write([entry("j1", 1), entry("j2", 2), entry("j1", 3)])
    assert [one["textPayload"] for one in worker_log.of_job(entries, job)] == ["j1 1", "j1 3"]
    late = worker_log.of_job(entries, job, "2026-12-01T00:00:02.000000Z")
    assert [one["textPayload"] for one in late] == ["j1 3"]
