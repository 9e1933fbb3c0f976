"""Copy a DICOM store into another without what names anybody, and wait until it is done."""

from typing import Annotated, Any

import typer

from scripts.common import cli, clients, retrying, stack
from scripts.common.cli import Output
from scripts.common.errors import translated
from scripts.common.work import Work, carry_through

HELP = """Copy a DICOM store into another that exists, without what names anybody.

Attributes follow the basic profile of DICOM PS3.15; writing that is burned into the pictures is
blacked out, unless [bold]--keep-text[/bold]. UIDs are new, and consistent within a run.

[bold]Example[/bold]

  deidentify.py --stack local projects/P/locations/L/datasets/identified/dicomStores/originals
  projects/P/locations/L/datasets/research/dicomStores/copies"""

app = cli.application()


def settings(*, redact: bool) -> dict[str, Any]:
    """Make the DeidentifyConfig."""
    mode = "REDACT_ALL_TEXT" if redact else "REDACT_NO_TEXT"
    return {
        "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
        "image": {"textRedactionMode": mode},
    }


@app.command(help=HELP)
@cli.guarded("Nothing had been started, or it goes on by itself.")
def main(
    source: Annotated[str, typer.Argument(help="Full name of the store to copy.")],
    destination: Annotated[str, typer.Argument(help="Full name of the store to write to.")],
    stack_name: cli.Stack = None,
    keep_text: Annotated[bool, typer.Option("--keep-text", help="Leave pictures as they are.")] = (
        False
    ),
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    stack.enter_for(stack.Choice(stack=stack_name), output.say)
    client = clients.healthcare()
    stores = client.projects().locations().datasets().dicomStores()
    body = {"destinationStore": destination, "config": settings(redact=not keep_text)}
    with translated(f"de-identifying {source} into {destination}"):
        request = stores.deidentify(sourceStore=source, body=body)
        # Sent twice it would make two copies, each with UIDs of its own.
        name = str(retrying.call(request.execute, repeatable=False)["name"])
    # The operation goes on by itself, whether or not somebody follows it.
    work = Work("De-identifying", f"de-identifying {source}", f"see {name}")
    operation = carry_through(client, name, work, output=output)
    output.result(f"{operation.success} copies are in {destination}, nothing was left out.")
    output.json(operation.to_json())


if __name__ == "__main__":
    app()
