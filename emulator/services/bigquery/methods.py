"""The methods of BigQuery, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/bigquery/docs/audit-logging and
https://cloud.google.com/bigquery/docs/reference/auditlogs): the names, that jobs are data access
although their permission is of the type ADMIN_WRITE, that data access is always logged, and the
types of monitored resources. Reads of datasets and of the definitions of tables, and streamed rows,
are not logged.
"""

from emulator.core.method_table import DATA_READ, DATA_WRITE, MethodTable, Row

_V2 = "google.cloud.bigquery.v2"
_PROJECT = "projects/{p}"
_DATASETS = f"{_PROJECT}/datasets"
_DATASET = f"{_DATASETS}/{{d}}"
_TABLES = f"{_DATASET}/tables"
_TABLE = f"{_TABLES}/{{t}}"
_JOBS = f"{_PROJECT}/jobs"
_JOB = f"{_JOBS}/{{j}}"
_CREATE_JOB = "bigquery.jobs.create"
_NEW_JOB = (f"{_JOBS}/{{new}}", "jobReference.jobId")


def _table(verbs: str, permission: str, name: str) -> Row:
    return Row(verbs, _TABLE, f"bigquery.tables.{permission}", _DATASET, name, _TABLE)


TABLE = MethodTable(
    "bigquery.googleapis.com",
    (
        Row("GET", _DATASETS, "bigquery.datasets.get", _PROJECT),
        Row(
            "POST",
            _DATASETS,
            "bigquery.datasets.create",
            _PROJECT,
            f"{_V2}.DatasetService.InsertDataset",
            f"{_DATASETS}/{{new}}",
            "datasetReference.datasetId",
        ),
        Row("GET", _DATASET, "bigquery.datasets.get", _DATASET),
        *(
            Row(
                verb,
                _DATASET,
                f"bigquery.datasets.{permission}",
                _DATASET,
                f"{_V2}.DatasetService.{name}",
            )
            for verb, permission, name in (
                ("PATCH", "update", "PatchDataset"),
                ("PUT", "update", "UpdateDataset"),
                ("DELETE", "delete", "DeleteDataset"),
            )
        ),
        Row("GET", _TABLES, "bigquery.tables.list", _DATASET),
        Row(
            "POST",
            _TABLES,
            "bigquery.tables.create",
            _DATASET,
            f"{_V2}.TableService.InsertTable",
            f"{_TABLES}/{{new}}",
            "tableReference.tableId",
        ),
        _table("GET", "get", ""),
        _table("PATCH", "update", f"{_V2}.TableService.PatchTable"),
        _table("PUT", "update", f"{_V2}.TableService.UpdateTable"),
        _table("DELETE", "delete", f"{_V2}.TableService.DeleteTable"),
        Row(
            "GET",
            f"{_TABLE}/data",
            "bigquery.tables.getData",
            _DATASET,
            f"{_V2}.TableDataService.List",
            _TABLE,
        ),
        Row("POST", f"{_TABLE}/insertAll", "bigquery.tables.updateData", _DATASET),
        Row(
            "POST",
            f"{_PROJECT}/queries",
            _CREATE_JOB,
            _PROJECT,
            f"{_V2}.JobService.Query",
            *_NEW_JOB,
        ),
        Row(
            "GET",
            f"{_PROJECT}/queries/{{j}}",
            _CREATE_JOB,
            _PROJECT,
            f"{_V2}.JobService.GetQueryResults",
            _JOB,
        ),
        Row("POST", _JOBS, _CREATE_JOB, _PROJECT, f"{_V2}.JobService.InsertJob", *_NEW_JOB),
        # The parts of an upload, which is logged when it begins.
        Row("PUT", _JOBS, _CREATE_JOB, _PROJECT),
        Row("GET", _JOBS, _CREATE_JOB, _PROJECT),
        Row("GET", _JOB, _CREATE_JOB, _PROJECT),
        Row("POST", f"{_JOB}/cancel", _CREATE_JOB, _PROJECT, "jobservice.cancel", _JOB),
    ),
    root=r"(?:/resumable)?(?:/upload)?/bigquery/v2/",
    types={"bigquery.tables.getData": DATA_READ, "bigquery.tables.updateData": DATA_WRITE},
    in_data_access=frozenset({_CREATE_JOB}),
    is_always_logged=True,
    monitored=(
        ("projects/{project_id}/datasets/{dataset_id}", "bigquery_dataset"),
        ("projects/{project_id}", "bigquery_project"),
    ),
)
