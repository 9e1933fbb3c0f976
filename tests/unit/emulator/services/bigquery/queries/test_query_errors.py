"""Messages of DuckDB and bqemulator, and what BigQuery says."""

import pytest

from emulator.services.bigquery.queries.query_errors import worded

TABLE = '"my-project__lab"."t"'


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (
            'Query execution failed: Binder Error: Referenced column "Nope" not found in FROM'
            f' clause!\nCandidate bindings: "A"\n\nLINE 1: SELECT Nope FROM {TABLE}\n'
            "               ^",
            "Unrecognized name: Nope at [1:8]",
        ),
        (
            'Binder Error: Referenced column "Nope" not found in FROM clause!\n\n'
            f"LINE 1: SELECT A FROM {TABLE} WHERE Nope\n{' ' * 50}^",
            "Unrecognized name: Nope",
        ),
        (
            'Binder Error: column "A" must appear in the GROUP BY clause or must be part of an'
            f" aggregate function.\nEither add it\n\nLINE 1: SELECT A, COUNT(*)\n{' ' * 15}^",
            "SELECT list expression references column A which is neither grouped nor aggregated"
            " at [1:8]",
        ),
        (
            "Query execution failed: Binder Error: No function matches the given name and argument"
            " types '+(VARCHAR, INTEGER_LITERAL)'. You might need to add explicit type casts.\n"
            f"\tCandidate functions:\n\t+(DATE) -> DATE\n\n\nLINE 1: SELECT A + 1\n{' ' * 17}^",
            "No matching signature for operator + for argument types: STRING, INT64.",
        ),
        (f"Catalog Error: {TABLE} is odd\nLook elsewhere", "my-project.lab.t is odd"),
        ('Syntax error: Unexpected "x" at [1:7]', 'Syntax error: Unexpected "x" at [1:7]'),
        ("Not found: Table p.d.t was not found in location US", "Not found: Table p:d.t was not"
         " found in location eu"),
    ],
)  # fmt: skip
def test_the_words_of_bigquery(text: str, wanted: str) -> None:
    assert worded(text, lambda _project, _dataset: "eu") == wanted
