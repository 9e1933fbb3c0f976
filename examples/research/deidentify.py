"""De-identify a DICOM store into another, and wait until it is done."""

import re
from typing import Annotated, Any

import typer

from scripts.lib import cli, stack
from scripts.lib.cli import Output
from scripts.lib.errors import UsageError
from scripts.lib.follow_operation import OperationLabels, follow_operation
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.lib.options import Choice

HELP = """De-identify a DICOM store: copy it into another, existing one.

Attributes follow the basic profile of DICOM PS3.15; writing that is burned into the pictures is
blacked out, unless [bold]--keep-text[/bold]. UIDs are new, and consistent within a run.

[bold]Example[/bold]

  deidentify.py --stack local projects/P/locations/L/datasets/identified/dicomStores/originals
  projects/P/locations/L/datasets/research/dicomStores/copies"""

_STORE = re.compile(r"projects/[^/]+/locations/[^/]+/datasets/[^/]+/dicomStores/[^/]+")

app = cli.application()


def check(store: str) -> None:
    """Raise a UsageError unless a name is the full name of a DICOM store."""
    if not _STORE.fullmatch(store):
        raise UsageError(
            f"{store!r} is not the full name of a DICOM store.",
            "The form is projects/P/locations/L/datasets/D/dicomStores/S.",
        )


def settings(*, redact: bool) -> dict[str, Any]:
    """Make the DeidentifyConfig."""
    mode = "REDACT_ALL_TEXT" if redact else "REDACT_NO_TEXT"
    return {
        "dicom": {"filterProfile": "ATTRIBUTE_CONFIDENTIALITY_BASIC_PROFILE"},
        "image": {"textRedactionMode": mode},
    }


@app.command(help=HELP)
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

    def work(output: Output) -> None:
        check(source)
        check(destination)
        stack.enter_for(Choice(stack=stack_name), output.report)
        client = clients.healthcare()
        stores = client.projects().locations().datasets().dicomStores()
        body = {"destinationStore": destination, "config": settings(redact=not keep_text)}
        with translate_errors(f"de-identifying {source} into {destination}"):
            request = stores.deidentify(sourceStore=source, body=body)
            # Sent twice it would make two copies, each with UIDs of its own.
            name = str(retry.call(request.execute, repeatable=False)["name"])
        # The operation continues by itself, whether or not a script follows it.
        labels = OperationLabels("De-identifying", f"de-identifying {source}", f"see {name}")
        operation = follow_operation(client, name, labels, output=output)
        output.result(f"{operation.success} copies are in {destination}, nothing was left out.")
        output.json(operation.to_json())

    cli.run(
        work,
        as_json=as_json,
        after_interrupt="Either nothing was started, or it continues by itself.",
    )


if __name__ == "__main__":
    app()
