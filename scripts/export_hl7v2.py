"""Export the messages of an HL7v2 store to Cloud Storage."""

from typing import Annotated

import typer

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice, Following

HELP = f"""Export the messages of an HL7v2 store to Cloud Storage.

The service exports messages by the time in MSH-7; one without a time is left out.

[bold]Example[/bold]

  export_hl7v2.py gs://my-bucket/out --filter 'message_type = \"ADT\"'

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = "Either nothing was started, or it continues by itself; again is harmless."

app = cli.application()


@app.command(help=HELP)
def main(
    target: Annotated[str, typer.Argument(metavar="GS_URI", help="The folder for the files")],
    restriction: Annotated[
        str, typer.Option("--filter", help="Messages to export, in the API's language of filters")
    ] = "",
    start: Annotated[str, typer.Option(help="First send time, in RFC 3339")] = "",
    end: Annotated[str, typer.Option(help="Send time behind the last, in RFC 3339")] = "",
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.Hl7v2Store = None,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import bulk, hl7v2_bulk

        choice = Choice(stack_name, project, location, dataset, store)
        following = Following(resume, no_wait, timeout)
        bulk.run(hl7v2_bulk.export_work(target, restriction, start, end), choice, following, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
