"""The methods of Identity-Aware Proxy, with their permissions and their names in audit logs.

Documented (https://cloud.google.com/iap/docs/audit-log-howto and
https://cloud.google.com/iam/docs/roles-permissions/iap): the names and the permissions.
"""

from emulator.core.method_table import MethodTable, policy_rows

TABLE = MethodTable(
    "iap.googleapis.com",
    policy_rows(
        "projects/{p}/iap_web/cloud_run-{l}/services/{s}",
        "iap.webServices",
        "google.cloud.iap.v1.IdentityAwareProxyAdminService.",
    ),
    root="/v1/",
)
