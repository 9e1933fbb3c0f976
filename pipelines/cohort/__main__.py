"""The command line of the cohorts, in the environment of the pipelines."""

import json
import os
import sys
import uuid
from dataclasses import replace
from pathlib import Path

from pipelines.cohort import pipeline, plan
from pipelines.cohort.healthcare import Healthcare, HealthcareError
from pipelines.cohort.plan import DEFAULT_CONFIG, PLAN, REPORT, FolderNotes, Json, Settings
from pipelines.cohort.selection import SelectionError, parse_search
from pipelines.common import running
from pipelines.common.objects import Objects, ReadError, UriError, folder
from workloads.common import logs
from workloads.common.dicomweb import STORE
from workloads.common.logs import Log

_DESCRIPTION = """Copy what a query selects into another DICOM store, de-identified.

The query is SQL of BigQuery (--sql), or a search of the source by DICOMweb (--search)."""
_FAILED, _USAGE = 1, 2


def main(arguments: list[str]) -> int:
    """Run the pipeline; return the exit code."""
    parser = running.parser(pipeline.NAME, _DESCRIPTION)
    add = parser.add_argument
    add("--source", required=True, help="projects/P/locations/L/datasets/D/dicomStores/S")
    add("--destination", required=True, help="an existing DICOM store of the same location")
    add("--sql", default="", help="selects StudyInstanceUID [, SeriesInstanceUID, SOPInstanceUID]")
    add("--search", default="", help="'StudyDate=20240101-', or 'series?Modality=CT'")
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
            parse_search(known.search)
        settings = Settings(
            known.source,
            known.destination,
            folder(known.output),
            known.sql,
            known.search,
            os.environ.get("GOOGLE_CLOUD_PROJECT") or known.source.split("/")[1],
            _config(known.config),
            max(known.operations, 1),
            known.requests_per_second,
            attempt=uuid.uuid4().hex,
        )
    except (SelectionError, UriError, ReadError, OSError, ValueError) as error:
        parser.error(str(error))
    logs.configure()
    options = running.options_of(rest)
    try:
        settings = _planned(settings)
    except (SelectionError, HealthcareError, ReadError) as error:
        Log("pipeline").error(str(error))
        return _USAGE
    try:
        running.run(options, lambda begun: pipeline.build(begun, settings), known)
    except Exception:  # the direct runner's own, with the traces of all its threads
        if not (reason := _report(settings).get("error")):
            raise
        Log("pipeline").error(reason)
        return _FAILED
    if running.ends_here(options):
        sys.stdout.write(json.dumps(_report(settings)) + "\n")
    return 0


def _planned(settings: Settings) -> Settings:
    """Return the settings with the selection of an earlier attempt, or the answer of the query.

    Raises:
        SelectionError: nothing can be selected, or not by these settings
        HealthcareError: there is no such store, or it may not be read
    """
    notes = FolderNotes(settings.output)
    selected = plan.check_folder(settings, notes)
    if selected is not None:
        return replace(settings, selected=selected)
    api = Healthcare(settings.source, settings.destination, settings.config)
    plan.check_stores(settings, api.get)
    answer = plan.select(settings)
    notes.write(PLAN, settings.plan)
    return replace(settings, answer=answer)


def _report(settings: Settings) -> Json:
    """Return the report of this attempt; nothing if it has written none."""
    found = FolderNotes(settings.output).read(REPORT) or {}
    return found if found.pop("attempt", "") == settings.attempt else {}


def _config(uri: str) -> Json:
    if not uri:
        return DEFAULT_CONFIG
    text = Objects().read(uri) if uri.startswith("gs://") else Path(uri).read_bytes()
    try:
        found: Json = json.loads(text)
    except ValueError as error:
        raise ValueError(f"{uri} is not valid JSON: {error}") from error
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
