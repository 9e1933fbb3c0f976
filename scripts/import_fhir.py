"""Import FHIR resources from Cloud Storage into a FHIR store."""

from typing import Annotated

import typer

from scripts.data.fhir_options import ContentStructure
from scripts.lib import cli
from scripts.lib.cli import Output
from scripts.lib.options import Choice, Following

HELP = f"""Import FHIR resources from Cloud Storage into a FHIR store.

Each resource needs an id, and overwrites the one with its id. References are not checked.

[bold]Content structures[/bold]: [cyan]resource[/cyan] for a resource a line, the form of exports;
[cyan]bundle[/cyan] for a bundle a line; [cyan]resource-pretty[/cyan] and
[cyan]bundle-pretty[/cyan] for one in a whole file. The default of this script is
[cyan]resource[/cyan] (RESOURCE in the API, whose own default is BUNDLE).

[bold]Examples[/bold]

  import_fhir.py 'gs://my-bucket/resources/**.ndjson'

  import_fhir.py 'gs://my-bucket/patients/*.json' --content-structure bundle-pretty

{cli.EXIT_CODES}"""

AFTER_INTERRUPT = "Either nothing was started, or it continues by itself; again is harmless."

app = cli.application()


@app.command(help=HELP)
def main(
    source: cli.Source,
    structure: Annotated[
        ContentStructure,
        typer.Option("--content-structure", "-c", help="Content of a line or of a whole file"),
    ] = ContentStructure.RESOURCE,
    stack_name: cli.Stack = None,
    project: cli.Project = None,
    location: cli.Location = None,
    dataset: cli.DatasetId = None,
    store: cli.FhirStore = None,
    resume: cli.Resume = None,
    no_wait: cli.NoWait = False,
    timeout: cli.Timeout = None,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""

    def work(output: Output) -> None:
        from scripts.data import fhir_bulk

        choice = Choice(stack_name, project, location, dataset, store)
        following = Following(resume, no_wait, timeout)
        fhir_bulk.run_import(source, structure, choice, following, output)

    cli.run(work, as_json=as_json, after_interrupt=AFTER_INTERRUPT)


if __name__ == "__main__":
    app()
