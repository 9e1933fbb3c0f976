"""The commands of the kit: compare, list the checks, clean up."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import typer

import emulator
from conformance import cleanup, recordings, report
from conformance import run as runner
from conformance.check import Check, Lab
from conformance.checks import ALL
from conformance.cleanup import open_cloud_project
from conformance.cloud_project import CloudProject
from conformance.journal import SUFFIX, Entry, Journal, folder
from conformance.names import PRICE, Names
from conformance.run import Answers
from conformance.setup import Creator
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError, UsageError
from scripts.lib.google.errors import translate_errors

LOCAL_PROJECT = "conformance-local"
_LOCAL_VARIABLE = "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"


@dataclass(frozen=True)
class Request:
    """The options of a comparison.

    Attributes:
        project: on Google Cloud
        location: of the resources
        only: the ids of the checks to run; all of them if empty
        output_file: of the JSON; None for no file
        recordings: the folder of the recordings; None for that of the tests
        real_root: an address to call instead of Google's own
        yes: do not ask first
    """

    project: str
    location: str
    only: Sequence[str] = ()
    output_file: Path | None = None
    recordings: Path | None = None
    real_root: str | None = None
    yes: bool = False


def list_checks(output: Output) -> None:
    """Print every check with the behaviour that it shows."""
    for check in ALL:
        output.result(f"{check.id:32} {check.title}")
    output.json({"checks": [{"check": check.id, "title": check.title} for check in ALL]})


def clean_up(output: Output) -> None:
    """Remove what runs that were killed have left.

    Raises:
        ScriptError: something is left
    """
    errors = cleanup.remove_left_over(output.result)
    _require_removed(errors)
    output.json({"removed": True})


def run(request: Request, output: Output) -> None:
    """Compare both clouds, print the table, write JSON and recordings.

    First remove what runs that were killed have left; what can't be removed stops nothing.

    Raises:
        ScriptError: a cloud refused to create a resource, or a resource is left
        typer.Exit: 3, some checks differ
    """
    _check_request(request, output)
    checks = select(request.only)
    names = Names.new(request.project, request.location)
    _announce(names, request, output)
    for error in cleanup.remove_left_over(output.report):
        output.report(f"An earlier run has left {error}")
    real, local = _answers(checks, names, request, output)
    results = report.compare(checks, real, local)
    if not output.as_json:
        output.out.print(report.table(results))
    shape = report.to_json(results)
    output.json(shape)
    if request.output_file:
        request.output_file.write_text(json.dumps(shape, indent=2, ensure_ascii=False) + "\n")
    _record(checks, real, request)
    output.result(f"{shape['equal']} checks are equal, {shape['different']} differ.")
    if shape["different"]:
        raise typer.Exit(int(ExitCode.PARTLY_FAILED))


def _check_request(request: Request, output: Output) -> None:
    """Refuse a request that could not end well.

    Raises:
        UsageError: an option is missing, or the environment leads to an emulator
    """
    if not request.project:
        raise UsageError("No project was named.", "Run make conformance PROJECT=my-project.")
    if output.as_json and not request.yes:
        raise UsageError("--json asks no question.", "Add --yes.")
    if request.output_file and not request.output_file.absolute().parent.is_dir():
        raise UsageError(f"{request.output_file.parent} is not a folder.")
    if request.real_root is None and _LOCAL_VARIABLE in os.environ:
        raise UsageError(
            f"{_LOCAL_VARIABLE} points this shell to a local Google Cloud.",
            "Run the comparison in a shell without the variables of `python -m emulator env`.",
        )


def select(only: Sequence[str]) -> list[Check]:
    """Return the checks with these ids, or all.

    Raises:
        UsageError: there is no check with one of the ids
    """
    known = {check.id for check in ALL}
    if unknown := sorted(set(only) - known):
        raise UsageError(
            f"There is no check {', '.join(unknown)}.", "python -m conformance --list lists them."
        )
    return [check for check in ALL if not only or check.id in only]


def _announce(names: Names, request: Request, output: Output) -> None:
    """Name what will be created, and the price; ask."""
    output.report("These resources are created for the comparison, and removed afterwards:")
    for line in names.describe():
        output.report(f"  {line}")
    output.report(PRICE)
    if not request.yes:
        typer.confirm("Continue?", abort=True, err=True)


def _answers(
    checks: Sequence[Check], names: Names, request: Request, output: Output
) -> tuple[Answers, Answers]:
    """Return the answers of both clouds; remove everything, whatever happens."""
    journal = Journal(folder() / f"{names.run}{SUFFIX}")
    try:
        real = open_cloud_project(request.project, request.location, request.real_root)
        with _local(names, journal, output) as local:
            # The local one first: it fails early, and costs nothing.
            answers = [
                _answers_of(checks, cloud, of, where, output)
                for cloud, of, where in (
                    (local, Names(LOCAL_PROJECT, names.location, names.run), None),
                    (real, names, journal),
                )
            ]
    finally:
        errors = cleanup.remove_all(journal, output.report)
        journal.close()
    _require_removed(errors)
    return answers[1], answers[0]


def _answers_of(
    checks: Sequence[Check],
    cloud: CloudProject,
    names: Names,
    journal: Journal | None,
    output: Output,
) -> Answers:
    with translate_errors(f"creating the resources of the comparison on {cloud.name}"):
        number = Creator(cloud, names, journal).create()
    return runner.run(checks, Lab(cloud, names, number), output.report)


@contextmanager
def _local(names: Names, journal: Journal, output: Output) -> Iterator[CloudProject]:
    """Start a local Google Cloud with a state of its own; the journal removes it.

    Raises:
        ScriptError: it does not start
    """
    state = folder() / f"local-{names.run}" / "emulator"
    journal.add(Entry(cleanup.EMULATOR, str(state), LOCAL_PROJECT))
    try:
        running = emulator.start(state, all_services_enabled=True, report=output.report)
    except emulator.EmulatorError as error:
        raise ScriptError(str(error)) from error
    yield open_cloud_project(LOCAL_PROJECT, names.location, running.url)


def _record(checks: Sequence[Check], real: Answers, request: Request) -> None:
    where = request.recordings
    if where is None and request.real_root is None:
        where = recordings.FOLDER
    if where is None:
        return
    today = datetime.now(UTC).date().isoformat()
    for check in checks:
        if not report.is_failure(real[check.id]):
            recording = recordings.Recording(check.id, today, request.location, real[check.id])
            recordings.write(where, recording)


def _require_removed(errors: Sequence[str]) -> None:
    if errors:
        raise ScriptError(
            "Some resources could not be removed:\n" + "\n".join(errors),
            "Run python -m conformance --cleanup to try again.",
        )
