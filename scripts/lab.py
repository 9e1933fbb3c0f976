"""Run the whole lab on any stack: deploy, import, export, query, and check the answers."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.google import gcs_uri
from scripts.lib.options import DEFAULT_STACK

HELP = """Run the whole lab on any stack: deploy, import, export, query, and check the answers.

You can run it again: existing resources and files are left as they are, and the rows of the table
are replaced. The outcome is written to summary.json in .lab (or in LAB_DIR). It fails if a figure
is not the known one of the files.

[bold]Examples[/bold]

  lab.py                                              on the local Google Cloud

  lab.py --fhir                                       with patients and conditions as FHIR

  lab.py --stack dev                                  on a Google Cloud project

  lab.py --stack dev --source 'gs://my-bucket/**.dcm' with your own files

[bold]Exit codes[/bold]: 0 success; 1 failure, or a figure is wrong; 2 usage error; 3 some files
failed; 130 interrupted."""

AFTER_INTERRUPT = (
    "Run it again to continue; if the stack is locked, the message says how to release it."
)

app = cli.application()


@app.command(help=HELP)
def main(
    stack_name: cli.OneStack = DEFAULT_STACK,
    store: cli.Store = None,
    source: Annotated[
        str, typer.Option(metavar="GS_URI", help="The files to import; may have wildcards")
    ] = gcs_uri.LAB_SOURCE,
    fhir: Annotated[
        bool,
        typer.Option("--fhir", help="Add the second act: FHIR resources, joined with the metadata"),
    ] = False,
    fhir_source: Annotated[
        str,
        typer.Option(
            metavar="GS_URI", help="The resources of the second act, one a line; implies --fhir"
        ),
    ] = "",
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.gsp615 import lab

        patients = fhir_source or (gcs_uri.LAB_PATIENTS if fhir else "")
        lab.run(stack_name, store, source, patients, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
