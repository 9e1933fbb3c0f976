"""What the store and the table say after a run: each figure asked, none assumed."""

from google.cloud import bigquery

from scripts.common import tables
from scripts.common.dicomweb import DicomWeb
from scripts.common.tables import Rows, Table
from scripts.common.truth import Findings

MOST_FREQUENT = 8


def find(
    web: DicomWeb, client: bigquery.Client, table: Table, *, patient: Rows, no_finding: Rows
) -> Findings:
    """Count.

    Args:
        web: of the DICOM store.
        client: of the table's project.
        table: that was exported to.
        patient: the answer to the lab's first query.
        no_finding: the answer to its second.

    Raises:
        ScriptError: a service can't tell.
    """
    counts = tables.query(
        client,
        "SELECT COUNT(*) AS instances, COUNT(DISTINCT PatientID) AS patients "  # noqa: S608
        f"FROM {table.sql}",
    ).rows[0]
    frequent = tables.query(
        client,
        f"SELECT StudyDescription AS finding, COUNT(*) AS n FROM {table.sql} "  # noqa: S608
        f"GROUP BY finding ORDER BY n DESC, finding LIMIT {MOST_FREQUENT}",
    )
    return Findings(
        instances=web.count(),
        rows=int(counts["instances"]),
        patients=int(counts["patients"]),
        no_finding_rows=len(no_finding.rows),
        patient_88=sorted(patient.column("StudyDescription")),
        frequent=[(str(row["finding"]), int(row["n"])) for row in frequent.rows],
    )
