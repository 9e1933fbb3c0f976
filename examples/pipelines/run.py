"""Run the pipelines: deploy, ingest files, compute features, copy a cohort, check every claim."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import claims
import files
import typer

from scripts.data import metadata_export
from scripts.data.write_disposition import WriteDisposition
from scripts.lib import cli, stack
from scripts.lib.cli import Output
from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.follow_operation import follow_operation
from scripts.lib.google import clients, gcs_uri
from scripts.lib.google.bigquery import Table, query
from scripts.lib.google.iam_propagation import retry_while_denied
from scripts.lib.options import ROOT, Choice
from scripts.lib.pulumi_stack import PulumiStack
from scripts.lib.stack_outputs import Outputs
from scripts.pipelines import commands
from scripts.pipelines.runs import Template
from scripts.stacks import from_template
from scripts.stacks.claims import Claim, show

STACK = "local-pipelines"
TEMPLATE = Path(__file__).with_name(f"Pulumi.{STACK}.yaml")
SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000000*.dcm"
"""The x-rays of nine patients."""
COHORT = "PatientSex = 'F'"
"""Of the rows of the exported metadata."""
HELP = f"""Run the pipelines: deploy, ingest, compute features, copy a cohort, check every claim.

The files of the lab, with a few damaged, duplicate and contradictory ones, are ingested into a
store. Its metadata is exported to BigQuery; features are computed of it, and a cohort that SQL
chooses there ({COHORT}) is copied into another store, de-identified. Each is a job of Dataflow.
A second run resumes the first one's folders: nothing is stored or copied twice.

[bold]Examples[/bold]

  run.py                        on the local Google Cloud

  run.py --json                 the outcome for a program

  run.py --clear                empty the bucket, which a teardown refuses to lose

[bold]Exit codes[/bold]: 0 success; 1 failure, or a claim that does not hold; 2 usage error;
130 interrupted."""
AFTER_INTERRUPT = "Run it again to continue; `make pipelines-down` takes everything down."

app = cli.application()


@dataclass(frozen=True)
class Site:
    """Stack, stores and folders of the pipelines.

    Attributes:
        stack: its name
        outputs: of the stack
        is_new: whether the deployment created something
    """

    stack: str
    outputs: Outputs
    is_new: bool

    @property
    def bucket(self) -> str:
        """The bucket of files and runs."""
        return str(self.outputs.pipelines["bucket"])

    @property
    def stores(self) -> tuple[str, str]:
        """The full names of the store of originals and of that of copies."""
        source, copies, *_ = self.outputs.dicom_stores.values()
        return source, copies

    def table(self, name: str) -> Table:
        """Return a table of the stack's dataset."""
        return Table(self.outputs.project, self.outputs.bigquery_dataset, name)

    def folder(self, run: str) -> str:
        """Return the folder of a run."""
        return f"gs://{self.bucket}/{files.RUNS}{run}"


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = STACK,
    source: Annotated[
        str, typer.Option(metavar="GS_URI", help="The files to ingest; may have wildcards")
    ] = SOURCE,
    clear: Annotated[
        bool, typer.Option("--clear", help="Delete files and folders of runs, and do nothing else")
    ] = False,
    deployed: cli.UseDeployed = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    work = partial(empty, stack_name, cwd)
    if not clear:
        work = partial(run, stack_name, source, cwd, is_deployed=deployed)
    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


def run(stack_name: str, source: str, program: Path, output: Output, *, is_deployed: bool) -> None:
    """Deploy, ingest, compute features, copy a cohort, check.

    Args:
        stack_name: the stack
        source: of the files
        program: folder of the program
        output: where to report
        is_deployed: whether the stack is up already

    Raises:
        ScriptError: a step failed, or a claim does not hold
    """
    gcs_uri.parse(source)
    site = _site(stack_name, program, output, is_deployed=is_deployed)
    client = clients.cloud_storage(site.outputs.project)
    output.report(f"Copying {source} to gs://{site.bucket}/{files.FOLDER} ...")
    put = partial(files.put, client, source, site.bucket)
    found = retry_while_denied(put, fresh=site.is_new, report=output.report)
    show([*_claims(site, found, output)], output)


def empty(stack_name: str, program: Path, output: Output) -> None:
    """Delete the files and the folders of the runs; there are none if the stack is not up.

    Raises:
        ScriptError: the stack can't be read, or Cloud Storage refuses
    """
    environment = stack.enter(stack_name, output.report)
    outputs = PulumiStack(stack_name, program, environment.environment).outputs()
    found = Outputs.from_json(stack_name, outputs) if outputs else None
    bucket = found.pipelines.get("bucket") if found else None
    deleted = files.clear(clients.cloud_storage(found.project), bucket) if found and bucket else 0
    where = f"gs://{bucket}" if bucket else f"stack {stack_name}, which is not up"
    output.result(f"Deleted {deleted} objects of {where}.")
    output.json({"bucket": bucket, "deleted": deleted})


def _site(stack_name: str, program: Path, output: Output, *, is_deployed: bool) -> Site:
    found = from_template.up(TEMPLATE, stack_name, program, output, deployed=is_deployed)
    outputs = Outputs.from_json(stack_name, dict(found.outputs))
    if not outputs.pipelines or len(outputs.dicom_stores) < len(("source", "copies")):
        raise ScriptError(
            f"{found.file} has no pipelines over two DICOM stores.",
            f"Take {TEMPLATE.name} of examples/pipelines as a model.",
        )
    return Site(stack_name, outputs, found.is_new)


def _claims(site: Site, found: files.Files, output: Output) -> Iterator[Claim]:
    """Run the pipelines, and yield what came of each."""
    source, copies = site.stores
    prefix = f"gs://{site.bucket}/{files.FOLDER}"
    ingested = _pipeline(site, "ingest", output, source=prefix, store=source)
    yield from claims.of_ingest(ingested, found, source)

    exported, features = site.table("arrivals"), site.table("features")
    _export(site, source, exported, output)
    target = f"{features.project}.{features.dataset}.{features.table}"
    computed = _pipeline(site, "features", output, export=exported.uri, table=target)
    client = clients.big_query(site.outputs.project, site.outputs.location)
    yield claims.of_features(computed, source, client, features)

    sql = (
        "SELECT StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID"  # noqa: S608
        f" FROM {exported.sql} WHERE {COHORT}"
    )
    chosen = len(query(client, sql).rows)
    copied = _pipeline(site, "cohort", output, source=source, destination=copies, sql=sql)
    yield from claims.of_cohort(copied, chosen, source, copies, found.patients)


def _export(site: Site, store: str, table: Table, output: Output) -> None:
    """Export the metadata of a store, in place of what a run before this one did."""
    client, choice = clients.healthcare(), Choice(stack=site.stack)
    output.report(f"Exporting {store} to {table.uri} ...")
    truncate = WriteDisposition.TRUNCATE
    start = partial(metadata_export.start, client, store, table, truncate, output.report)
    started = retry_while_denied(start, fresh=site.is_new, report=output.report)
    labels = metadata_export.labels(choice, table, started.name)
    follow_operation(client, started.name, labels, output=output)


def _pipeline(site: Site, name: str, output: Output, **parameters: str) -> Mapping[str, Any]:
    """Run a pipeline in its folder, or resume it there; return its report.

    Raises:
        ScriptError: it failed; dead letters are no failure
    """
    output.report(f"Running the pipeline {name} ...")
    given = {**parameters, "output": site.folder(name)}
    words = [f"{key}={value}" for key, value in given.items()]
    # One process is enough for so few files; Dataflow itself has no use for the option.
    template = Template(options=("direct_running_mode=in_memory",))
    choice, options = Choice(stack=site.stack), commands.Options()
    try:
        outcome = commands.launch(name, words, choice, template, options, output)
    except ScriptError as error:
        if error.exit_code == ExitCode.INTERRUPTED:
            raise ScriptError(error.message, AFTER_INTERRUPT, error.exit_code) from None
        if error.exit_code != ExitCode.PARTLY_FAILED:
            raise
        outcome = error.details
        output.report(f"{error.message} {error.hint}")
    report: Mapping[str, Any] = outcome["report"]
    return report


if __name__ == "__main__":
    app()
