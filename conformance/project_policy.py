"""Changes of the project's IAM policy that a run needs: each is added, and removed afterwards.

A project that grants or logs the same already keeps its policy as it is.
"""

from collections.abc import Callable

from conformance.cloud_project import CloudProject, Json

JOB_USER = "roles/bigquery.jobUser"
AUDITED_SERVICE = "healthcare.googleapis.com"
_AUDIT_CONFIG = {"service": AUDITED_SERVICE, "auditLogConfigs": [{"logType": "DATA_READ"}]}
_ALL_SERVICES = "allServices"


def add_job_user(cloud: CloudProject, member: str, note: Callable[[], None]) -> None:
    """Let a member run BigQuery jobs, unless it may do so by this role already.

    Args:
        cloud: the cloud
        member: such as `serviceAccount:EMAIL`
        note: called before the policy is changed
    """
    policy = _read(cloud)
    bindings = policy.setdefault("bindings", [])
    granted = [one for one in bindings if one["role"] == JOB_USER and "condition" not in one]
    if any(member in one["members"] for one in granted):
        return
    note()
    if granted:
        granted[0]["members"].append(member)
    else:
        bindings.append({"role": JOB_USER, "members": [member]})
    _write(cloud, policy)


def remove_job_user(cloud: CloudProject, member: str) -> None:
    """Take the role from a member again."""
    policy = _read(cloud)
    for binding in policy.get("bindings", []):
        if binding["role"] == JOB_USER and "condition" not in binding:
            binding["members"] = [one for one in binding["members"] if one != member]
    policy["bindings"] = [one for one in policy.get("bindings", []) if one["members"]]
    _write(cloud, policy)


def add_audit_config(cloud: CloudProject, note: Callable[[], None]) -> None:
    """Have reads of data by the Healthcare API logged, unless its audit logs are configured.

    Args:
        cloud: the cloud
        note: called before the policy is changed
    """
    policy = _read(cloud)
    configs = policy.setdefault("auditConfigs", [])
    if any(one["service"] in (AUDITED_SERVICE, _ALL_SERVICES) for one in configs):
        return
    note()
    configs.append(_AUDIT_CONFIG)
    _write(cloud, policy)


def remove_audit_config(cloud: CloudProject, service: str) -> None:
    """Remove the audit config that `add_audit_config` has added, if it is unchanged."""
    policy = _read(cloud)
    configs = policy.get("auditConfigs", [])
    if _AUDIT_CONFIG in configs and service == AUDITED_SERVICE:
        policy["auditConfigs"] = [one for one in configs if one != _AUDIT_CONFIG]
        _write(cloud, policy)


def _read(cloud: CloudProject) -> Json:
    path = f"v1/projects/{cloud.project}:getIamPolicy"
    options = {"options": {"requestedPolicyVersion": 3}}
    return cloud.require("cloudresourcemanager", "POST", path, json=options)


def _write(cloud: CloudProject, policy: Json) -> None:
    path = f"v1/projects/{cloud.project}:setIamPolicy"
    body = {"policy": policy, "updateMask": "bindings,etag,auditConfigs"}
    cloud.require("cloudresourcemanager", "POST", path, json=body)
