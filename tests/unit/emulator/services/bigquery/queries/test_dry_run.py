import pytest

from emulator.services.bigquery.errors import BigQueryError
from emulator.services.bigquery.queries import dry_run


@pytest.mark.parametrize("sql", ["SELECT 1; DROP TABLE t", "SELECT ';'; SELECT 2;", "SELECT ';"])
def test_a_dry_run_of_a_script_is_refused(sql: str) -> None:
    for body in (
        {"query": sql, "dryRun": True},
        {"configuration": {"query": {"query": sql}, "dryRun": True}},
    ):
        with pytest.raises(BigQueryError, match="one statement at a time") as refused:
            dry_run.refuse_script(body)
        assert (refused.value.code, refused.value.reason) == (501, "notImplemented")


@pytest.mark.parametrize(
    "body",
    [
        {"query": "SELECT 1; SELECT 2"},
        {"query": "SELECT ';';  -- the end", "dryRun": True},
        {"configuration": {"load": {}, "dryRun": True}},
        {"configuration": 1},
        {},
    ],
)
def test_other_jobs_pass(body: object) -> None:
    dry_run.refuse_script(body)
