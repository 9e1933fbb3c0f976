"""Measurements beside findings: the rows of the view, and how well a cut-off separates them."""

from collections.abc import Iterable
from dataclasses import dataclass

from google.cloud import bigquery

from scripts.lib.google.bigquery import Table, query

CUT_OFF = 0.485
"""The ratio above which a heart counts as enlarged: that of the test of the workload."""
FINDING = "Cardiomegaly"
_RATIO = "cardiothoracic-ratio"
_SQL = """\
SELECT PatientID, SOPInstanceUID, Finding, Value
FROM {view} WHERE Measurement = @measurement ORDER BY Value DESC, SOPInstanceUID"""


@dataclass(frozen=True)
class Row:
    """A row of the view.

    Attributes:
        patient: PatientID
        instance: SOP Instance UID of the x-ray
        finding: its study description
        ratio: what was measured
    """

    patient: str
    instance: str
    finding: str
    ratio: float

    @property
    def has_finding(self) -> bool:
        """Whether cardiomegaly is among the findings."""
        return FINDING in self.finding.split("|")


@dataclass(frozen=True)
class Counts:
    """X-rays with and without the finding, by whether their ratio is above the cut-off.

    Attributes:
        true_positive: with the finding, above
        false_negative: with the finding, not above
        false_positive: without the finding, above
        true_negative: without the finding, not above
    """

    true_positive: int
    false_negative: int
    false_positive: int
    true_negative: int

    @property
    def sensitivity(self) -> float | None:
        """The share of those with the finding that are above; None if there are none."""
        return _share(self.true_positive, self.false_negative)

    @property
    def specificity(self) -> float | None:
        """The share of those without the finding that are not above; None if there are none."""
        return _share(self.true_negative, self.false_positive)


def _share(part: int, rest: int) -> float | None:
    return part / (part + rest) if part + rest else None


def rows(client: bigquery.Client, view: Table) -> list[Row]:
    """Return the rows of the view, the greatest ratio first.

    Raises:
        ScriptError: BigQuery refuses
    """
    found = query(client, _SQL.format(view=view.sql), parameters={"measurement": _RATIO})
    # Names of columns have no case in BigQuery, and the local one answers in lower case (observed).
    plain = [{name.lower(): value for name, value in each.items()} for each in found.rows]
    return [
        Row(
            str(each["patientid"]),
            str(each["sopinstanceuid"]),
            str(each["finding"]),
            float(each["value"]),
        )
        for each in plain
    ]


def count(measured: Iterable[Row], cut_off: float) -> Counts:
    """Count x-rays on both sides of a cut-off."""
    sides = [(row.has_finding, row.ratio > cut_off) for row in measured]
    return Counts(
        sides.count((True, True)),
        sides.count((True, False)),
        sides.count((False, True)),
        sides.count((False, False)),
    )
