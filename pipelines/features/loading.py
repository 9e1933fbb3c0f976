"""The load job: all files of a run take the place of a table's rows, at once or not at all."""

from typing import Any

from google.api_core.exceptions import Conflict
from google.cloud import bigquery

from pipelines.features.extraction import COLUMNS
from workloads.common import google

_SOURCE_FORMATS = {
    "ndjson": bigquery.SourceFormat.NEWLINE_DELIMITED_JSON,
    "parquet": bigquery.SourceFormat.PARQUET,
}


def load(uris: list[str], table: str, format_: str, job_id: str) -> int:
    """Load files into a table; return the number of its rows.

    A job of the same id that an attempt before this one started is waited for instead.

    Args:
        uris: `gs://` URIs, 10,000 at most
        table: PROJECT.DATASET.TABLE
        format_: ndjson or parquet
        job_id: of the load job
    """
    credentials: Any = google.credentials()
    client = bigquery.Client(project=table.partition(".")[0], credentials=credentials)
    config = bigquery.LoadJobConfig(
        source_format=_SOURCE_FORMATS[format_],
        schema=[bigquery.SchemaField(name, type_) for name, type_ in COLUMNS.items()],
        write_disposition=bigquery.WriteDisposition.WRITE_TRUNCATE,
    )
    try:
        job: Any = client.load_table_from_uri(uris, table, job_id=job_id, job_config=config)
    except Conflict:
        job = client.get_job(job_id)
    job.result()
    return int(job.output_rows or 0)
