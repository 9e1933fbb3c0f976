"""Run an imaging platform for a day in a minute: deploy, simulate traffic, check every claim."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import claims

from engine.loopback import is_loopback
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.errors import ScriptError
from scripts.lib.options import ROOT
from scripts.lib.stack_outputs import Outputs
from scripts.stacks import from_template
from scripts.stacks.claims import Claim, show

STACK = "local-imaging-platform"
TEMPLATE = Path(__file__).with_name(f"Pulumi.{STACK}.yaml")
EXAMPLES = Path(__file__).parents[1]
HELP = """Run an imaging platform for a day in a minute: deploy, send, check every claim.

An X-ray unit and an information system send through the adapters; each x-ray is measured when it
arrives; the store is copied for research without names; readers come through the gateway. Each of
these is a command of its own example, here on one stack.

[bold]Examples[/bold]

  run.py                        on the local Google Cloud

  run.py --studies 50 --json    more studies, the outcome for a program

[bold]Exit codes[/bold]: 0 success; 1 failure, or a claim that does not hold; 2 usage error;
130 interrupted."""
AFTER_INTERRUPT = "Run it again to continue; `make platform-down` takes everything down."

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = STACK,
    studies: cli.Studies = 24,
    cwd: cli.ProgramFolder = ROOT,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    work = partial(run, stack_name, studies, cwd)
    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


def run(stack_name: str, studies: int, program: Path, output: Output) -> None:
    """Deploy, simulate traffic, check.

    Raises:
        ScriptError: a step failed, or a claim does not hold
    """
    deployed = from_template.up(TEMPLATE, stack_name, program, output)
    outputs = Outputs.from_json(stack_name, dict(deployed.outputs))
    where = ["--stack", stack_name, "--cwd", str(program)]
    found = list(_claims(outputs, where, studies, output))
    found.append(claims.of_roles(deployed.outputs["access"]))
    show(found, output)


def _claims(outputs: Outputs, where: list[str], studies: int, output: Output) -> Iterator[Claim]:
    """Simulate traffic, and yield what came of it."""
    up = [*where, "--deployed"]
    sent = _example("hospital", [*up, "--studies", str(studies)], output)
    yield from claims.of_arrivals(sent)
    measured = _example("inference", [*up, "--use-stored"], output)
    yield from claims.of_measurements(measured, outputs)
    source, target = (
        each.dicom_stores[each.first_dicom_store] for each in outputs.datasets.values()
    )
    copied = _example("research", [source, target, *where[:2]], output, "deidentify.py")
    yield from claims.of_copies(outputs, copied)
    [gateway] = outputs.gateways
    if is_loopback(gateway.uri.partition("://")[2].rpartition(":")[0]):
        guarded = _example("gateway", [*up, "--use-stored"], output)
        checks = guarded["checks"]
        right = sum(check["right"] for check in checks)
        text = "the gateway lets readers through, and no other caller"
        yield Claim(text, f"{right} of {len(checks)} requests", right == len(checks))
    yield claims.of_audit(outputs)


def _example(folder: str, arguments: list[str], output: Output, program: str = "run.py") -> Any:
    """Run the command of an example; return its JSON.

    Raises:
        ScriptError: it failed
    """
    file = EXAMPLES / folder / program
    output.report(f"Running examples/{folder}/{program} ...")
    command = [sys.executable, str(file), *arguments, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        outcome = json.loads(done.stdout)
    except json.JSONDecodeError:
        outcome = {}
    if done.returncode:
        raise ScriptError(
            f"examples/{folder}/{program} failed with exit code {done.returncode}.",
            "Its messages above say why.",
            details=outcome,
        )
    return outcome


if __name__ == "__main__":
    app()
