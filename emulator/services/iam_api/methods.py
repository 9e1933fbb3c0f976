"""The methods of IAM and of its credentials, with permissions and their names in audit logs.

Documented (https://cloud.google.com/iam/docs/audit-logging and, there, audit-logging-iamcreds): the
names and types.
"""

from emulator.core.method_table import DATA_READ, MethodTable, Row

_ADMIN = "google.iam.admin.v1"
_PROJECT = "projects/{p}"
_ROLES = f"{_PROJECT}/roles"
_ROLE = f"{_ROLES}/{{r}}"
_ACCOUNTS = f"{_PROJECT}/serviceAccounts"
_ACCOUNT = f"{_ACCOUNTS}/{{a}}"
_KEYS = f"{_ACCOUNT}/keys"
_KEY = f"{_KEYS}/{{k}}"
_TOKEN = "iam.serviceAccounts.getAccessToken"  # noqa: S105 - a permission

TABLE = MethodTable(
    "iam.googleapis.com",
    (
        Row("GET", _ROLES, "iam.roles.list", _PROJECT, f"{_ADMIN}.ListRoles"),
        Row("POST", _ROLES, "iam.roles.create", _PROJECT, f"{_ADMIN}.CreateRole"),
        *(
            Row(
                verb,
                f"{_ROLE}{suffix}",
                f"iam.roles.{name}",
                _PROJECT,
                f"{_ADMIN}.{title}Role",
                _ROLE,
            )
            for verb, suffix, name, title in (
                ("GET", "", "get", "Get"),
                ("PATCH", "", "update", "Update"),
                ("DELETE", "", "delete", "Delete"),
                ("POST", ":undelete", "undelete", "Undelete"),
            )
        ),
        Row(
            "GET", _ACCOUNTS, "iam.serviceAccounts.list", _PROJECT, f"{_ADMIN}.ListServiceAccounts"
        ),
        Row(
            "POST",
            _ACCOUNTS,
            "iam.serviceAccounts.create",
            _PROJECT,
            f"{_ADMIN}.CreateServiceAccount",
        ),
        *(
            Row(
                verb,
                f"{_ACCOUNT}{suffix}",
                f"iam.serviceAccounts.{permission}",
                _ACCOUNT,
                f"{_ADMIN}.{name}",
            )
            for verb, suffix, permission, name in (
                ("GET", "", "get", "GetServiceAccount"),
                ("PATCH", "", "update", "PatchServiceAccount"),
                ("DELETE", "", "delete", "DeleteServiceAccount"),
                ("POST", ":disable", "disable", "DisableServiceAccount"),
                ("POST", ":enable", "enable", "EnableServiceAccount"),
                ("GET POST", ":getIamPolicy", "getIamPolicy", "GetIAMPolicy"),
                ("POST", ":setIamPolicy", "setIamPolicy", "SetIAMPolicy"),
            )
        ),
        *(
            Row(
                verb,
                path,
                f"iam.serviceAccountKeys.{permission}",
                _ACCOUNT,
                f"{_ADMIN}.{name}",
                path.removesuffix("/keys"),
            )
            for verb, path, permission, name in (
                ("GET", _KEYS, "list", "ListServiceAccountKeys"),
                ("POST", _KEYS, "create", "CreateServiceAccountKey"),
                ("GET", _KEY, "get", "GetServiceAccountKey"),
                ("DELETE", _KEY, "delete", "DeleteServiceAccountKey"),
            )
        ),
    ),
    monitored=(
        ("projects/{project_id}/serviceAccounts/{email_id}", "service_account"),
        ("projects/{project_id}/roles/{role_name}", "iam_role"),
    ),
)
CREDENTIALS = MethodTable(
    "iamcredentials.googleapis.com",
    (Row("POST", f"{_ACCOUNT}:generateAccessToken", _TOKEN, _ACCOUNT, "GenerateAccessToken"),),
    types={_TOKEN: DATA_READ},
    monitored=(("projects/{project_id}/serviceAccounts/{email_id}", "service_account"),),
)
