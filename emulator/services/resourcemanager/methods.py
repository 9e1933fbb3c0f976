"""The methods of Resource Manager, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/resource-manager/docs/audit-logging): the names of version 1,
which lack the service.
"""

from emulator.core.method_table import MethodTable, Row, policy_rows

_PROJECT = "projects/{p}"

TABLE = MethodTable(
    "cloudresourcemanager.googleapis.com",
    (
        Row("GET", _PROJECT, "resourcemanager.projects.get", _PROJECT, "GetProject"),
        *policy_rows(_PROJECT, "resourcemanager.projects", service=""),
    ),
    monitored=(("projects/{project_id}", "project"),),
)
