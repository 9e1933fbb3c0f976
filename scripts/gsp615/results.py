"""The figures of the store and the table after a run: each is queried, none assumed."""

from google.cloud import bigquery

from scripts.gsp615.expected import Findings
from scripts.lib.google.bigquery import Rows, Table, query
from scripts.lib.google.dicomweb import DicomWeb

TOP_FINDINGS = 8


def find(
    web: DicomWeb, client: bigquery.Client, table: Table, *, patient: Rows, no_finding: Rows
) -> Findings:
    """Count.

    Args:
        web: of the DICOM store
        client: of the table's project
        table: that was exported to
        patient: the answer to the lab's first query
        no_finding: the answer to its second

    Raises:
        ScriptError: a service does not answer
    """
    counts = query(
        client,
        "SELECT COUNT(*) AS instances, COUNT(DISTINCT PatientID) AS patients "  # noqa: S608
        f"FROM {table.sql}",
    ).rows[0]
    frequent = query(
        client,
        f"SELECT StudyDescription AS finding, COUNT(*) AS n FROM {table.sql} "  # noqa: S608
        f"GROUP BY finding ORDER BY n DESC, finding LIMIT {TOP_FINDINGS}",
    )
    return Findings(
        instances=web.count(),
        rows=int(counts["instances"]),
        patients=int(counts["patients"]),
        no_finding_rows=len(no_finding.rows),
        patient_88=sorted(patient.column("StudyDescription")),
        frequent=[(str(row["finding"]), int(row["n"])) for row in frequent.rows],
    )
