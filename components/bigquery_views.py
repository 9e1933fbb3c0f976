"""Views over exported DICOM metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_gcp import bigquery

from components import rules
from components.base import Component, require


@dataclass(frozen=True)
class View:
    """A view. `{table}` in `sql` stands for the table in backquotes."""

    name: str
    description: str
    sql: str


def _items(content: str) -> str:
    """Return the items of a content tree below a node, which is text in JSON.

    BigQuery has no column for a sequence that no exported instance has, so columns can't be named:
    the view would be refused for a table without reports. A null reads as nothing in BigQuery
    (documented: https://cloud.google.com/bigquery/docs/reference/standard-sql/json_functions), and
    the text null in the local one (observed).
    """
    return (
        f'UNNEST(JSON_QUERY_ARRAY(IFNULL(NULLIF(JSON_QUERY({content}, "$.ContentSequence"), '
        '"null"), "[]")))'
    )


# The content tree is that of TID 1500 (PS3.16): report, measurements, group, measurement, image.
_FINDINGS_VS_MEASURED = f"""\
WITH
  exported AS (
    SELECT TO_JSON_STRING(instance) AS content FROM {{table}} AS instance WHERE Modality = "SR"
  ),
  measured AS (
    SELECT
      COALESCE(
        JSON_VALUE(item, "$.ConceptNameCodeSequence[0].CodeValue"),
        JSON_VALUE(item, "$.ConceptNameCodeSequence[0].LongCodeValue")
      ) AS Measurement,
      CAST(JSON_VALUE(item, "$.MeasuredValueSequence[0].NumericValue[0]") AS FLOAT64) AS Value,
      JSON_VALUE(source, "$.ReferencedSOPSequence[0].ReferencedSOPInstanceUID") AS SourceUID
    FROM exported,
      {_items("content")} AS part,
      {_items("part")} AS finding_group,
      {_items("finding_group")} AS item,
      {_items("item")} AS source
    WHERE JSON_VALUE(item, "$.ValueType") = "NUM" AND JSON_VALUE(source, "$.ValueType") = "IMAGE"
  )
SELECT DISTINCT
  image.PatientID,
  image.StudyInstanceUID,
  image.SOPInstanceUID,
  image.StudyDescription AS Finding,
  measured.Measurement,
  measured.Value
FROM measured
JOIN {{table}} AS image ON image.SOPInstanceUID = measured.SourceUID"""  # noqa: S608 (no input)

VIEWS = (
    View(
        "studies",
        "One row a study: whose, when, what, how many series and instances.",
        """\
SELECT
  StudyInstanceUID,
  ANY_VALUE(PatientID) AS PatientID,
  MIN(StudyDate) AS StudyDate,
  STRING_AGG(DISTINCT Modality, ", " ORDER BY Modality) AS Modalities,
  ANY_VALUE(StudyDescription) AS StudyDescription,
  COUNT(DISTINCT SeriesInstanceUID) AS Series,
  COUNT(*) AS Instances
FROM {table}
GROUP BY StudyInstanceUID""",
    ),
    View(
        "findings_by_patient",
        "One row a patient and finding, which the x-rays of the lab carry as study description.",
        """\
SELECT PatientID, StudyDescription AS Finding, COUNT(*) AS Instances
FROM {table}
GROUP BY PatientID, Finding""",
    ),
    View(
        "modality_counts",
        "One row a modality: how many patients, studies and instances.",
        """\
SELECT
  Modality,
  COUNT(DISTINCT PatientID) AS Patients,
  COUNT(DISTINCT StudyInstanceUID) AS Studies,
  COUNT(*) AS Instances
FROM {table}
GROUP BY Modality""",
    ),
    View(
        "findings_vs_measured",
        "One row a measurement of an image: its findings beside what a structured report says.",
        _FINDINGS_VS_MEASURED,
    ),
)
"""The views over every exported table; a view is called TABLE_NAME."""


@dataclass(frozen=True)
class BigQueryViewsArgs:
    """Arguments of `BigQueryViews`.

    Attributes:
        project: The id of the project.
        dataset: The id of the BigQuery dataset.
        tables: The tables that DICOM stores are exported to.
        labels: Labels of the views.
    """

    project: str
    dataset: pulumi.Input[str]
    tables: Sequence[str]
    labels: Mapping[str, pulumi.Input[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        require("BigQueryViewsArgs", "project", self.project, rules.project)
        for table in self.tables:
            require("BigQueryViewsArgs", "tables", table, rules.table)


class BigQueryViews(Component):
    """Views over exported tables, as soon as those exist.

    BigQuery refuses a view over a table that does not exist, and the first export creates the
    tables. So each update lists the tables: the first one after an export creates the views, and no
    update before it fails. The next update after a table is deleted deletes its views.

    Inputs: see `BigQueryViewsArgs`.

    Outputs:
        views: Names of the views that exist.
    """

    former_name = "WarehouseViews"

    views: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        args: BigQueryViewsArgs,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__(name, opts)
        found = bigquery.get_tables_output(
            dataset_id=args.dataset,
            project=args.project,
            opts=pulumi.InvokeOutputOptions(parent=self),
        )
        self.views = found.apply(lambda found: self._make(name, args, found))
        self.register_outputs({"views": self.views})

    def _make(
        self, name: str, args: BigQueryViewsArgs, found: bigquery.GetTablesResult
    ) -> list[str]:
        existing = {table.table_id for table in found.tables}
        wanted = [(table, view) for table in args.tables if table in existing for view in VIEWS]
        for table, view in wanted:
            bigquery.Table(
                f"{name}-{table}-{view.name}",
                project=args.project,
                dataset_id=found.dataset_id,
                table_id=f"{table}_{view.name}",
                description=view.description,
                labels=args.labels,
                deletion_protection=False,
                view={
                    "query": view.sql.format(table=f"`{args.project}.{found.dataset_id}.{table}`"),
                    "use_legacy_sql": False,
                },
                opts=self._child(),
            )
        return [f"{table}_{view.name}" for table, view in wanted]
