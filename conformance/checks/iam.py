"""Checks of IAM policies on a Healthcare dataset: refusals and their texts."""

from functools import partial
from typing import Any

from conformance.check import Check, Lab
from conformance.cloud_project import Json

_VIEWER = "roles/healthcare.datasetViewer"
_MISSING = "serviceAccount:service-1@gcp-sa-healthcare.iam.gserviceaccount.com"


def _set(lab: Lab, binding: Json, mask: str = "", **policy: Any) -> Json:
    body = {"policy": {"bindings": [binding], **policy}} | ({"updateMask": mask} if mask else {})
    return lab.healthcare("POST", f"{lab.names.dataset}:setIamPolicy", json=body)


def _binding(member: str, role: str = _VIEWER, **more: Any) -> Json:
    return {"role": role, "members": [member], **more}


def _agent(lab: Lab) -> str:
    """Return the Healthcare service agent of the project: a member that exists."""
    return f"serviceAccount:service-{lab.number}@gcp-sa-healthcare.iam.gserviceaccount.com"


def _condition(expression: str, lab: Lab) -> Json:
    condition = {"title": "sample", "expression": expression}
    return _set(lab, _binding(_agent(lab), condition=condition), version=3)


def _without_version(lab: Lab) -> Json:
    condition = {"title": "sample", "expression": "true"}
    return _set(lab, _binding(_agent(lab), condition=condition), version=1)


def _stale(lab: Lab) -> Json:
    """Set the same policy twice with the etag of the first read."""
    path = lab.names.dataset
    before = lab.cloud.require("healthcare", "GET", f"v1/{path}:getIamPolicy")
    audit = [
        {"service": "healthcare.googleapis.com", "auditLogConfigs": [{"logType": "ADMIN_READ"}]}
    ]
    first = {**before, "auditConfigs": audit}
    bodies = [{"policy": first, "updateMask": "auditConfigs,etag"}] * 2
    answers = [lab.healthcare("POST", f"{path}:setIamPolicy", json=body) for body in bodies]
    return answers[-1]


def _new_policy(lab: Lab) -> Json:
    return lab.healthcare("GET", f"{lab.names.store('main')}:getIamPolicy")


CHECKS = (
    Check("iam-new-policy", "the policy of a store that was never set", _new_policy),
    Check(
        "iam-member-text",
        "a member without a type: text",
        lambda lab: _set(lab, _binding("invalid")),
    ),
    Check(
        "iam-special-member-text",
        "`allusers` in small letters: text",
        lambda lab: _set(lab, _binding("allusers")),
    ),
    Check(
        "iam-role-text",
        "a role of no valid form: text",
        lambda lab: _set(lab, _binding(_agent(lab), "viewer")),
    ),
    Check(
        "iam-missing-account-text",
        "a service agent that does not exist: text",
        lambda lab: _set(lab, _binding(_MISSING)),
    ),
    Check("iam-condition-version-text", "a condition in a policy of version 1", _without_version),
    Check(
        "iam-condition-text",
        "a condition that does not compile: text",
        partial(_condition, "request.time <"),
    ),
    Check(
        "iam-condition-type-text",
        "a condition that is not a boolean: text",
        partial(_condition, "'text'"),
    ),
    Check(
        "iam-basic-condition-text",
        "a condition on a basic role: text",
        lambda lab: _set(
            lab,
            _binding(_agent(lab), "roles/viewer", condition={"title": "a", "expression": "true"}),
            version=3,
        ),
    ),
    Check(
        "iam-mask-text",
        "an update mask with an unknown field: text",
        lambda lab: _set(lab, _binding(_agent(lab)), mask="members"),
    ),
    Check("iam-etag-text", "a policy with a stale etag: code and text", _stale),
    Check(
        "iam-missing-resource-text",
        "the policy of a store that does not exist: text",
        lambda lab: lab.healthcare("GET", f"{lab.names.store('missing')}:getIamPolicy"),
    ),
    Check(
        "iam-test-missing",
        "testIamPermissions on a store that does not exist",
        lambda lab: lab.healthcare(
            "POST",
            f"{lab.names.store('missing')}:testIamPermissions",
            json={"permissions": ["healthcare.dicomStores.get"]},
        ),
    ),
)
