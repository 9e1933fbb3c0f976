"""Save the pictures of a patient's instances, rendered by the DICOM store itself."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.gsp615 import expected
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice

HELP = """Save the pictures of a patient's instances, rendered by the DICOM store itself.

[bold]Examples[/bold]

  view_instance.py                          patient 88 of the lab, as PNG files in this folder

  view_instance.py --patient 1 --into /tmp --most 3

[bold]Exit codes[/bold]: 0 success; 1 failure; 2 usage error; 130 interrupted."""

AFTER_INTERRUPT = "The pictures saved so far are whole; run the same command again for the rest."

app = cli.application()


@app.command(help=HELP)
def main(
    patient: Annotated[str, typer.Option(help="PatientID to search for")] = expected.PATIENT,
    into: Annotated[
        Path, typer.Option(file_okay=False, exists=True, help="Folder for the files")
    ] = Path(),
    most: Annotated[int, typer.Option(min=1, help="Save no more than this many")] = 10,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import pictures

        choice = Choice(stack_name, project, location, dataset, store)
        pictures.save(choice, patient, into, most, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
