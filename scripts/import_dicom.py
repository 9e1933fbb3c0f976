"""Import DICOM files from Cloud Storage into a DICOM store, and wait until it is done."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.google import gcs_uri
from scripts.lib.options import Choice, Following

HELP = f"""Import DICOM files from Cloud Storage into a DICOM store, and wait until it is done.

The service imports in a long-running operation: you can stop this script at any time and continue
with [bold]--resume[/bold]. Existing instances are left as they are, so importing twice is harmless.

[bold]Wildcards[/bold]: [cyan]*[/cyan] within a folder, [cyan]?[/cyan] for one character,
[cyan]**[/cyan] for any depth at the end or before an extension.

[bold]Examples[/bold]

  import_dicom.py                                          the lab's 405 files, stack local

  import_dicom.py 'gs://my-bucket/ct/**.dcm' --stack dev   a whole folder tree

  import_dicom.py --no-wait                                prints the operation's name

  import_dicom.py --resume projects/p/locations/l/datasets/d/operations/1

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = (
    "Either nothing was started, or it continues by itself; importing again is harmless."
)

app = cli.application()


@app.command(help=HELP)
def main(
    source: Annotated[
        str, typer.Argument(metavar="[GS_URI]", help="The files; may have wildcards")
    ] = gcs_uri.LAB_SOURCE,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import dicom_import

        choice = Choice(stack_name, project, location, dataset, store)
        dicom_import.run(source, choice, Following(resume, no_wait, timeout), output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
