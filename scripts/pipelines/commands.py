"""Commands of `run_pipeline.py`: launch, resume, follow, cancel."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from scripts.lib import cli, stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.options import DEFAULT_STACK, Choice
from scripts.pipelines import following, jobs, quotas, runs
from scripts.pipelines.following import Commands
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
        checks_quotas: compare the quotas of the region with the need of the workers first
    """

    no_wait: bool = False
    timeout: float | None = None
    checks_quotas: bool = True


@dataclass(frozen=True)
class _Where:
    """The names that a command works with.

    Attributes:
        region: of the jobs
        store: the full name of the stack's DICOM store, if it was asked for
        workers: the output `pipelines` of the stack; empty without one or of an older version
    """

    region: Region
    store: str = ""
    workers: Mapping[str, Any] = field(default_factory=dict)


def explain(pipeline: str, output: Output) -> None:
    """Show the parameters of a pipeline.

    Raises:
        UsageError: there is no such pipeline
    """
    found = runs.known_parameters(pipeline)
    output.json({"pipeline": pipeline, "parameters": [*found.values()]})
    for line in runs.described(found).splitlines():
        output.result(line)


def launch(
    pipeline: str,
    pairs: Sequence[str],
    choice: Choice,
    template: Template,
    options: Options,
    output: Output,
) -> Json:
    """Launch a run, and follow it; return its outcome."""
    given = runs.parameters_of(pipeline, pairs)
    # An export stands for the store that it comes from.
    needs_store = _STORE[pipeline] not in given and "export" not in given
    where = _where(choice, output, with_store=needs_store)
    region = where.region
    if where.store:
        given[_STORE[pipeline]] = where.store
    runs.check_complete(pipeline, given)
    folder = Folder(given["output"], region.project)
    if not template.uri and where.workers.get("region", region.location) != region.location:
        raise UsageError(
            f"The stack's templates and its subnetwork are in {where.workers['region']}, not in"
            f" {region.location}.",
            "Leave --location out, or name the --template of that region.",
        )
    chosen = runs.with_stack(pipeline, template, where.workers)
    if options.checks_quotas:
        _check_quotas(region, chosen, where.workers, output)
    parameter = runs.launch_parameter(pipeline, given, chosen, region.project, region.location)
    record = {"pipeline": pipeline, **region.__dict__, "launchParameter": parameter}
    folder.write_record(record)
    return _run(Jobs(region), parameter, folder, choice, options, output)


def resume(uri: str, choice: Choice, options: Options, output: Output) -> Json:
    """Launch a run again that was stopped, with the same parameters, as `launch` does."""
    region = _where(choice, output, with_store=False).region
    folder = Folder(uri, region.project)
    record = folder.record()
    there = Region(record["project"], record["location"])
    return _run(Jobs(there), record["launchParameter"], folder, choice, options, output)


def follow(id_: str, choice: Choice, options: Options, output: Output) -> Json:
    """Follow a job; return its state."""
    jobs.check_id(id_)
    region = _where(choice, output, with_store=False).region
    commands = Commands(cli.command_line(SCRIPT, ["--follow", id_, *choice.flags]))
    job = following.follow(Jobs(region), {"id": id_}, commands, output, options.timeout)
    return _state(job)


def cancel(id_: str, choice: Choice, output: Output) -> Json:
    """Cancel a job; return its state."""
    jobs.check_id(id_)
    region = _where(choice, output, with_store=False).region
    return _state(Jobs(region).cancel(id_))


def show(outcome: Json, output: Output) -> None:
    """Show an outcome: the report of a run, the id of a job that was left, or a state."""
    output.json(outcome)
    if "report" in outcome:
        for name, value in outcome["report"].items():
            output.result(f"{name}: {value}")
    else:
        output.result(outcome["job"] if "output" in outcome else outcome["state"])


def _run(
    found: Jobs,
    parameter: Json,
    folder: Folder,
    choice: Choice,
    options: Options,
    output: Output,
) -> Json:
    job = found.launch(parameter)
    if job is None:
        job = found.active(parameter["jobName"]) or found.launch(parameter)
        output.report("A job of this run is active: following it.")
    if job is None:
        raise UsageError(f"The job {parameter['jobName']} ended a moment ago: run this again.")
    if options.no_wait:
        return {**_state(job), "output": folder.uri}
    again = cli.command_line(SCRIPT, ["--resume", folder.uri, *choice.flags])
    job = following.follow(found, job, Commands(again, again), output, options.timeout)
    return following.finish(job, folder)


def _check_quotas(
    region: Region, template: Template, workers: Mapping[str, Any], output: Output
) -> None:
    """Compare the quotas of the region with the need, if the number of workers has a limit."""
    environment = template.environment
    most = environment.get("maxWorkers") or (workers.get("maxWorkers") if template.uri else None)
    if most is None:
        return
    is_private = bool(workers.get("subnetwork"))
    machine = str(environment.get("machineType", ""))
    quotas.check(region, quotas.Need(int(most), machine, not is_private), output)


def _where(choice: Choice, output: Output, *, with_store: bool) -> _Where:
    """Return where the jobs are; of a stack also its store, if wanted, and its workers."""
    if choice.project and choice.location and choice.stack is None and not with_store:
        return _Where(Region(choice.project, choice.location))
    name = choice.stack or DEFAULT_STACK
    stack.enter(name, output.report)
    found = stack.outputs(name)
    location = choice.location or found.pipelines.get("region") or found.location
    region = Region(choice.project or found.project, location)
    store = stack.target(choice, found).store if with_store else ""
    return _Where(region, store, found.pipelines)


def _state(job: Json) -> Json:
    return {"job": job["id"], "state": job["currentState"]}
