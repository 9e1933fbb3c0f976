"""Run a gateway before a DICOM store: deploy, import studies, check who gets through."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import httpx
import typer
import visitors
from rich.table import Table

from engine.errors import EngineError
from engine.loopback import is_loopback
from engine.viewer import study_page
from scripts.data import dicom_import
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.follow_operation import follow_operation
from scripts.lib.google import clients
from scripts.lib.google.dicomweb import DicomWeb
from scripts.lib.options import ROOT, Choice
from scripts.lib.stack_outputs import Outputs
from scripts.stacks import from_template
from scripts.stacks.from_template import Deployed

STACK = "local-gateway"
TEMPLATE = Path(__file__).with_name(f"Pulumi.{STACK}.yaml")
SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/0000008*.dcm"
"""The x-rays of ten patients."""
PERSON, PROGRAM = "ana@hospital.example", "user:modality@hospital.example"
STRANGER = "someone@elsewhere.example"
HELP = """Run a gateway before a DICOM store: deploy, import studies, check who gets through.

A member of the hospital signs in and reads; a program with an editor's token may write, too. A
stranger, a forged token and another store are refused.

On Google Cloud it deploys and imports, and prints the address to sign in at.

[bold]Examples[/bold]

  run.py                        on the local Google Cloud

  run.py --json                 the outcome for a program

[bold]Exit codes[/bold]: 0 success; 1 failure, or a visitor got through who must not; 2 usage error;
130 interrupted."""
AFTER_INTERRUPT = "Run it again to continue; `make gateway-down` takes everything down."
REFUSED = (401, 403)

app = cli.application()


@dataclass(frozen=True)
class Check:
    """A request, and what must come of it.

    Attributes:
        who: sends it
        what: it asks for
        expected: the status codes that are right
        got: the one that came
    """

    who: str
    what: str
    expected: tuple[int, ...]
    got: int

    @property
    def is_right(self) -> bool:
        """Whether what came is right."""
        return self.got in self.expected


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = STACK,
    use_stored: Annotated[
        bool, typer.Option(help="Import nothing and delete nothing: use what the store holds")
    ] = False,
    deployed: cli.UseDeployed = False,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    work = partial(run, stack_name, cwd, use_stored=use_stored, is_deployed=deployed)
    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


def run(
    stack_name: str, program: Path, output: Output, *, use_stored: bool, is_deployed: bool
) -> None:
    """Deploy, import, check.

    Args:
        stack_name: the stack
        program: folder of the program
        output: where to report
        use_stored: whether nothing is imported, and nothing deleted
        is_deployed: whether the stack is up already

    Raises:
        ScriptError: a step failed, or a check did
    """
    deployed = from_template.up(TEMPLATE, stack_name, program, output, deployed=is_deployed)
    uri, served, other = _addresses(stack_name, deployed)
    if not use_stored:
        _import(stack_name, [served, other], output)
    if not is_loopback(httpx.URL(uri).host):
        output.result(f"Sign in at {uri}")
        output.json({"ok": True, "uri": uri})
        return
    has_viewer = _fetch_viewer(served, output)
    checks = list(_checks(uri, served, other, has_viewer=has_viewer, may_delete=not use_stored))
    _show(checks, uri, output)


def _addresses(stack_name: str, deployed: Deployed) -> tuple[str, str, str]:
    """Return the address of the gateway, the store that it leads to, and one that it does not.

    Raises:
        ScriptError: the stack file has no gateway, or no second store
    """
    found = Outputs.from_json(stack_name, dict(deployed.outputs))
    stores = [store for each in found.datasets.values() for store in each.dicom_stores.values()]
    for gateway in found.gateways[:1]:
        served = [store for store in stores if store in gateway.stores]
        others = [store for store in stores if store not in gateway.stores]
        if served and others:
            return gateway.uri, served[0], others[0]
    raise ScriptError(
        f"{deployed.file} has no gateway to one of two DICOM stores.",
        f"Take {TEMPLATE.name} of examples/gateway as a model.",
    )


def _import(stack_name: str, stores: list[str], output: Output) -> None:
    client, choice = clients.healthcare(), Choice(stack_name, None, None, None, None)
    for store in stores:
        name = dicom_import.start(client, store, SOURCE, output.report)
        follow_operation(client, name, dicom_import.labels(choice, store, name), output=output)


def _fetch_viewer(store: str, output: Output) -> bool:
    """Return whether the viewer's files are here; fetch them first if they can be had."""
    try:
        return study_page(clients.healthcare_root(), store, "1", output.report) is not None
    except EngineError as error:
        output.report(f"The viewer is left out: {error}")
        return False


def _checks(
    uri: str, served: str, other: str, *, has_viewer: bool, may_delete: bool
) -> Iterator[Check]:
    """Send the requests.

    Raises:
        ScriptError: the reader does not find what was imported
    """
    studies, elsewhere = (f"/v1/{store}/dicomWeb/studies" for store in (served, other))
    with visitors.person(uri, PERSON) as reader:
        if has_viewer:
            yield Check(PERSON, "the viewer", (200,), reader.get("/").status_code)
        found = reader.get(studies)
        yield Check(PERSON, "the studies", (200,), found.status_code)
        uid = _same_as_in_the_store(found, served)
        one = f"{studies}/{uid}"
        yield Check(PERSON, "a study", (200,), reader.get(one).status_code)
        yield Check(PERSON, "deletes a study", (403,), reader.delete(one).status_code)
        yield Check(PERSON, "another store", (404,), reader.get(elsewhere).status_code)
    with visitors.program(uri, visitors.token(PROGRAM)) as editor:
        yield Check(PROGRAM, "a study", (200,), editor.get(one).status_code)
        if may_delete:
            yield Check(PROGRAM, "deletes a study", (200,), editor.delete(one).status_code)
    with visitors.person(uri, STRANGER) as stranger:
        yield Check(STRANGER, "the studies", REFUSED, stranger.get(studies).status_code)
    for header, value in (
        (visitors.ASSERTION, visitors.FORGED),
        ("Authorization", f"Bearer {visitors.FORGED[1:]}"),
        ("X-Goog-Authenticated-User-Email", f"accounts.google.com:{PERSON}"),
    ):
        with visitors.program(uri, {header: value}) as forger:
            code = forger.get(studies).status_code
            yield Check(f"forged {header}", "the studies", REFUSED, code)


def _same_as_in_the_store(found: httpx.Response, store: str) -> str:
    """Return the UID of a study, once the gateway shows the same ones as the store.

    Raises:
        ScriptError: it shows others
    """
    tag = "0020000D"
    shown = {str(each[tag]["Value"][0]) for each in found.json()} if found.is_success else set()
    session, root = clients.dicom_web(store)
    stored = {str(each[tag]["Value"][0]) for each in DicomWeb(session, root).search("studies")}
    if shown != stored or not shown:
        raise ScriptError(
            f"The gateway shows {len(shown)} studies, and {store} has {len(stored)}.",
            "Read the log of the gateway: it says who asked for what.",
        )
    return min(shown)


def _show(checks: list[Check], uri: str, output: Output) -> None:
    """Print what came of the requests.

    Raises:
        ScriptError: one of them ended otherwise than it must
    """
    table = Table("who", "what", "HTTP", "right", box=None, title_justify="left")
    for each in checks:
        table.add_row(each.who, each.what, str(each.got), "yes" if each.is_right else "NO")
    if not output.as_json:
        output.out.print(table)
    shape = [
        {"who": each.who, "what": each.what, "got": each.got, "right": each.is_right}
        for each in checks
    ]
    wrong = [f"{each.who}: {each.what}" for each in checks if not each.is_right]
    if wrong:
        raise ScriptError(
            f"The gateway decides otherwise than it must: {', '.join(wrong)}.",
            "Read its log: it says why.",
            details={"checks": shape},
        )
    output.result(f"Gateway: {uri}")
    output.json({"ok": True, "uri": uri, "checks": shape})


if __name__ == "__main__":
    app()
