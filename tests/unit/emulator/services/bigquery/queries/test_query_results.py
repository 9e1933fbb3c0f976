"""Results of queries and jobs, as bqemulator answers them and as BigQuery does."""

import json
from typing import Any

import pytest

from emulator.services.bigquery.errors import BigQueryError
from emulator.services.bigquery.queries import query_results


def result(*columns: str, **more: Any) -> bytes:
    fields = [{"name": name, "type": "INTEGER"} for name in columns]
    body = {"kind": "bigquery#queryResponse", "schema": {"fields": fields}, "rows": []}
    return json.dumps({**body, **more}).encode()


def as_bigquery(content: bytes) -> bytes:
    return query_results.as_bigquery(content, lambda project, dataset: f"{project}-{dataset}")


def names(content: bytes) -> list[str]:
    return [field["name"] for field in json.loads(content)["schema"]["fields"]]


def test_unnamed_columns_are_numbered_among_themselves() -> None:
    given = result(
        "count_star()", "b", "(a + 1)", "CURRENT_DATE", "'x'", "NULL", "_col_6", "gr\u00f6\u00dfe"
    )
    wanted = ["f0_", "b", "f1_", "f2_", "f3_", "f4_", "f5_", "gr\u00f6\u00dfe"]
    assert names(as_bigquery(given)) == wanted


def test_a_result_with_names_is_passed_on_as_it_is() -> None:
    given = result("a", "current_date", rows=[{"f": [{"v": "count_star()"}, {"v": None}]}])
    assert as_bigquery(given) is given


@pytest.mark.parametrize(
    ("reason", "code", "message", "wanted"),
    [
        (
            "notFound",
            404,
            "Not found: Table p-1.d.t was not found in location US",
            "Not found: Table p-1:d.t was not found in location p-1-d",
        ),
        ("invalidQuery", 400, "Syntax error: \x1b[4m[\x1b[0mx]", "Syntax error: [x]"),
    ],
)
def test_a_query_that_fails_is_an_error(reason: str, code: int, message: str, wanted: str) -> None:
    with pytest.raises(BigQueryError) as caught:
        as_bigquery(result(errors=[{"reason": reason, "message": message}]))
    assert (caught.value.code, caught.value.reason, caught.value.message) == (code, reason, wanted)


def test_the_error_of_a_job_is_plain_text() -> None:
    error = {"reason": "invalidQuery", "message": "\x1b[4mhere\x1b[0m"}
    job = {"kind": "bigquery#job", "status": {"errorResult": error, "errors": [error]}}
    answered = json.loads(as_bigquery(json.dumps(job).encode()))
    assert answered["status"]["errorResult"]["message"] == "here"
    assert answered["status"]["errors"][0]["message"] == "here"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/bigquery/v2/projects/p/queries", "p"),
        ("/bigquery/v2/projects/p/queries/job1", "p"),
        ("/bigquery/v2/projects/p/jobs", "p"),
        ("/bigquery/v2/projects/p/datasets/d/tables/t/data", ""),
    ],
)
def test_whose_results_a_path_has(path: str, wanted: str) -> None:
    assert query_results.project_of(path) == wanted


def test_a_column_may_be_called_rows() -> None:
    assert names(as_bigquery(result("rows", "(a + 1)"))) == ["rows", "f0_"]
