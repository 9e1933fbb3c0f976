"""Import HL7v2 messages from Cloud Storage into an HL7v2 store."""

from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice, Following

HELP = f"""Import HL7v2 messages from Cloud Storage into an HL7v2 store.

Each line of a file is a JSON object with the message (`data`, base64) and its `labels`.

[bold]Example[/bold]

  import_hl7v2.py 'gs://my-bucket/messages/**.ndjson'

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = "Either nothing was started, or it continues by itself; again is harmless."

app = cli.application()


@app.command(help=HELP)
def main(
    source: cli.Source,
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
        bulk.run(hl7v2_bulk.import_work(source), choice, following, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
