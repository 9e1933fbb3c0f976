"""The command line of the features, in the environment of the pipelines."""

import json
import os
import re
import sys
import uuid
from argparse import ArgumentParser, Namespace

from pipelines.common import running, tables
from pipelines.common.objects import Objects, UriError, folder, split
from pipelines.common.tables import Answer, QueryError
from pipelines.features import encoding, exports, pipeline
from pipelines.features.exports import ExportError
from workloads.common import logs
from workloads.common.dicomweb import STORE
from workloads.common.logs import Log

_DESCRIPTION = """Compute features of each instance of a DICOM store, and load them into BigQuery.

The store itself is read (--store), or what it was exported to (--export). One load job replaces
the rows of the table, by all files of the run."""
_TABLE = re.compile(r"[^.]+\.\w+\.[^.]+")
_USAGE = 2
_MAX_SHARDS = 10_000
"""URIs of a load job. Documented: https://cloud.google.com/bigquery/quotas#load_jobs."""


def main(arguments: list[str]) -> int:
    """Run the pipeline; return the exit code."""
    parser = running.parser(pipeline.NAME, _DESCRIPTION)
    add = parser.add_argument
    add("--store", default="", help="projects/P/locations/L/datasets/D/dicomStores/S")
    add("--export", default="", help="bq://PROJECT.DATASET.TABLE, or gs://BUCKET/PREFIX of files")
    add("--table", default="", help="PROJECT.DATASET.TABLE; without it nothing is loaded")
    add("--format", default="ndjson", choices=encoding.FORMATS, help="of the files")
    add("--pixels", default="no", choices=("yes", "no"), help="read pixels too")
    add("--shards", type=int, default=16, help="number of files, 16 by default")
    add("--patience", type=float, default=300.0, help="seconds to retry a study (default 300)")
    known, rest = parser.parse_known_args(arguments)
    _check(parser, known)
    output, is_table = folder(known.output), known.export.startswith(exports.BIGQUERY)
    logs.configure()
    try:
        answer = _answer(known.export) if is_table else None
        if known.export and not is_table and not any(Objects().files(known.export)):
            raise ExportError(f"{known.export} has no files: export the store to it first.")
    except ExportError as error:
        Log("pipeline").error(str(error))
        return _USAGE
    settings = pipeline.Settings(
        known.store,
        output,
        known.table,
        f"features-{uuid.uuid4().hex}",
        known.format,
        known.shards,
        known.pixels == "yes",
        known.requests_per_second,
        known.patience,
        "" if is_table else known.export,
        answer,
    )
    options = running.options_of(rest)
    running.run(options, lambda begun: pipeline.build(begun, settings), known)
    if running.ends_here(options):
        report = json.loads(Objects().read(f"{output}report.json"))
        sys.stdout.write(json.dumps(report) + "\n")
    return 0


def _check(parser: ArgumentParser, known: Namespace) -> None:
    """End with a usage error unless the options fit together."""
    if bool(known.store) == bool(known.export):
        parser.error("name one of --store and --export")
    if known.store and not STORE.fullmatch(known.store):
        parser.error(f"--store {known.store!r} is not the full name of a DICOM store")
    if known.table and not _TABLE.fullmatch(known.table):
        parser.error(f"--table {known.table!r} is not of the form PROJECT.DATASET.TABLE")
    if not 1 <= known.shards <= _MAX_SHARDS:
        parser.error(f"--shards {known.shards} is not between 1 and {_MAX_SHARDS}")
    is_table = known.export.startswith(exports.BIGQUERY)
    if is_table and known.pixels == "yes":
        parser.error("a table has no pixels: leave out --pixels, or export to Cloud Storage")
    try:
        folder(known.output)
        if known.export and not is_table:
            split(known.export)
    except UriError as error:
        parser.error(str(error))


def _answer(uri: str) -> Answer:
    """Return the rows of an exported table.

    Raises:
        ExportError: it can't be read, or has none
    """
    table = exports.table_of(uri)
    project = os.environ.get("GOOGLE_CLOUD_PROJECT") or table.partition(".")[0]
    try:
        found = tables.run(exports.query(table), project)
    except QueryError as error:
        raise ExportError(f"{table} can't be read: {error}") from error
    if not found.rows:
        raise ExportError(f"{table} has no instances: export the store's metadata to it first.")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
