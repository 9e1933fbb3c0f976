"""Run a pipeline of Apache Beam on Dataflow: launch, follow, cancel or resume it."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice

HELP = """Run a pipeline of Apache Beam on Dataflow: launch it, and follow it to its end.

- [cyan]ingest[/cyan] stores DICOM files of Cloud Storage in a DICOM store.
- [cyan]features[/cyan] computes features of the instances of a store, for BigQuery.
- [cyan]cohort[/cyan] copies what a query selects into another store, de-identified.

Parameters are NAME=VALUE; --parameters explains those of a pipeline. The store, or the source of a
cohort, is the stack's first one by default. The folder output has the report, and resumes the run.

[bold]Examples[/bold]

  run_pipeline.py --parameters ingest

  run_pipeline.py ingest source=gs://b/in/ output=gs://b/runs/1

  run_pipeline.py features output=gs://b/runs/2 table=p.d.features

  run_pipeline.py --resume gs://b/runs/1

  run_pipeline.py --cancel 2026-11-30_12_00_00-1234

[bold]Exit codes[/bold]: 0 success; 1 failed or cancelled; 2 usage error; 3 there are dead letters;
4 timed out, the job is still running; 130 interrupted."""

AFTER_INTERRUPT = "Either nothing was launched, or the job continues by itself: --resume follows."

app = cli.application()


@app.command(help=HELP)
def main(
    pipeline: Annotated[
        str | None, typer.Argument(metavar="[PIPELINE]", help="ingest, features or cohort")
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Its parameters")
    ] = None,
    stack_name: Annotated[
        str | None,
        typer.Option(
            "--stack",
            "-s",
            help="Pulumi stack whose outputs give the names. [dim]\\[default: local, unless "
            "project, location and store are given][/dim]",
        ),
    ] = None,
    project: cli.Project = None,
    location: Annotated[
        str | None, typer.Option(help="Region of the job, instead of the stack's")
    ] = None,
    template: Annotated[
        str, typer.Option(metavar="GS_URI", help="Template on Cloud Storage, not the stack's")
    ] = "",
    image: Annotated[
        str,
        typer.Option(
            help="Image of the pipeline, instead of the template's. [dim]\\[default without a "
            "template: LOCATION-docker.pkg.dev/PROJECT/pipelines/PIPELINE-pipeline:latest][/dim]"
        ),
    ] = "",
    worker_account: Annotated[
        str, typer.Option(metavar="EMAIL", help="Service account of the workers")
    ] = "",
    max_workers: Annotated[
        int | None, typer.Option(min=1, help="Workers at most. [dim]\\[default: Dataflow's][/dim]")
    ] = None,
    machine_type: Annotated[
        str, typer.Option(help="Machines of the workers. [dim]\\[default: Dataflow's][/dim]")
    ] = "",
    option: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Another option of Beam; may be repeated"),
    ] = None,
    explained: Annotated[
        str | None,
        typer.Option("--parameters", metavar="PIPELINE", help="Explain its parameters"),
    ] = None,
    resume: Annotated[
        str | None,
        typer.Option(metavar="GS_URI", help="Continue the run of this output folder"),
    ] = None,
    follow: Annotated[
        str | None, typer.Option(metavar="JOB", help="Follow this job instead of launching one")
    ] = None,
    cancel: Annotated[
        str | None, typer.Option(metavar="JOB", help="Cancel this job; its run can be resumed")
    ] = None,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Print the job's id and leave it running")
    ] = False,
    no_quota_check: Annotated[
        bool,
        typer.Option("--no-quota-check", help="Do not compare the region's quotas with the need"),
    ] = False,
    timeout: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            help="Seconds to follow the job, which continues afterwards "
            "[dim]\\[default: until it ends][/dim]",
        ),
    ] = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    if sum(one is not None for one in (pipeline, explained, resume, follow, cancel)) != 1:
        raise typer.BadParameter(
            "name a pipeline, or one of --parameters, --resume, --follow and --cancel"
        )
    if parameters and pipeline is None:
        raise typer.BadParameter("only the launch of a pipeline takes parameters")

    def work(output: Output) -> None:
        from scripts.pipelines import commands
        from scripts.pipelines.runs import Template

        choice = Choice(stack_name, project, location)
        options = commands.Options(no_wait, timeout, not no_quota_check)
        if explained is not None:
            commands.explain(explained, output)
            return
        if resume is not None:
            outcome = commands.resume(resume, choice, options, output)
        elif follow is not None:
            outcome = commands.follow(follow, choice, options, output)
        elif cancel is not None:
            outcome = commands.cancel(cancel, choice, output)
        else:
            workers = {"maxWorkers": max_workers, "machineType": machine_type}
            environment = {name: value for name, value in workers.items() if value}
            wanted = Template(template, image, worker_account, tuple(option or ()), environment)
            given = parameters or []
            outcome = commands.launch(pipeline or "", given, choice, wanted, options, output)
        commands.show(outcome, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
