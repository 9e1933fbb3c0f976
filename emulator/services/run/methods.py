"""The methods of Cloud Run, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/run/docs/reference/iam/permissions and
https://cloud.google.com/run/docs/audit-logging): the permissions and the names.
"""

from collections.abc import Iterator

from emulator.core.method_table import ADMIN_WRITE, MethodTable, Row, policy_rows

_LOCATION = "projects/{p}/locations/{l}"
_PROJECT = "projects/{p}"
_REVISIONS = "google.cloud.run.v2.Revisions"
_JOBS = f"{_LOCATION}/jobs"
_JOB = f"{_JOBS}/{{id}}"
_EXECUTIONS = f"{_JOB}/executions"
_EXECUTION = f"{_EXECUTIONS}/{{e}}"
_OPERATION = f"{_LOCATION}/operations/{{o}}"


def _rows_of(collection: str, permissions: str, parameter: str, type_: str) -> Iterator[Row]:
    """Yield the rows of a kind of resource."""
    every = f"{_LOCATION}/{collection}"
    one = f"{every}/{{id}}"
    name = f"google.cloud.run.v2.{type_}s."
    yield Row("GET", every, f"{permissions}.list", _PROJECT, f"{name}List{type_}s")
    yield Row(
        "POST",
        every,
        f"{permissions}.create",
        _PROJECT,
        f"{name}Create{type_}",
        f"{every}/{{new}}",
        parameter,
    )
    for verb, permission in (("GET", "get"), ("PATCH", "update"), ("DELETE", "delete")):
        yield Row(
            verb, one, f"{permissions}.{permission}", one, f"{name}{permission.title()}{type_}"
        )
    yield from policy_rows(one, permissions, name)


def _revisions(collection: str) -> Iterator[Row]:
    owner = f"{_LOCATION}/{collection}/{{id}}"
    every = f"{owner}/revisions"
    one = f"{every}/{{r}}"
    yield Row("GET", every, "run.revisions.list", owner, f"{_REVISIONS}.ListRevisions")
    yield Row("GET", one, "run.revisions.get", owner, f"{_REVISIONS}.GetRevision", one)
    yield Row("DELETE", one, "run.revisions.delete", owner, f"{_REVISIONS}.DeleteRevision", one)


TABLE = MethodTable(
    "run.googleapis.com",
    (
        *_rows_of("services", "run.services", "serviceId", "Service"),
        *_rows_of("jobs", "run.jobs", "jobId", "Job"),
        *_rows_of("workerPools", "run.workerpools", "workerPoolId", "WorkerPool"),
        *_revisions("services"),
        *_revisions("workerPools"),
        Row("POST", f"{_JOB}:run", "run.jobs.run", _JOB, "google.cloud.run.v2.Jobs.RunJob"),
        Row(
            "GET",
            _EXECUTIONS,
            "run.executions.list",
            _JOB,
            "google.cloud.run.v2.Executions.ListExecutions",
        ),
        Row(
            "GET",
            _EXECUTION,
            "run.executions.get",
            _JOB,
            "google.cloud.run.v2.Executions.GetExecution",
            _EXECUTION,
        ),
        Row(
            "DELETE",
            _EXECUTION,
            "run.executions.delete",
            _JOB,
            "google.cloud.run.v2.Executions.DeleteExecution",
            _EXECUTION,
        ),
        Row(
            "POST",
            f"{_EXECUTION}:cancel",
            "run.executions.cancel",
            _JOB,
            "google.cloud.run.v2.Executions.CancelExecution",
            _EXECUTION,
        ),
        Row(
            "GET",
            f"{_EXECUTION}/tasks",
            "run.tasks.list",
            _JOB,
            "google.cloud.run.v2.Tasks.ListTasks",
            _EXECUTION,
        ),
        Row(
            "GET",
            f"{_EXECUTION}/tasks/{{t}}",
            "run.tasks.get",
            _JOB,
            "google.cloud.run.v2.Tasks.GetTask",
            f"{_EXECUTION}/tasks/{{t}}",
        ),
        Row("GET", f"{_LOCATION}/operations", "run.operations.list", _PROJECT),
        Row("GET", _OPERATION, "run.operations.get", _PROJECT),
        Row("POST", f"{_OPERATION}:wait", "run.operations.get", _PROJECT),
        Row("DELETE", _OPERATION, "run.operations.delete", _PROJECT),
    ),
    root="/v2/",
    types={"run.jobs.run": ADMIN_WRITE, "run.executions.cancel": ADMIN_WRITE},
    monitored=(
        (
            "projects/{project_id}/locations/{location}/services/{service_name}",
            "cloud_run_revision",
        ),
        ("projects/{project_id}/locations/{location}/jobs/{job_name}", "cloud_run_job"),
        (
            "projects/{project_id}/locations/{location}/workerPools/{worker_pool_name}",
            "cloud_run_worker_pool",
        ),
    ),
)
