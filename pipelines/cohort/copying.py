"""The copy of a selection: its operations, its report and its dead letters."""

import time
from collections.abc import Iterator, Sequence
from typing import Any

from pipelines.cohort import operations
from pipelines.cohort.healthcare import Healthcare, HealthcareError
from pipelines.cohort.operations import CohortError, Operations, Selection
from pipelines.cohort.plan import REPORT, SELECTION, FolderNotes, Settings
from pipelines.common.counting import Counting
from pipelines.common.objects import Objects
from pipelines.common.rows import NDJSON, Row, to_ndjson

_NAME = "cohort"
_FAILED = "failed"
_LOG_SECONDS, _LOG_PAUSE_SECONDS = 20.0, 1.0
"""How long entries of failures may take to appear in Cloud Logging."""

Json = dict[str, Any]


def note_selection(
    files: Sequence[Selection], missing: int, settings: Settings, _letters: Sequence[str]
) -> Json:
    """Write down that the selection is complete: later attempts copy it, and select no more.

    Args:
        files: with paths of instances
        missing: number of dead letters of the selection
        settings: of the run
        _letters: files of dead letters, which are written before
    """
    listed = [{"uri": one.uri, "instances": one.instances} for one in files]
    selected = {"files": listed, "missing": missing}
    FolderNotes(settings.output).write(SELECTION, selected)
    return selected


def copy(selected: Json, settings: Settings) -> None:
    """Copy what was selected, and report.

    Raises:
        CohortError: it can't be copied; the report has the reason
    """
    files = [Selection(one["uri"], one["instances"]) for one in selected["files"]]
    total = sum(one.instances for one in files)
    notes, counting = FolderNotes(settings.output), Counting(_NAME)
    api = Healthcare(settings.source, settings.destination, settings.config)
    attempt = {"attempt": settings.attempt}
    try:
        ended = Operations(api, notes, lambda more: counting.add("copied", more)).run(files)
        letters = [*_letters(api, ended)]
    except (CohortError, HealthcareError) as error:
        notes.write(REPORT, {"selected": total, "error": str(error), **attempt})
        raise CohortError(str(error)) from error
    if letters:
        uri = f"{settings.output}dead-letters-operations.ndjson"
        Objects().write(uri, to_ndjson(letters), NDJSON)
        counting.add(_FAILED, sum(map(operations.failures_of, ended)))
    counting.log()
    notes.write(REPORT, {**operations.report(ended, total, selected["missing"]), **attempt})


def _letters(api: Healthcare, ended: Sequence[Json]) -> Iterator[Row]:
    """Yield an entry for each instance that an operation left out, as Cloud Logging names it."""
    for operation in ended:
        failures = operations.failures_of(operation)
        if not failures:
            continue
        name = operation["name"]
        found: dict[str, str] = {}
        refusal = ""
        deadline = time.monotonic() + _LOG_SECONDS
        while len(found) < failures:
            try:
                found = api.failures(name)
            except HealthcareError as error:  # what failed is known by number, if not by name
                refusal = f" Cloud Logging refuses their names: {error}"
                break
            if time.monotonic() + _LOG_PAUSE_SECONDS > deadline:
                break
            if len(found) < failures:
                time.sleep(_LOG_PAUSE_SECONDS)
        for source, reason in sorted(found.items()):
            yield {"source": _path(source), "result": _FAILED, "reason": reason}
        if (rest := failures - len(found)) > 0:
            reason = f"{rest} more instances were left out.{refusal}"
            yield {"source": name, "result": _FAILED, "reason": reason}


def _path(name: str) -> str:
    """Return the path of an instance within its store."""
    return name.partition("/dicomWeb")[2] or name
