"""The methods of Dataflow, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/dataflow/docs/audit-logging and
https://cloud.google.com/dataflow/docs/concepts/access-control): the names, which are those of the
permissions, and that reads are in no audit log.
"""

from emulator.core.method_table import ADMIN_READ, ADMIN_WRITE, MethodTable, Row

_PROJECT = "projects/{p}"
_LOCATION = f"{_PROJECT}/locations/{{l}}"
_JOBS = f"{_LOCATION}/jobs"
_JOB = f"{_JOBS}/{{j}}"
_CREATE, _CANCEL = "dataflow.jobs.create", "dataflow.jobs.cancel"

TABLE = MethodTable(
    "dataflow.googleapis.com",
    (
        Row("POST", f"{_LOCATION}/flexTemplates:launch", _CREATE, _PROJECT, _CREATE),
        Row("GET", _JOBS, "dataflow.jobs.list", _PROJECT),
        Row("GET", _JOB, "dataflow.jobs.get", _PROJECT),
        Row("PUT", _JOB, _CANCEL, _PROJECT, _CANCEL, _JOB),
        Row("GET", f"{_JOB}/messages", "dataflow.messages.list", _PROJECT),
        Row("GET", f"{_JOB}/metrics", "dataflow.metrics.get", _PROJECT),
    ),
    root="/v1b3/",
    types={
        _CANCEL: ADMIN_WRITE,
        "dataflow.messages.list": ADMIN_READ,
        "dataflow.metrics.get": ADMIN_READ,
    },
)
