"""Dry runs, of which bqemulator validates the first statement and runs those behind it."""

from typing import Any

from emulator.services.bigquery.errors import BigQueryError
from emulator.services.bigquery.queries import legacy_sql


def refuse_script(body: Any) -> None:
    """Let no dry run of several statements pass.

    Args:
        body: of `jobs.query` or `jobs.insert`

    Raises:
        BigQueryError: 501; Google validates a script
    """
    query = legacy_sql.query_of(body)
    if query is None or not _is_dry_run(body) or not _is_script(str(query.get("query", ""))):
        return
    raise BigQueryError(
        501,
        "notImplemented",
        "The local BigQuery does not validate scripts. Set dryRun for one statement at a time.",
    )


def _is_dry_run(body: dict[str, Any]) -> bool:
    return bool(body.get("configuration", body).get("dryRun"))


def _is_script(sql: str) -> bool:
    """Whether anything follows the end of the first statement."""
    import sqlglot  # a quarter of a second, for this alone
    from sqlglot.errors import SqlglotError

    if ";" not in sql:
        return False
    try:
        tokens = sqlglot.tokenize(sql, read="bigquery")
    except SqlglotError:
        return True
    types = [token.token_type for token in tokens[:-1]]
    return sqlglot.TokenType.SEMICOLON in types
