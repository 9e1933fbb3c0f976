"""Resources of a DICOM store that a query selects, by their paths."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from google.cloud import bigquery

from workloads.common import google

LEVELS = (
    ("studies", "StudyInstanceUID"),
    ("series", "SeriesInstanceUID"),
    ("instances", "SOPInstanceUID"),
)
_STUDY = "0020000D"


class SelectionError(Exception):
    """A query that selects no resources, in a sentence for people."""


def path_of(row: Mapping[str, Any]) -> str:
    """Return `/studies/UID`, with the series and the instance if the row names them.

    Raises:
        SelectionError: it names no study, or an instance without its series
    """
    given = [(level, row.get(name)) for level, name in LEVELS]
    uids = [(level, uid) for level, uid in given if uid]
    if not uids or given[: len(uids)] != uids:
        raise SelectionError(
            "The query does not select StudyInstanceUID, or an instance without its series."
        )
    return "".join(f"/{level}/{uid}" for level, uid in uids)


def path_of_result(result: Mapping[str, Any]) -> str:
    """Return the path of a study that a search found."""
    return path_of({"StudyInstanceUID": result[_STUDY]["Value"][0]})


def search_parameters(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a search, such as `Modality=CT&StudyDate=20240101-`.

    Raises:
        SelectionError: it is not of this form
    """
    try:
        return parse_qsl(query, strict_parsing=True)
    except ValueError as error:
        raise SelectionError(
            f"{query!r} is not a valid search: write KEYWORD=VALUE, joined by &."
        ) from error


def rows_of(sql: str, project: str) -> Iterator[Mapping[str, Any]]:
    """Yield the rows that a query of BigQuery selects.

    Args:
        sql: GoogleSQL
        project: that is billed
    """
    credentials: Any = google.credentials()
    client = bigquery.Client(project=project, credentials=credentials)
    for row in client.query(sql).result():
        yield dict(row.items())


def lines(paths: list[str]) -> bytes:
    """Return a file that `filterConfig.resourcePathsGcsUri` names: a path a line."""
    return b"".join(f"{path}\n".encode() for path in sorted({*paths}))
