import csv
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from scripts.gsp615 import expected
from scripts.gsp615.expected import Findings

TRUE = Findings(405, 405, 99, 151, ["Cardiomegaly|Effusion"], [("No Finding", 151)])


def test_the_truth_has_no_problems() -> None:
    assert expected.problems(TRUE, lab_source=True) == []


@pytest.mark.parametrize(
    ("found", "problem"),
    [
        (replace(TRUE, instances=404, rows=404), "instances in the store: 404 instead of 405"),
        (replace(TRUE, patients=98), "patients: 98 instead of 99"),
        (replace(TRUE, no_finding_rows=302), "rows of 'No Finding': 302 instead of 151"),
        (
            replace(TRUE, patient_88=[]),
            "findings of patient 88: [] instead of ['Cardiomegaly|Effusion']",
        ),
        (
            replace(TRUE, rows=810),
            "the table has 810 rows, the store 405 instances:"
            " the export must have exactly one row an instance",
        ),
    ],
)
def test_a_wrong_figure_is_named(found: Findings, problem: str) -> None:
    assert expected.problems(found, lab_source=True) == [problem]


def test_of_other_files_only_the_rows_are_known() -> None:
    other = Findings(7, 7, 1, 0, [], [])
    assert expected.problems(other, lab_source=False) == []
    assert len(expected.problems(replace(other, rows=6), lab_source=False)) == 1


def test_the_truth_is_counted_on_the_published_metadata() -> None:
    files = sorted(Path(expected.__file__).parents[2].glob("emulator/**/nih_chest_xray_000000.csv"))
    if not files:
        pytest.skip("the published metadata is not in this checkout")
    rows = list(csv.DictReader(files[0].open(encoding="utf-8")))
    patients = Counter(row["patient_id"] for row in rows)
    found = [row["finding_labels"] for row in rows if int(row["patient_id"]) == 88]
    assert (len(rows), len(patients)) == (expected.INSTANCES, expected.PATIENTS)
    assert found == expected.PATIENT_88
    assert sum(row["finding_labels"] == "No Finding" for row in rows) == expected.NO_FINDING_ROWS
