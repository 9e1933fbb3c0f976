"""Checks of custom roles, service accounts and their tokens: errors and their texts.

None creates anything: a deleted role stays in its project for days.
"""

from conformance.check import Check, Lab
from conformance.cloud_project import Json


def _iam(lab: Lab, method: str, path: str, body: Json = None) -> Json:
    return lab.call("iam", method, f"v1/projects/{lab.names.project}/{path}", json=body)


def _email(lab: Lab) -> str:
    """Return the address of a service account that does not exist."""
    return f"missing-{lab.names.run}@{lab.names.project}.iam.gserviceaccount.com"


def _token(lab: Lab) -> Json:
    path = f"v1/projects/-/serviceAccounts/{_email(lab)}:generateAccessToken"
    scope = "https://www.googleapis.com/auth/cloud-platform"
    return lab.call("iamcredentials", "POST", path, json={"scope": [scope]})


CHECKS = (
    Check(
        "iam-custom-role-missing-text",
        "a custom role that does not exist: text",
        lambda lab: _iam(lab, "GET", "roles/missing"),
    ),
    Check(
        "iam-custom-role-id-text",
        "creation of a custom role with an invalid id: text",
        lambda lab: _iam(lab, "POST", "roles", {"roleId": "not-valid", "role": {}}),
    ),
    Check(
        "iam-custom-role-permission-text",
        "creation of a custom role with a permission of no valid form: text",
        lambda lab: _iam(
            lab, "POST", "roles", {"roleId": "refused", "role": {"includedPermissions": ["none"]}}
        ),
    ),
    Check(
        "iam-account-missing-text",
        "a service account that does not exist: text",
        lambda lab: _iam(lab, "GET", f"serviceAccounts/{_email(lab)}"),
    ),
    Check(
        "iam-account-id-text",
        "creation of a service account with an invalid id: text",
        lambda lab: _iam(lab, "POST", "serviceAccounts", {"accountId": "A"}),
    ),
    Check("iam-token-missing-text", "a token of a service account that does not exist", _token),
)
