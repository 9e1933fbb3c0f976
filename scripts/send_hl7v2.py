"""Send HL7v2 messages from files to an HL7v2 store, and check each acknowledgement."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice

HELP = """Send HL7v2 messages from files to an HL7v2 store, and check each acknowledgement.

A file holds one message; of a folder, all files are sent, in the order of their names. The store
keeps a message with the same bytes once, so sending twice is harmless. With --mllp, the messages go
to a server of MLLP, such as the MLLP adapter, instead of the API.

[bold]Examples[/bold]

  send_hl7v2.py admission.hl7                      to the first HL7v2 store of the stack local

  send_hl7v2.py messages/ --stack dev --store hl7v2store2

  send_hl7v2.py messages/ --mllp 10.0.0.5:2575

[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error; 3 some messages were refused;
130 interrupted."""

AFTER_INTERRUPT = "What was acknowledged is stored; run the same command again for the rest."

app = cli.application()


@app.command(help=HELP)
def main(
    sources: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", exists=True, help="Files, or folders of files"),
    ],
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Hl7v2Store = None,
    mllp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Server of MLLP, instead of a store")
    ] = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import hl7v2_sending

        choice = Choice(stack_name, project, location, dataset, store)
        if mllp is None:
            hl7v2_sending.run(sources, choice, output)
        else:
            hl7v2_sending.run_mllp(sources, mllp, choice, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
