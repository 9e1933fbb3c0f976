"""The whole lab on any stack: deploy, import, export, query, and a summary of what is true."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from google.cloud import bigquery

from engine import places
from scripts import export_metadata, import_dicom, query_metadata
from scripts.common import cli, clients, deploy, findings, stack, summary, truth, uris
from scripts.common.cli import Output, command_line
from scripts.common.dicomweb import DicomWeb
from scripts.common.errors import ScriptError
from scripts.common.grants import patient_with_grants
from scripts.common.stack import Choice, Outputs, Target
from scripts.common.summary import Stopwatch, Summary
from scripts.common.tables import Table
from scripts.common.truth import Findings
from scripts.common.work import carry_through

HELP = """The whole lab on any stack: deploy, import, export, query, and a summary of what is true.

Run it as often as you like: what is there is not made again, files that are there are left as
they are, and the table's rows are replaced. The outcome is written to summary.json in .lab (or
in LAB_DIR). It fails if any figure is not what the files are known to hold.

[bold]Examples[/bold]

  lab.py                                              on the local Google Cloud

  lab.py --stack dev                                  on a Google Cloud project

  lab.py --stack dev --source 'gs://my-bucket/**.dcm' with your own files

[bold]Exit codes[/bold]: 0 all is as it must be; 1 failed, or a figure is wrong; 2 the command line
is wrong; 3 some files failed; 130 interrupted."""

ROWS_SHOWN = 5

app = cli.application()


@dataclass(frozen=True)
class Lab:
    """One run: what was asked for, and how it is told."""

    stack: str
    store: str | None
    source: str
    output: Output
    watch: Stopwatch

    def headline(self, text: str) -> None:
        """Begin a part of the run, for people."""
        if not self.output.as_json:
            self.output.out.rule(text, align="left")

    def run(self) -> Summary:
        """Go through all the phases.

        Raises:
            ScriptError: a phase failed.
        """
        self.headline("Engine and place")
        with self.watch.phase("place"):
            place = stack.enter(self.stack, self.output.say)
        engine = {
            "version": place.engine.version.removeprefix("v"),
            "source": place.engine.source,
        }
        self.output.result(
            f"Pulumi {engine['version']} ({engine['source']}), gcp plugin: {place.gcp_plugin}"
        )
        self.headline(f"pulumi up --stack {self.stack}")
        with self.watch.phase("up"):
            deployment = deploy.up(
                self.stack,
                place.environment,
                report=self.output.raw,
                color=self.output.out.is_terminal,
            )
        found = Outputs.from_json(self.stack, deployment.outputs)
        target = stack.target(Choice(stack=self.stack, store=self.store), found)
        fresh = any(n for what, n in deployment.changes.items() if what not in _QUIET)
        self._move_data(target, fresh=fresh)
        figures = self._ask(target)
        return Summary(
            stack=self.stack,
            engine=engine,
            gcp_plugin=place.gcp_plugin,
            target=target,
            source=self.source,
            deployment=deployment,
            findings=figures,
            problems=truth.problems(figures, lab_source=self.source == uris.LAB_SOURCE),
            seconds=self.watch.total(),
        )

    def _move_data(self, target: Target, *, fresh: bool) -> None:
        client = clients.healthcare()
        choice = Choice(stack=self.stack, store=self.store)
        table = Table.from_uri(target.table_uri)

        def bring_in() -> None:
            name = import_dicom.start(client, target.store, self.source, self.output.say)
            work = import_dicom.work(choice, target.store, name)
            carry_through(client, name, work, output=self.output)

        def bring_out() -> None:
            # A second run replaces the first one's rows: never a row twice.
            truncate = export_metadata.WriteDisposition.TRUNCATE
            begun = export_metadata.start(client, target.store, table, truncate, self.output.say)
            described = export_metadata.work(choice, table, begun.name)
            carry_through(client, begun.name, described, output=self.output)

        self._phase("import", f"Import {self.source}", bring_in, fresh=fresh)
        self._phase("export", f"Export to {table.uri}", bring_out, fresh=fresh)

    def _phase(self, name: str, headline: str, act: Callable[[], None], *, fresh: bool) -> None:
        self.headline(headline)
        with self.watch.phase(name):
            patient_with_grants(act, fresh=fresh, say=self.output.say)

    def _ask(self, target: Target) -> Findings:
        self.headline("Queries")
        table = Table.from_uri(target.table_uri)
        with self.watch.phase("queries"):
            client = clients.big_query(target.project, target.location)
            answers = [self._answer(client, q) for q in query_metadata.lab_questions(table)]
            web = DicomWeb(*clients.dicom_web(target.store))
            return findings.find(web, client, table, patient=answers[0], no_finding=answers[1])

    def _answer(self, client: bigquery.Client, question: query_metadata.Question) -> Any:
        rows = query_metadata.ask(client, question)
        if not self.output.as_json:
            self.output.out.print(query_metadata.rendered(question, rows, ROWS_SHOWN))
        return rows


# What Pulumi counts that makes nothing new.
_QUIET = {"same", "delete", "read", "refresh"}


def where_to_look(name: str, store_id: str) -> list[tuple[str, str]]:
    """Say what to do after a run, as (purpose, command)."""
    chosen = [] if name == stack.DEFAULT_STACK else ["--stack", name]
    counted = "SELECT StudyDescription, COUNT(*) AS n"
    ask = f"{counted} FROM {store_id} GROUP BY 1 ORDER BY n DESC"
    make = "make lab-down" if name == stack.DEFAULT_STACK else f"make lab-down STACK={name}"
    engine = command_line("", []).split()[0]
    return [
        ("Ask your own question", command_line("query_metadata.py", [*chosen, "--sql", ask])),
        ("See patient 88", command_line("view_instance.py", chosen)),
        ("A shell where pulumi, gcloud, bq and your code find it all",
         f'eval "$({engine} -m engine env --stack {name})"'),
        ("Tear it down", make),
    ]  # fmt: skip


@app.command(help=HELP)
@cli.guarded("Run it again to go on; if Pulumi says that the stack is locked, run `pulumi cancel`.")
def main(
    stack_name: Annotated[
        str, typer.Option("--stack", "-s", help="Pulumi stack to deploy and work on.")
    ] = stack.DEFAULT_STACK,
    store: cli.Store = None,
    source: Annotated[
        str, typer.Option(metavar="GS_URI", help="The files to import, with wildcards if you like.")
    ] = uris.LAB_SOURCE,
    as_json: cli.Json = False,
) -> None:
    """Run the command line."""
    output = Output(as_json=as_json)
    source = str(uris.parse(source))
    folder = places.lab_dir()
    summary.forget(folder)
    done = Lab(stack_name, store, source, output, Stopwatch()).run()
    file = summary.write(done, folder)
    if not as_json:
        summary.show(done, output.out, where=where_to_look(stack_name, done.target.store_id))
    output.json(done.to_json())
    if done.problems:
        raise ScriptError(
            f"The lab ran, but {'; '.join(done.problems)}.",
            f"See {file}. If the store held other files before, use another store (--store).",
        )
    output.result(f"All is as it must be. {file} holds this summary for programs.")


if __name__ == "__main__":
    app()
