"""The whole lab: deploy, import, export, query."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from google.cloud import bigquery

from engine import stack_environment
from scripts.data import bulk, dicom_import, metadata_export, metadata_query
from scripts.data.write_disposition import WriteDisposition
from scripts.gsp615 import expected, patients, results, summary
from scripts.gsp615.expected import Findings
from scripts.gsp615.patients import PatientsFigures
from scripts.gsp615.summary import Stopwatch, Summary
from scripts.lib import stack
from scripts.lib.cli import Output, command_line
from scripts.lib.errors import ScriptError
from scripts.lib.follow_operation import follow_operation
from scripts.lib.google import clients, gcs_uri
from scripts.lib.google.bigquery import Table
from scripts.lib.google.dicomweb import DicomWeb
from scripts.lib.google.iam_propagation import retry_while_denied
from scripts.lib.options import DEFAULT_STACK, ROOT, Choice, Following
from scripts.lib.pulumi_stack import PulumiStack
from scripts.lib.stack import Target
from scripts.lib.stack_outputs import Outputs
from scripts.stacks import deploy, stack_file

ROWS_SHOWN = 5


@dataclass(frozen=True)
class Lab:
    """One run of the lab.

    Attributes:
        patients: the URI of FHIR resources for the second act; empty without it
    """

    stack: str
    store: str | None
    source: str
    patients: str
    output: Output
    watch: Stopwatch

    def headline(self, text: str) -> None:
        """Print the heading of a phase, for people."""
        if not self.output.as_json:
            self.output.headline(text)

    def run(self) -> Summary:
        """Run all phases.

        Raises:
            ScriptError: a phase failed
        """
        self.headline("Engine and environment")
        with self.watch.phase("place"):
            environment = stack.enter(self.stack, self.output.report)
        engine = {
            "version": environment.engine.version.removeprefix("v"),
            "source": environment.engine.source,
        }
        plugin: str = environment.gcp_plugin
        if not stack_environment.is_local(self.stack):
            plugin += ", which Pulumi downloads if it is not installed"
        self.output.result(f"Pulumi {engine['version']} ({engine['source']}), gcp plugin: {plugin}")
        self.headline(f"pulumi up --stack {self.stack}")
        with self.watch.phase("up"):
            stack_file.require(self.stack)
            deployment = deploy.up(
                PulumiStack(self.stack, ROOT, environment.environment),
                self.output.raw,
                color=self.output.out.is_terminal,
            )
        found = Outputs.from_json(self.stack, deployment.outputs)
        target = stack.target(Choice(stack=self.stack, store=self.store), found)
        fhir_store = patients.store_of(found, self.stack) if self.patients else ""
        fresh = any(n for what, n in deployment.changes.items() if what not in _QUIET)
        self._move_data(target, fresh=fresh)
        figures = self._ask(target)
        wrong = expected.problems(figures, lab_source=self.source == gcs_uri.LAB_SOURCE)
        about_patients = None
        if fhir_store:
            about_patients = self._second_act(target, fhir_store, fresh=fresh)
            if (self.source, self.patients) == (gcs_uri.LAB_SOURCE, gcs_uri.LAB_PATIENTS):
                wrong += about_patients.problems()
        return Summary(
            stack=self.stack,
            engine=engine,
            gcp_plugin=environment.gcp_plugin,
            target=target,
            source=self.source,
            deployment=deployment,
            findings=figures,
            patients=about_patients,
            problems=wrong,
            seconds=self.watch.total(),
        )

    def _move_data(self, target: Target, *, fresh: bool) -> None:
        client = clients.healthcare()
        choice = Choice(stack=self.stack, store=self.store)
        table = Table.from_uri(target.table_uri)

        def bring_in() -> None:
            name = dicom_import.start(client, target.store, self.source, self.output.report)
            work = dicom_import.labels(choice, target.store, name)
            follow_operation(client, name, work, output=self.output)

        def bring_out() -> None:
            # A second run replaces the rows of the first: no row is doubled.
            truncate = WriteDisposition.TRUNCATE
            started = metadata_export.start(
                client, target.store, table, truncate, self.output.report
            )
            described = metadata_export.labels(choice, table, started.name)
            follow_operation(client, started.name, described, output=self.output)

        self._phase("import", f"Import {self.source}", bring_in, fresh=fresh)
        self._phase("export", f"Export to {table.uri}", bring_out, fresh=fresh)

    def _phase(self, name: str, headline: str, act: Callable[[], object], *, fresh: bool) -> None:
        self.headline(headline)
        with self.watch.phase(name):
            retry_while_denied(act, fresh=fresh, report=self.output.report)

    def _ask(self, target: Target) -> Findings:
        self.headline("Queries")
        table = Table.from_uri(target.table_uri)
        with self.watch.phase("queries"):
            client = clients.big_query(target.project, target.location)
            answers = [self._answer(client, q) for q in metadata_query.lab_questions(table)]
            web = DicomWeb(*clients.dicom_web(target.store))
            return results.find(web, client, table, patient=answers[0], no_finding=answers[1])

    def _second_act(self, target: Target, store: str, *, fresh: bool) -> PatientsFigures:
        """Import resources about the x-rays, export them beside the metadata, and query both."""
        table = Table.from_uri(target.table_uri)
        choice, following = Choice(stack=self.stack), Following()
        works = {
            "fhir_import": patients.import_work(self.patients),
            "fhir_export": patients.export_work(table),
        }
        for name, work in works.items():
            act = partial(bulk.run_on, store, work, choice, following, self.output)
            self._phase(name, f"{work.method} FHIR resources: {work.location}", act, fresh=fresh)
        self.headline("Queries of patients and x-rays")
        with self.watch.phase("fhir_queries"):
            client = clients.big_query(target.project, target.location)
            answers = [self._answer(client, q) for q in patients.questions(table)]
            return patients.figures(client, table, store, answers)

    def _answer(self, client: bigquery.Client, question: metadata_query.Question) -> Any:
        rows = metadata_query.ask(client, question)
        if not self.output.as_json:
            self.output.out.print(metadata_query.render_table(question, rows, ROWS_SHOWN))
        return rows


# What Pulumi counts that makes nothing new.
_QUIET = {"same", "delete", "read", "refresh"}


def where_to_look(name: str, store_id: str) -> list[tuple[str, str]]:
    """Say what to do after a run, as (purpose, command)."""
    chosen = [] if name == DEFAULT_STACK else ["--stack", name]
    counted = "SELECT StudyDescription, COUNT(*) AS n"
    ask = f"{counted} FROM {store_id} GROUP BY 1 ORDER BY n DESC"
    make = "make lab-down" if name == DEFAULT_STACK else f"make lab-down STACK={name}"
    engine = command_line("", []).split()[0]
    return [
        ("Ask your own question", command_line("query_metadata.py", [*chosen, "--sql", ask])),
        ("See patient 88", command_line("view.py", chosen)),
        ("A shell where pulumi, gcloud, bq and your code find it all",
         f'eval "$({engine} -m engine env --stack {name})"'),
        ("Tear it down", make),
    ]  # fmt: skip


def run(
    stack_name: str, store: str | None, source: str, patients_source: str, output: Output
) -> None:
    """Run the lab and show its summary.

    Args:
        stack_name: to deploy and work on
        store: the DICOM store; None for the stack's first
        source: the URI of the DICOM files
        patients_source: the URI of FHIR resources for the second act; empty without it
        output: for results and progress

    Raises:
        ScriptError: a phase failed, or a figure is wrong
    """
    source = str(gcs_uri.parse(source))
    if patients_source:
        patients_source = str(gcs_uri.parse(patients_source))
    folder = stack_environment.lab_dir()
    summary.forget(folder)
    done = Lab(stack_name, store, source, patients_source, output, Stopwatch()).run()
    file = summary.write(done, folder)
    if not output.as_json:
        summary.show(done, output.out, where=where_to_look(stack_name, done.target.store_id))
    output.json(done.to_json())
    if done.problems:
        raise ScriptError(
            f"The lab ran, but {'; '.join(done.problems)}.",
            f"See {file}. If the store held other files before, use another store (--store).",
        )
    output.result(f"All checks passed. Machine-readable summary: {file}")
