"""Save the pictures of a patient's instances, rendered by the DICOM store itself."""

from pathlib import Path
from typing import Annotated

import typer

from scripts.common import cli, clients, dicomweb, stack, truth
from scripts.common.cli import Output
from scripts.common.dicomweb import DicomWeb
from scripts.common.errors import ScriptError

HELP = """Save the pictures of a patient's instances, rendered by the DICOM store itself.

[bold]Examples[/bold]

  view_instance.py                          patient 88 of the lab, as PNG files in this folder

  view_instance.py --patient 1 --into /tmp --most 3

[bold]Exit codes[/bold]: 0 all went well; 1 failed; 2 the command line is wrong; 130 interrupted."""

app = cli.application()


@app.command(help=HELP)
@cli.guarded("The pictures saved so far are whole; run the same command again for the rest.")
def main(
    patient: Annotated[str, typer.Option(help="PatientID to search for.")] = truth.PATIENT,
    into: Annotated[
        Path, typer.Option(file_okay=False, exists=True, help="Folder for the files.")
    ] = Path(),
    most: Annotated[int, typer.Option(min=1, help="Save no more than this many.")] = 10,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Store = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    choice = cli.choice(stack_name, project, location, dataset, store)
    target = stack.resolve(choice, output.say)
    web = DicomWeb(*clients.dicom_web(target.store))
    saved = []
    for number, instance in zip(range(most), web.search(PatientID=patient), strict=False):
        uid = dicomweb.value(instance, dicomweb.SOP_INSTANCE_UID)
        file = into / f"{number:03d}_{uid}.png"
        file.write_bytes(web.rendered(instance))
        saved.append({"file": str(file), "sop_instance_uid": uid})
        output.result(str(file))
    if not saved:
        raise ScriptError(
            f"{target.store} has no instance of that patient.",
            "Import first (import_dicom.py), or name another --patient.",
        )
    output.json({"store": target.store, "files": saved})


if __name__ == "__main__":
    app()
