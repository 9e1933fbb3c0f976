"""Commands of `run_pipeline.py`: launch, resume, follow, cancel."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scripts.lib import cli, stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.options import DEFAULT_STACK, Choice
from scripts.pipelines import following, jobs, runs
from scripts.pipelines.jobs import Jobs, Region
from scripts.pipelines.runs import Folder, Template

SCRIPT = "run_pipeline.py"
_STORE = {"ingest": "store", "features": "store", "cohort": "source"}
"""Pipeline -> its parameter that the stack's first DICOM store is the default of."""

Json = dict[str, Any]


@dataclass(frozen=True)
class Options:
    """How long a job is followed.

    Attributes:
        no_wait: print the id of the job and leave it running
        timeout: seconds to follow it; None follows it to its end
    """

    no_wait: bool = False
    timeout: float | None = None


def launch(
    pipeline: str,
    pairs: Sequence[str],
    choice: Choice,
    template: Template,
    options: Options,
    output: Output,
) -> None:
    """Launch a run, and follow it."""
    given = runs.parameters_of(pipeline, pairs)
    region, store = _region(choice, output, with_store=_STORE[pipeline] not in given)
    if store:
        given[_STORE[pipeline]] = store
    runs.check_complete(pipeline, given)
    folder = Folder(given["output"], region.project)
    parameter = runs.launch_parameter(pipeline, given, template, region.project, region.location)
    record = {"pipeline": pipeline, **region.__dict__, "launchParameter": parameter}
    folder.write_record(record)
    _run(Jobs(region), parameter, folder, choice, options, output)


def resume(uri: str, choice: Choice, options: Options, output: Output) -> None:
    """Launch a run again that was stopped, with the same parameters, and follow it."""
    region, _ = _region(choice, output, with_store=False)
    folder = Folder(uri, region.project)
    record = folder.record()
    there = Region(record["project"], record["location"])
    _run(Jobs(there), record["launchParameter"], folder, choice, options, output)


def follow(id_: str, choice: Choice, options: Options, output: Output) -> None:
    """Follow a job."""
    jobs.check_id(id_)
    region, _ = _region(choice, output, with_store=False)
    found = Jobs(region)
    job = following.follow(found, {"id": id_}, _again(id_, choice), output, options.timeout)
    output.json({"job": job["id"], "state": job["currentState"]})


def cancel(id_: str, choice: Choice, output: Output) -> None:
    """Cancel a job."""
    jobs.check_id(id_)
    region, _ = _region(choice, output, with_store=False)
    job = Jobs(region).cancel(id_)
    output.json({"job": job["id"], "state": job["currentState"]})
    output.result(job["currentState"])


def _run(
    found: Jobs,
    parameter: Json,
    folder: Folder,
    choice: Choice,
    options: Options,
    output: Output,
) -> None:
    job = found.launch(parameter)
    if job is None:
        job = found.active(parameter["jobName"]) or found.launch(parameter)
        output.report("A job of this run is active: following it.")
    if job is None:
        raise UsageError(f"The job {parameter['jobName']} ended a moment ago: run this again.")
    if options.no_wait:
        output.json({"job": job["id"], "state": job["currentState"], "output": folder.uri})
        output.result(job["id"])
        return
    again = cli.command_line(SCRIPT, ["--resume", folder.uri, *choice.flags])
    job = following.follow(found, job, again, output, options.timeout)
    following.finish(job, folder, output)


def _region(choice: Choice, output: Output, *, with_store: bool) -> tuple[Region, str]:
    """Return where the jobs are, and the store of the stack if it is wanted."""
    if choice.project and choice.location and choice.stack is None and not with_store:
        return Region(choice.project, choice.location), ""
    name = choice.stack or DEFAULT_STACK
    if with_store:
        target = stack.resolve(choice, output.report)
        return Region(target.project, target.location), target.store
    stack.enter(name, output.report)
    if choice.project and choice.location:
        return Region(choice.project, choice.location), ""
    found = stack.outputs(name)
    return Region(choice.project or found.project, choice.location or found.location), ""


def _again(id_: str, choice: Choice) -> str:
    return cli.command_line(SCRIPT, ["--follow", id_, *choice.flags])
