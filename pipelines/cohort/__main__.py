"""The command line of the cohorts, in the environment of the pipelines."""

import json
import os
import sys
from pathlib import Path

from pipelines.cohort import pipeline
from pipelines.cohort.selection import SelectionError, search_parameters
from pipelines.common import running
from pipelines.common.objects import Objects, UriError, folder
from workloads.common.dicomweb import STORE

_DESCRIPTION = """Copy what a query selects into another DICOM store, de-identified.

The query is SQL of BigQuery (--sql), or a search of studies by DICOMweb (--search)."""


def main(arguments: list[str]) -> int:
    """Run the pipeline; return the exit code."""
    parser = running.parser(pipeline.NAME, _DESCRIPTION)
    add = parser.add_argument
    add("--source", required=True, help="projects/P/locations/L/datasets/D/dicomStores/S")
    add("--destination", required=True, help="an existing DICOM store of the same location")
    add("--sql", default="", help="selects StudyInstanceUID [, SeriesInstanceUID, SOPInstanceUID]")
    add("--search", default="", help="such as 'Modality=CT&StudyDate=20240101-'")
    add("--config", default="", metavar="FILE", help="DeidentifyConfig, JSON, here or gs://")
    add("--operations", type=int, default=1, help="long-running operations that share the work")
    known, rest = parser.parse_known_args(arguments)
    for store in (known.source, known.destination):
        if not STORE.fullmatch(store):
            parser.error(f"{store!r} is not the full name of a DICOM store")
    if bool(known.sql) == bool(known.search):
        parser.error("name one of --sql and --search")
    try:
        if known.search:
            search_parameters(known.search)
        settings = pipeline.Settings(
            known.source,
            known.destination,
            folder(known.output),
            known.sql,
            known.search,
            os.environ.get("GOOGLE_CLOUD_PROJECT") or known.source.split("/")[1],
            _config(known.config),
            max(known.operations, 1),
            known.requests_per_second,
        )
    except (SelectionError, UriError, OSError, ValueError) as error:
        parser.error(str(error))
    options = running.options_of(rest)
    running.run(options, lambda begun: pipeline.build(begun, settings), known)
    if running.is_direct(options):
        report = json.loads(Objects().read(f"{settings.output}report.json"))
        sys.stdout.write(json.dumps(report) + "\n")
    return 0


def _config(uri: str) -> pipeline.Json:
    if not uri:
        return pipeline.DEFAULT_CONFIG
    text = Objects().read(uri) if uri.startswith("gs://") else Path(uri).read_bytes()
    found: pipeline.Json = json.loads(text)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
