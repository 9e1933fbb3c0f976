"""Run a hospital on both adapters: deploy, send studies and messages, check what arrived."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import arrivals
import his
import modality
import peers
import pydicom
from arrivals import Arrival, Claim
from deployed import STACK, Hospital, deploy_hospital
from his import Examination, Message
from rich.table import Table

from engine.loopback import is_loopback
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, gcs_uri
from scripts.lib.google.errors import translate_errors
from scripts.lib.options import ROOT

HELP = """Run a hospital on both adapters: deploy, send studies and messages, check what arrived.

An X-ray unit sends studies by DIMSE, and a workstation searches for them. An information system
sends admissions and reports by MLLP. Everything must arrive in the stores and in BigQuery, new
instances in an archive behind the DIMSE adapter, reports in a record system behind the MLLP
adapter. Each run sends new studies.

The archive and the record system run here if the stack file gives them loopback addresses.

[bold]Examples[/bold]

  run.py                        on the local Google Cloud

  run.py --studies 50 --json    more studies, the outcome for a program

[bold]Exit codes[/bold]: 0 success; 1 failure, or something did not arrive; 2 usage error;
130 interrupted."""
AFTER_INTERRUPT = "Run it again to continue; `make hospital-down` takes everything down."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = STACK,
    studies: cli.Studies = 6,
    deployed: cli.UseDeployed = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    work = partial(run, stack_name, studies, cwd, is_deployed=deployed)
    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


def run(stack_name: str, studies: int, program: Path, output: Output, *, is_deployed: bool) -> None:
    """Deploy, send, check.

    Raises:
        ScriptError: a step failed, or something did not arrive
    """
    hospital = deploy_hospital(stack_name, program, output, is_deployed=is_deployed)
    with _peers(hospital) as (archived, recorded), TemporaryDirectory() as folder:
        files = _acquire(hospital, studies, Path(folder), output)
        examinations = _store(hospital, files, output)
        messages = his.messages(examinations)
        output.report(f"Sending {len(messages)} messages by MLLP ...")
        his.send(messages, hospital.mllp_address)
        uids = frozenset(file.stem for file in files)
        found = arrivals.wait(
            [
                *_claims(hospital, uids, messages),
                *_claims_of_peers(hospital, uids, messages, archived, recorded),
            ],
            output.report,
        )
        _search(hospital, examinations[0], output)
    _show(found, hospital, stack_name, examinations[0].patient, output)


@contextmanager
def _peers(hospital: Hospital) -> Iterator[tuple[set[str] | None, set[str] | None]]:
    """Run the archive and the record system; None stands for one that runs elsewhere."""
    title, archive = hospital.archive
    with ExitStack() as running:
        archived = recorded = None
        if is_loopback(archive[0]):
            archived = running.enter_context(peers.archive(title, archive))
        if is_loopback(hospital.record_system[0]):
            recorded = running.enter_context(peers.record_system(hospital.record_system))
        yield archived, recorded


def _acquire(hospital: Hospital, studies: int, folder: Path, output: Output) -> list[Path]:
    """Make new studies of pictures of the lab's bucket."""
    source = gcs_uri.parse(gcs_uri.LAB_SOURCE)
    output.report(f"Making {studies} studies of pictures in gs://{source.bucket} ...")
    client = clients.cloud_storage(str(hospital.outputs["projectId"]))
    prefix = source.pattern.partition("*")[0]
    files = []
    with translate_errors(f"reading gs://{source.bucket}"):
        for blob in client.list_blobs(source.bucket, prefix=prefix, max_results=studies):
            original = folder / "original.dcm"
            blob.download_to_filename(str(original))
            files.append(modality.acquire(original, folder))
            original.unlink()
    return files


def _store(hospital: Hospital, files: Sequence[Path], output: Output) -> list[Examination]:
    """Send studies by DIMSE."""
    pictures = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    output.report(f"Sending {len(files)} instances by DIMSE ...")
    name = modality.store(files, hospital.title, hospital.dimse_address)
    output.report(f"{name} has stored them.")
    return [
        Examination(str(each.PatientID), str(each.StudyInstanceUID), str(each.StudyDescription))
        for each in pictures
    ]


def _search(hospital: Hospital, examination: Examination, output: Output) -> None:
    """Search for a study as a workstation does.

    Raises:
        ScriptError: the workstation does not find it
    """
    found = modality.find_studies(examination.patient, hospital.title, hospital.dimse_address)
    if examination.study not in found:
        raise ScriptError(f"A C-FIND for the patient does not find study {examination.study}.")
    output.report(f"The workstation finds study {examination.study}.")


def _claims(hospital: Hospital, uids: frozenset[str], messages: Sequence[Message]) -> list[Claim]:
    """Return what must arrive in Google Cloud."""
    table = str(hospital.outputs["tableUri"])
    project, location = str(hospital.outputs["projectId"]), str(hospital.outputs["region"])
    sent = frozenset(message.control_id for message in messages)
    return [
        Claim("instances", hospital.store, uids, partial(arrivals.instances, hospital.store)),
        Claim("rows", table, uids, partial(arrivals.rows, project, location, table)),
        Claim(
            "messages",
            hospital.hl7v2_store,
            sent,
            partial(arrivals.control_ids, hospital.hl7v2_store),
        ),
    ]


def _claims_of_peers(
    hospital: Hospital,
    uids: frozenset[str],
    messages: Sequence[Message],
    archived: set[str] | None,
    recorded: set[str] | None,
) -> Iterator[Claim]:
    """Yield what must arrive in the systems that the adapters send to."""
    if archived is not None:
        title, (host, port) = hospital.archive
        yield Claim("instances", f"archive {title} at {host}:{port}", uids, archived.copy)
    if recorded is not None:
        host, port = hospital.record_system
        reports = frozenset(each.control_id for each in messages if each.event.startswith("ORU"))
        yield Claim("reports", f"record system at {host}:{port}", reports, recorded.copy)


def _show(
    found: Sequence[Arrival], hospital: Hospital, stack_name: str, patient: str, output: Output
) -> None:
    """Print what arrived.

    Raises:
        ScriptError: something did not arrive
    """
    table = Table("sent", "arrived", "of", "where", box=None, title_justify="left")
    for arrival in found:
        claim = arrival.claim
        table.add_row(str(len(claim.sent)), str(arrival.count), claim.what, claim.where)
    if not output.as_json:
        output.out.print(table)
    shape = [
        {
            "what": each.claim.what,
            "where": each.claim.where,
            "sent": len(each.claim.sent),
            "arrived": each.count,
        }
        for each in found
    ]
    missing = [each for each in found if not each.is_complete]
    if missing:
        listed = ", ".join(f"{each.claim.what} in {each.claim.where}" for each in missing)
        raise ScriptError(
            f"Not everything arrived in time: {listed}.",
            "Read the logs of the adapters: they say why.",
            details={"arrivals": shape},
        )
    if is_loopback(hospital.dimse_address[0]):
        output.result(f"Console: {clients.healthcare_root()}_console/")
        output.result(f"Viewer: make view STACK={stack_name} ARGS='--patient {patient}'")
    output.json({"ok": True, "arrivals": shape})


if __name__ == "__main__":
    app()
