"""The export of many rows to BigQuery, beside the load job of the same rows alone."""

import io
import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from benchmarks import comparison
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.local import LOCATION, Local
from benchmarks.sides import MANY, Sides
from emulator.core.settings import PROJECT

GOAL = 1.5
ROUNDS = 3
_ROWS = "SELECT bigquery_row, storage_class, updated, size FROM dicom_instances WHERE store = ?"


def measure_export(sides: Sides) -> Iterator[Row]:
    """Compare an export with a load job of its rows by Google's client, both until queryable."""
    store, local = sides.full_store, sides.local
    client = client_of(local)
    sides.report(f"exporting {MANY} rows, and loading the same, in turns")
    rows = _rows(local, store)
    schema: list[bigquery.SchemaField] = []

    def ours() -> float:
        table = local.table()
        began = time.perf_counter()
        path = f"/v1/{store}:export"
        local.operation(path, {"bigqueryDestination": {"tableUri": f"bq://{table}"}})
        _count(client, table)
        seconds = time.perf_counter() - began
        schema[:] = client.get_table(table).schema
        return seconds

    def peer() -> float:
        table = local.table()
        began = time.perf_counter()
        load_rows(client, table, schema, rows)
        _count(client, table)
        return time.perf_counter() - began

    seconds = comparison.in_turns(ours, peer, ROUNDS)
    yield comparison.duration(f"export of {MANY} rows to BigQuery", *seconds, GOAL)


def load_rows(
    client: bigquery.Client, table: str, schema: list[bigquery.SchemaField], rows: bytes
) -> None:
    """Load lines of JSON into a table."""
    config = bigquery.LoadJobConfig(
        schema=schema, source_format=bigquery.SourceFormat.NEWLINE_DELIMITED_JSON
    )
    client.load_table_from_file(io.BytesIO(rows), table, job_config=config).result()


def client_of(local: Local) -> bigquery.Client:
    """Return Google's client with the address of the BigQuery backend."""
    return bigquery.Client(
        project=PROJECT,
        location=LOCATION,
        credentials=AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options=ClientOptions(
            api_endpoint=f"http://127.0.0.1:{local.running.ports.bigquery}"
        ),
    )


def _count(client: bigquery.Client, table: str) -> None:
    [[found]] = client.query(f"SELECT COUNT(*) FROM `{table}`").result()
    if found != MANY:
        raise BenchmarkError(f"{table} has {found} rows instead of {MANY}")


def _rows(local: Local, store: str) -> bytes:
    """Return a store's rows as an export writes them, from the emulator's own database."""
    lines = []
    file = local.running.state / "state.sqlite3"
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as database:
        for row, storage_class, updated, size in database.execute(_ROWS, [store]):
            added = {
                "BlobStorageSize": size,
                "LastUpdated": updated,
                "StorageClass": storage_class,
            }
            lines.append(json.dumps(json.loads(row) | added))
    return "\n".join(lines).encode()
