from collections.abc import Callable
from typing import Any

import pytest

from scripts import export_metadata
from scripts.lib.google import bigquery, clients
from tests.unit.scripts.fakes import (
    OPERATION,
    STORE,
    Answer,
    FakeGoogle,
    Ran,
    operation,
    refusal,
)

Run = Callable[..., Ran]
TABLE = "bq://local-project.dataset1.dicomstore1"

pytestmark = pytest.mark.usefixtures("lab_stack", "counted")


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tables whose 405 rows were counted."""
    asked: list[str] = []

    def count(client: Any, table: bigquery.Table) -> int:
        asked.append(table.uri)
        return 405

    monkeypatch.setattr(clients, "big_query", lambda project, location: None)
    monkeypatch.setattr(bigquery, "row_count", count)
    return asked


def _well(google: FakeGoogle) -> None:
    google.answers = [(200, {"name": OPERATION}), (200, operation(success=405, done=True))]


def test_it_waits_and_counts_the_rows(google: FakeGoogle, run: Run, counted: list[str]) -> None:
    _well(google)
    ran = run(export_metadata.app)
    assert ran.code == 0
    assert ran.out == f"{TABLE} has 405 rows.\n"
    assert counted == [TABLE]
    method, uri, body = google.asked[0]
    assert (method, uri.partition("?")[0].rpartition("/v1/")[2]) == ("POST", f"{STORE}:export")
    destination = {"tableUri": TABLE, "writeDisposition": "WRITE_EMPTY"}
    assert body == {"bigqueryDestination": destination}


@pytest.mark.parametrize("disposition", ["empty", "truncate", "append"])
def test_the_disposition_is_the_apis(google: FakeGoogle, run: Run, disposition: str) -> None:
    _well(google)
    assert run(export_metadata.app, "-w", disposition).code == 0
    sent = google.asked[0][2]["bigqueryDestination"]["writeDisposition"]
    assert sent == f"WRITE_{disposition.upper()}"


def test_json(google: FakeGoogle, run: Run) -> None:
    _well(google)
    shape = run(export_metadata.app, "--json").json
    assert isinstance(shape.pop("seconds"), float)
    assert shape == {
        "operation": OPERATION,
        "done": True,
        "success": 405,
        "failure": 0,
        "pending": 0,
        "logs_url": "https://console.cloud.google.com/logs/query",
        "store": STORE,
        "table": TABLE,
        "rows": 405,
    }


def test_existing_rows_have_a_hint_of_the_disposition(google: FakeGoogle, run: Run) -> None:
    message = "table local-project.dataset1.dicomstore1 has rows"
    end = operation(done=True, error={"code": 9, "message": message})
    google.answers = [(200, {"name": OPERATION}), (200, end)]
    ran = run(export_metadata.app)
    assert ran.code == 1
    assert message in ran.err
    assert "--write-disposition truncate or append" in ran.err


def test_a_lost_append_is_not_sent_again(google: FakeGoogle, run: Run) -> None:
    google.answers = [ConnectionResetError("reset"), (200, {"name": OPERATION})]
    ran = run(export_metadata.app, "-w", "append")
    assert ran.code == 1
    assert "no connection" in ran.err
    where = "--project local-project --location us-central1 --dataset dataset1"
    assert f"gcloud healthcare operations list {where}" in ran.err
    assert len(google.asked) == 1


def test_an_append_that_was_refused_is(google: FakeGoogle, run: Run) -> None:
    _well(google)
    google.answers.insert(0, refusal(404, "NOT_FOUND", "dataset not initialized"))
    assert run(export_metadata.app, "-w", "append").code == 0


@pytest.mark.parametrize("disposition", ["truncate", "empty"])
def test_what_adds_no_row_twice_is_sent_again(
    google: FakeGoogle, run: Run, disposition: str
) -> None:
    _well(google)
    google.answers.insert(0, ConnectionResetError("reset"))
    assert run(export_metadata.app, "-w", disposition).code == 0


@pytest.mark.parametrize("lost", [True, False])
def test_rows_in_the_way_may_be_those_of_an_attempt_whose_answer_was_lost(
    google: FakeGoogle, run: Run, *, lost: bool
) -> None:
    message = "table local-project.dataset1.dicomstore1 has rows"
    end = operation(done=True, error={"code": 6, "message": message})
    first: Answer = ConnectionResetError("reset") if lost else refusal(429, "x", "full")
    google.answers = [first, (200, {"name": OPERATION}), (200, end)]
    ran = run(export_metadata.app)
    assert ran.code == 1
    assert ("may be its own rows" in ran.err) is lost
    assert "--write-disposition truncate or append" in ran.err


def test_denied(google: FakeGoogle, run: Run) -> None:
    google.answers = [refusal(403, "PERMISSION_DENIED", "bigquery.tables.create denied")]
    ran = run(export_metadata.app)
    assert ran.code == 1
    assert "bigquery.tables.create denied (403 PERMISSION_DENIED)" in ran.err
    assert "roles/bigquery.admin" in ran.err


def test_resume_repeats_the_table(
    google: FakeGoogle, run: Run, counted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    google.answers = [(200, {"name": OPERATION}), (200, operation(pending=9))]
    other = "bq://local-project.dataset1.other"
    ran = run(export_metadata.app, "--table", other, "--timeout", "0")
    assert ran.code == 4
    assert f"export_metadata.py --table {other} --resume {OPERATION}" in ran.err
    google.answers = [(200, operation(success=1, done=True))]
    assert run(export_metadata.app, "--table", other, "--resume", OPERATION).code == 0
    assert counted == [other]


@pytest.mark.parametrize("uri", ["dataset1.t", "bq://t", "bq://p.d", "bq://p.d.t.u", "bq://p.d.`"])
def test_a_bad_table_is_refused_before_any_call(google: FakeGoogle, run: Run, uri: str) -> None:
    ran = run(export_metadata.app, "--table", uri)
    assert ran.code == 2
    assert f"{uri!r} is not a valid BigQuery table URI." in ran.err
    assert google.asked == []


def test_without_a_stack_the_table_is_due(google: FakeGoogle, run: Run) -> None:
    names = ("--project", "p", "--location", "l", "--dataset", "d", "--store", "s")
    ran = run(export_metadata.app, *names)
    assert ran.code == 2
    assert "Add --table bq://PROJECT.DATASET.TABLE." in ran.err
