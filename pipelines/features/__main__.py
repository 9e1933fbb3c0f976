"""The command line of the features, in the environment of the pipelines."""

import json
import re
import sys
import uuid

from pipelines.common import running
from pipelines.common.objects import Objects, UriError, folder
from pipelines.features import encoding, pipeline
from workloads.common.dicomweb import STORE

_DESCRIPTION = """Compute features of each instance of a DICOM store, and load them into BigQuery.

One load job replaces the rows of the table, by all files of the run."""
_TABLE = re.compile(r"[^.]+\.\w+\.[^.]+")
_MAX_SHARDS = 10_000
"""URIs of a load job. Documented: https://cloud.google.com/bigquery/quotas#load_jobs."""


def main(arguments: list[str]) -> int:
    """Run the pipeline; return the exit code."""
    parser = running.parser(pipeline.NAME, _DESCRIPTION)
    add = parser.add_argument
    add("--store", required=True, help="projects/P/locations/L/datasets/D/dicomStores/S")
    add("--table", default="", help="PROJECT.DATASET.TABLE; without it nothing is loaded")
    add("--format", default="ndjson", choices=encoding.FORMATS, help="of the files")
    add("--pixels", default="no", choices=("yes", "no"), help="read pixels too")
    add("--shards", type=int, default=16, help="number of files, 16 by default")
    add("--patience", type=float, default=300.0, help="seconds to retry a study (default 300)")
    known, rest = parser.parse_known_args(arguments)
    if not STORE.fullmatch(known.store):
        parser.error(f"--store {known.store!r} is not the full name of a DICOM store")
    if known.table and not _TABLE.fullmatch(known.table):
        parser.error(f"--table {known.table!r} is not of the form PROJECT.DATASET.TABLE")
    if not 1 <= known.shards <= _MAX_SHARDS:
        parser.error(f"--shards {known.shards} is not between 1 and {_MAX_SHARDS}")
    try:
        output = folder(known.output)
    except UriError as error:
        parser.error(str(error))
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
    )
    options = running.options_of(rest)
    running.run(options, lambda begun: pipeline.build(begun, settings), known)
    if running.is_direct(options):
        report = json.loads(Objects().read(f"{output}report.json"))
        sys.stdout.write(json.dumps(report) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
