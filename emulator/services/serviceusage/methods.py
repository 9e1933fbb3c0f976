"""The methods of Service Usage, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/service-usage/docs/audit-logging): the names and types.
"""

from emulator.core.method_table import MethodTable, Row

_PROJECT = "projects/{p}"
_SERVICES = f"{_PROJECT}/services"
_SERVICE = f"{_SERVICES}/{{s}}"
_V1 = "google.api.serviceusage.v1.ServiceUsage"

TABLE = MethodTable(
    "serviceusage.googleapis.com",
    (
        Row("GET", _SERVICES, "serviceusage.services.list", _PROJECT, f"{_V1}.ListServices"),
        Row(
            "GET",
            f"{_SERVICES}:batchGet",
            "serviceusage.services.get",
            _PROJECT,
            f"{_V1}.BatchGetServices",
        ),
        Row(
            "POST",
            f"{_SERVICES}:batchEnable",
            "serviceusage.services.enable",
            _PROJECT,
            f"{_V1}.BatchEnableServices",
        ),
        *(
            Row(
                verb,
                f"{_SERVICE}{suffix}",
                f"serviceusage.services.{permission}",
                _PROJECT,
                name,
                _SERVICE,
            )
            for verb, suffix, permission, name in (
                ("GET", "", "get", f"{_V1}.GetService"),
                ("POST", ":enable", "enable", f"{_V1}.EnableService"),
                ("POST", ":disable", "disable", f"{_V1}.DisableService"),
                (
                    "POST",
                    ":generateServiceIdentity",
                    "enable",
                    "google.api.serviceusage.v1beta1.ServiceUsage.GenerateServiceIdentity",
                ),
            )
        ),
    ),
)
