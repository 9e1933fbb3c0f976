"""Measure x-rays when they arrive: deploy, import, wait, query what was found and what measured."""

import time
from functools import partial
from pathlib import Path
from typing import Annotated

import measured
import typer
from deployed import STACK, Deployed, deploy_stack, up_again
from measured import CUT_OFF, FINDING, Counts, Row
from rich.table import Table as RichTable

from scripts.data import dicom_import, metadata_export
from scripts.data.write_disposition import WriteDisposition
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.follow_operation import follow_operation
from scripts.lib.google import clients, gcs_uri
from scripts.lib.google.dicomweb import STUDY_INSTANCE_UID, DicomWeb, value
from scripts.lib.google.iam_propagation import retry_while_denied
from scripts.lib.options import ROOT, Choice

IMAGE, REPORT = "DX", "SR"
"""Modalities of the x-rays and of the reports about them."""
PATIENCE_SECONDS = 120.0
"""For the next report, whatever has come before."""
_POLL_SECONDS = 0.5
_SHOWN = 10
HELP = """Measure x-rays when they arrive: deploy, import, wait for the reports, and query both.

Each imported x-ray is measured by the stack's inference service, which stores a structured report
beside it. The metadata of both is exported to BigQuery, where a view shows the findings of each
x-ray beside its measured cardiothoracic ratio. Not for clinical use.

[bold]Examples[/bold]

  run.py                                   on the local Google Cloud, all x-rays of the lab

  run.py --source 'gs://BUCKET/FOLDER/*.dcm' --json

[bold]Exit codes[/bold]: 0 success; 1 failure, or an x-ray without a report; 2 usage error;
130 interrupted."""
AFTER_INTERRUPT = "Run it again to continue; `make inference-down` takes everything down."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = STACK,
    source: Annotated[
        str, typer.Option(metavar="GS_URI", help="The files to import; may have wildcards")
    ] = gcs_uri.LAB_SOURCE,
    cut_off: Annotated[
        float, typer.Option(min=0, max=1, help="The ratio above which a heart counts as enlarged")
    ] = CUT_OFF,
    use_stored: Annotated[
        bool, typer.Option(help="Import and export nothing: a stream fills the table")
    ] = False,
    deployed: cli.UseDeployed = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    work = partial(
        run, stack_name, None if use_stored else source, cut_off, cwd, is_deployed=deployed
    )
    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


def run(
    stack_name: str,
    source: str | None,
    cut_off: float,
    program: Path,
    output: Output,
    *,
    is_deployed: bool,
) -> None:
    """Deploy, import, wait, query.

    Args:
        stack_name: the stack
        source: of the x-rays; None takes those that are in the store
        cut_off: the ratio above which a heart counts as enlarged
        program: folder of the program
        output: where to report
        is_deployed: whether the stack is up already

    Raises:
        ScriptError: a step failed, or an x-ray has no report
    """
    if source is not None:
        source = str(gcs_uri.parse(source))
    deployed = deploy_stack(stack_name, program, output, is_deployed=is_deployed)
    choice = Choice(stack=stack_name)
    if source is not None:
        act = partial(_import, deployed, source, choice, output)
        retry_while_denied(act, fresh=deployed.is_new, report=output.report)
    images, seconds = _wait(deployed, output)
    if source is not None:
        _export(deployed, choice, output)
    # The views are there from the first deployment after an export.
    up_again(deployed, output)
    rows = measured.rows(clients.big_query(deployed.project, deployed.location), deployed.view)
    counts = measured.count(rows, cut_off)
    _show(rows, counts, cut_off, output)
    if len(rows) < images:
        raise ScriptError(
            f"{deployed.view.uri} has {len(rows)} measurements of {images} x-rays.",
            "Read the log of the service, and the dead letters: they say why.",
        )
    output.json(
        {
            "ok": True,
            "images": images,
            "seconds": round(seconds, 2),
            "view": deployed.view.uri,
            "cutOff": cut_off,
            "truePositive": counts.true_positive,
            "falseNegative": counts.false_negative,
            "falsePositive": counts.false_positive,
            "trueNegative": counts.true_negative,
            "sensitivity": counts.sensitivity,
            "specificity": counts.specificity,
        }
    )


def _import(deployed: Deployed, source: str, choice: Choice, output: Output) -> None:
    client = clients.healthcare()
    output.report(f"Importing {source} into {deployed.store} ...")
    name = dicom_import.start(client, deployed.store, source, output.report)
    labels = dicom_import.labels(choice, deployed.store, name)
    follow_operation(client, name, labels, output=output)


def _wait(deployed: Deployed, output: Output) -> tuple[int, float]:
    """Wait until each x-ray has a report; return their number, and the seconds that it took.

    Raises:
        ScriptError: no further report came in time
    """
    web = DicomWeb(*clients.dicom_web(deployed.store))
    images = _studies(web, IMAGE)
    if not images:
        raise ScriptError(
            f"{deployed.store} has no x-rays of modality {IMAGE} to measure.",
            "Choose files that have some with --source.",
        )
    output.report(f"Waiting for the reports of {len(images)} studies ...")
    began = last = time.monotonic()
    missing = len(images)
    while missing:
        left = len(images - _studies(web, REPORT))
        now = time.monotonic()
        if left < missing:
            missing, last = left, now
        elif now - last > PATIENCE_SECONDS:
            raise ScriptError(
                f"{missing} of {len(images)} studies have no report.",
                "Read the log of the service, and the dead letters: they say why.",
            )
        if missing:
            time.sleep(_POLL_SECONDS)
    return len(images), time.monotonic() - began


def _studies(web: DicomWeb, modality: str) -> set[str]:
    """Return the studies that have an instance of a modality."""
    return {str(value(one, STUDY_INSTANCE_UID)) for one in web.search("series", Modality=modality)}


def _export(deployed: Deployed, choice: Choice, output: Output) -> None:
    """Export the metadata of images and reports, in place of what a run before this one did."""
    client = clients.healthcare()
    output.report(f"Exporting {deployed.store} to {deployed.table.uri} ...")
    truncate = WriteDisposition.TRUNCATE
    started = metadata_export.start(client, deployed.store, deployed.table, truncate, output.report)
    labels = metadata_export.labels(choice, deployed.table, started.name)
    follow_operation(client, started.name, labels, output=output)


def _show(rows: list[Row], counts: Counts, cut_off: float, output: Output) -> None:
    if output.as_json:
        return
    listed = RichTable("patient", "findings", "ratio", box=None, title_justify="left")
    for row in rows[:_SHOWN]:
        listed.add_row(row.patient, row.finding.replace("|", ", "), f"{row.ratio:.3f}")
    output.out.print(listed)
    sides = RichTable("x-rays", f"ratio > {cut_off}", f"ratio <= {cut_off}", "", box=None)
    sensitivity, specificity = _percent(counts.sensitivity), _percent(counts.specificity)
    sides.add_row(
        f"with {FINDING}",
        str(counts.true_positive),
        str(counts.false_negative),
        f"sensitivity {sensitivity}",
    )
    sides.add_row(
        f"without {FINDING}",
        str(counts.false_positive),
        str(counts.true_negative),
        f"specificity {specificity}",
    )
    output.out.print(sides)


def _percent(share: float | None) -> str:
    return "of none" if share is None else f"{share:.2f}"


if __name__ == "__main__":
    app()
