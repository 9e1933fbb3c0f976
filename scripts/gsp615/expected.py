"""The expected answers of the lab's files, and the check of a run.

Counted on the published metadata of NIH ChestX-ray14 (Data_Entry_2017_v2020, patients 1 to 99),
which are the files behind the lab's wildcard.
"""

from dataclasses import dataclass

PATIENT = "88"
INSTANCES = 405
PATIENTS = 99
NO_FINDING_ROWS = 151
PATIENT_88 = ["Cardiomegaly|Effusion"]


@dataclass(frozen=True)
class Findings:
    """The figures of the store and the table after a run.

    Attributes:
        instances: in the DICOM store, counted through DICOMweb
        rows: in the BigQuery table
        patients: different PatientIDs in the table
        no_finding_rows: rows of the lab's second query
        patient_88: StudyDescription of each row of the lab's first query
        frequent: the most frequent StudyDescriptions with their rows, in descending order
    """

    instances: int
    rows: int
    patients: int
    no_finding_rows: int
    patient_88: list[str]
    frequent: list[tuple[str, int]]


def problems(found: Findings, *, lab_source: bool) -> list[str]:
    """Return what differs from the expected answers; empty if nothing does.

    Args:
        found: after a run
        lab_source: whether the lab's own files were imported, whose answers are known
    """
    differences = []
    if found.rows != found.instances:
        differences.append(
            f"the table has {found.rows} rows, the store {found.instances} instances:"
            " the export must have exactly one row an instance"
        )
    if not lab_source:
        return differences
    pairs = (
        ("instances in the store", found.instances, INSTANCES),
        ("patients", found.patients, PATIENTS),
        ("rows of 'No Finding'", found.no_finding_rows, NO_FINDING_ROWS),
        (f"findings of patient {PATIENT}", found.patient_88, PATIENT_88),
    )
    differences += [f"{what}: {is_} instead of {due}" for what, is_, due in pairs if is_ != due]
    return differences
