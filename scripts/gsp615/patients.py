"""The second act of the lab: FHIR resources about the x-rays beside their metadata."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.cloud import bigquery

from scripts.data import bulk, fhir_bulk, metadata_query, stores
from scripts.data.bulk import Work
from scripts.data.fhir_options import ContentStructure
from scripts.data.metadata_query import Question
from scripts.data.write_disposition import WriteDisposition
from scripts.gsp615 import patient_answers
from scripts.lib.errors import UsageError
from scripts.lib.google.bigquery import Rows, Table
from scripts.lib.stack_outputs import Outputs

TYPES = ("Condition", "ImagingStudy", "Observation", "Patient")
"""The resource types that the queries read; each has a table of its name."""
SENIOR_AGE = 60
"""In years, for the second query."""


@dataclass(frozen=True)
class PatientsFigures:
    """The figures of the second act.

    Attributes:
        store: the FHIR store
        resources: rows of each resource type's table
        answers: the rows of each query, each row a list of its values
    """

    store: str
    resources: dict[str, int]
    answers: list[list[list[Any]]]

    def to_json(self) -> dict[str, Any]:
        """Return the part of summary.json."""
        return {"store": self.store, "resources": self.resources, "answers": self.answers}

    def problems(self) -> list[str]:
        """Return what differs from the answers of the lab's resources; empty if nothing does."""
        differences = [
            f"rows of the table {type_}: {self.resources.get(type_, 0)} instead of {due}"
            for type_, due in patient_answers.RESOURCES.items()
            if self.resources.get(type_, 0) != due
        ]
        for number, (found, due) in enumerate(
            zip(self.answers, patient_answers.ANSWERS, strict=True), start=1
        ):
            if found != due:
                differences.append(f"query {number} of the patients: {found} instead of {due}")
        return differences


def store_of(found: Outputs, stack: str) -> str:
    """Return the full name of the stack's first FHIR store.

    Raises:
        UsageError: the stack has none
    """
    if not found.fhir_stores:
        raise UsageError(
            f"Stack {stack!r} has no FHIR store, which --fhir needs.",
            f"Set `enabled: true` for a store under fhirStores in Pulumi.{stack}.yaml.",
        )
    return next(iter(found.fhir_stores.values()))


def import_work(source: str) -> Work:
    """Return the import of the resources, which overwrites those of an earlier run."""
    body = {"contentStructure": ContentStructure.RESOURCE.api_name}
    return bulk.import_work(fhir_bulk.IMPORT, stores.FHIR, source, body)


def export_work(table: Table) -> Work:
    """Return the export into the dataset of the metadata, which replaces rows.

    Args:
        table: of the metadata
    """
    options = fhir_bulk.TableOptions(disposition=WriteDisposition.TRUNCATE)
    return fhir_bulk.export_work(f"bq://{table.project}.{table.dataset}", TYPES, "", options)


def questions(table: Table) -> list[Question]:
    """Return the queries that join the metadata with the resources.

    Args:
        table: of the metadata
    """
    return [_of_patient(table), _of_seniors(table), _of_unremarkable(table)]


def _joined(table: Table) -> str:
    """Return the joins from a row of the metadata to its patient."""
    study, patient, condition = (
        Table(table.project, table.dataset, type_).sql
        for type_ in ("ImagingStudy", "Patient", "Condition")
    )
    return (
        f"FROM {table.sql} d JOIN {study} s"
        " ON s.identifier[SAFE_OFFSET(0)].value = CONCAT('urn:oid:', d.StudyInstanceUID)"
        f" JOIN {patient} p ON p.id = s.subject.patientId"
        f" JOIN {condition} c ON c.subject.patientId = p.id"
    )


_AGE = "DATE_DIFF(d.StudyDate, CAST(p.birthDate AS DATE), YEAR)"
"""In years: the birthdays of the patients are the first of January."""
_SHOWN = "c.code.text IN UNNEST(SPLIT(d.StudyDescription, '|'))"
"""Whether the x-ray shows the condition."""


def _of_patient(table: Table, patient: str = "88") -> Question:
    sql = (
        f"SELECT d.StudyDescription, p.gender, {_AGE} AS age, c.code.text AS condition"
        f" {_joined(table)} WHERE d.PatientID = @patient ORDER BY condition"
    )
    return Question(f"Age and conditions of patient {patient}", sql, {"patient": patient})


def _of_seniors(table: Table) -> Question:
    sql = (
        "SELECT c.code.text AS condition, COUNT(DISTINCT p.id) AS patients"
        f" {_joined(table)} WHERE {_AGE} >= {SENIOR_AGE} AND {_SHOWN}"
        " GROUP BY condition ORDER BY patients DESC, condition"
    )
    return Question(f"Patients by condition on an x-ray at {SENIOR_AGE} or older", sql, {})


def _of_unremarkable(table: Table) -> Question:
    sql = (
        "SELECT p.gender, COUNT(DISTINCT d.StudyInstanceUID) AS images"
        f" {_joined(table)} WHERE d.StudyDescription = 'No Finding'"
        " GROUP BY p.gender ORDER BY p.gender"
    )
    return Question("X-rays without finding, of patients with a condition", sql, {})


def figures(
    client: bigquery.Client, table: Table, store: str, answers: Sequence[Rows]
) -> PatientsFigures:
    """Count the rows of the tables, beside the answers of the queries.

    Raises:
        ScriptError: BigQuery refuses
    """
    counts = {}
    for type_ in TYPES:
        sql = f"SELECT COUNT(*) AS n FROM {Table(table.project, table.dataset, type_).sql}"  # noqa: S608
        counts[type_] = int(metadata_query.ask(client, Question(type_, sql, {})).rows[0]["n"])
    rows = [[[row[name] for name in each.columns] for row in each.rows] for each in answers]
    return PatientsFigures(store, counts, rows)
