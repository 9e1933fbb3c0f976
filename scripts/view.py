"""Open a patient's latest study in a viewer, which is not for diagnosis."""

from typing import Annotated

import typer

from scripts.gsp615 import expected
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice

HELP = """Open a patient's latest study in a viewer, which is not for diagnosis.

The local Google Cloud serves the OHIF viewer; the first use fetches it (50 MB). For a store on
Google Cloud the script prints how a viewer can reach it.

[bold]Examples[/bold]

  view.py                                   patient 88 of the lab

  view.py --patient 1 --no-browser          print the address only

[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error; 130 interrupted."""

AFTER_INTERRUPT = "Nothing was changed; run the same command again."

app = cli.application()


@app.command(help=HELP)
def main(
    patient: Annotated[str, typer.Option(help="PatientID to search for")] = expected.PATIENT,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address; open no browser")
    ] = False,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import study_viewer

        choice = Choice(stack_name, project, location, dataset, store)
        study_viewer.show(choice, patient, output, may_open=not no_browser)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
