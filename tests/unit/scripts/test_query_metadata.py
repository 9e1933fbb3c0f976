from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions

from scripts import query_metadata
from scripts.data import metadata_query
from scripts.lib.google import clients
from scripts.lib.google.bigquery import Table
from tests.unit.scripts.fakes import Ran

Run = Callable[..., Ran]
TABLE = Table("local-project", "dataset1", "dicomstore1")

pytestmark = pytest.mark.usefixtures("lab_stack")


class FakeRows(list[dict[str, Any]]):
    """google-cloud-bigquery's RowIterator, as far as it is used."""

    @property
    def schema(self) -> list[Any]:
        return [type("Field", (), {"name": name}) for name in (self[0] if self else ["PatientID"])]


@dataclass
class FakeBigQuery:
    """Answers every query with the rows given, or raises."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    error: Exception | None = None
    asked: list[tuple[str, Any]] = field(default_factory=list)
    project: str = "local-project"

    def query(self, sql: str, job_config: Any, **_: Any) -> "FakeBigQuery":
        self.asked.append((sql, job_config))
        return self

    def result(self, **_: Any) -> FakeRows:
        if self.error:
            raise self.error
        return FakeRows(self.rows)


@pytest.fixture
def big_query(monkeypatch: pytest.MonkeyPatch) -> FakeBigQuery:
    fake = FakeBigQuery()
    monkeypatch.setattr(clients, "big_query", lambda project, location: fake)
    return fake


def test_the_labs_two_queries_as_tables(big_query: FakeBigQuery, run: Run) -> None:
    big_query.rows = [{"PatientID": str(n)} for n in range(151)]
    ran = run(query_metadata.app)
    assert ran.code == 0
    first, second = big_query.asked
    assert first[0] == (
        "SELECT StudyDescription FROM `local-project.dataset1.dicomstore1` "
        "WHERE PatientID = @patient"
    )
    assert [(p.name, p.value) for p in first[1].query_parameters] == [("patient", "88")]
    assert "StudyDescription = 'No Finding'" in second[0]
    assert "Findings of patient 88" in ran.out
    assert ran.out.count("151 rows, the first 10 shown: --all shows every one") == 2


def test_all_shows_every_row(big_query: FakeBigQuery, run: Run) -> None:
    big_query.rows = [{"PatientID": f"[{n}]"} for n in range(30)]
    ran = run(query_metadata.app, "--all")
    assert ran.out.count("[29]") == 2
    assert "30 rows" in ran.out


def test_json_holds_every_row(big_query: FakeBigQuery, run: Run) -> None:
    big_query.rows = [{"n": n} for n in range(30)]
    shape = run(query_metadata.app, "--sql", "SELECT 1", "--json").json
    assert shape == {
        "table": TABLE.uri,
        "queries": [{"title": "Result", "sql": "SELECT 1", "rows": big_query.rows}],
    }


def test_own_sql_with_parameters_in_the_stacks_dataset(big_query: FakeBigQuery, run: Run) -> None:
    sql = "SELECT * FROM dicomstore1 WHERE PatientID = @p"
    assert run(query_metadata.app, "--sql", sql, "--param", "p=8=8").code == 0
    asked, config = big_query.asked[0]
    assert asked == sql
    assert config.default_dataset.dataset_id == "dataset1"
    assert [(p.name, p.type_, p.value) for p in config.query_parameters] == [("p", "STRING", "8=8")]


def test_sql_from_a_file(big_query: FakeBigQuery, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "ask.sql"
    file.write_text("SELECT 2", "utf-8")
    assert run(query_metadata.app, "--sql-file", str(file)).code == 0
    assert big_query.asked[0][0] == "SELECT 2"


def test_csv(big_query: FakeBigQuery, run: Run) -> None:
    big_query.rows = [{"a": 1, "b": 'x,"y"'}, {"a": None, "b": "z"}]
    ran = run(query_metadata.app, "--sql", "SELECT 1", "--csv")
    assert ran.out == 'a,b\n1,"x,""y"""\n,z\n'


def test_wrong_sql_is_reported_in_bigquerys_words(big_query: FakeBigQuery, run: Run) -> None:
    errors = [{"message": "Unrecognized name: Nope at [1:8]"}]
    big_query.error = exceptions.BadRequest("", errors=errors)  # type: ignore[no-untyped-call]
    ran = run(query_metadata.app, "--sql", "SELECT Nope FROM dicomstore1")
    assert ran.code == 1
    assert "Unrecognized name: Nope at [1:8]" in ran.err
    assert "The query was: SELECT Nope FROM dicomstore1" in ran.err


def test_a_missing_table_is_reported(big_query: FakeBigQuery, run: Run) -> None:
    errors = [{"message": "Not found: Table x"}]
    big_query.error = exceptions.NotFound("", errors=errors)  # type: ignore[no-untyped-call]
    ran = run(query_metadata.app)
    assert ran.code == 1
    assert "Not found: Table x" in ran.err


@pytest.mark.parametrize(
    ("arguments", "culprit"),
    [
        (["--sql", "SELECT 1", "--sql-file", "x"], "--sql and --sql-file exclude each other."),
        (["--sql-file", "/no/such"], "/no/such can't be read"),
        (["--sql", "  "], "The SQL is empty."),
        (["--param", "a=1"], "--param goes with --sql"),
        (["--sql", "SELECT 1", "--param", "a"], "--param 'a' is not of the form NAME=VALUE."),
        (["--csv"], "--csv goes with --sql or --sql-file"),
    ],
)
def test_contradictions(
    big_query: FakeBigQuery, run: Run, arguments: list[str], culprit: str
) -> None:
    ran = run(query_metadata.app, *arguments)
    assert ran.code == 2
    assert culprit in ran.err
    assert big_query.asked == []


def test_the_questions_are_the_labs() -> None:
    assert [q.title for q in metadata_query.lab_questions(TABLE)] == [
        "Findings of patient 88",
        "PatientID of each image with 'No Finding'",
    ]
