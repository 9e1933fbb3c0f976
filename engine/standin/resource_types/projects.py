"""Resource types of a project: service, service identity, member of its policy, audit logs."""

from engine.standin.audit import AuditConfig
from engine.standin.checking import refusals
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, Member, read_by_post
from engine.standin.resource_types.common import resource_type
from engine.standin.services import EnabledService, ServiceIdentity


def _get_policy(api: Api, member: Member, name: str) -> Json:
    return read_by_post(api, member, f"projects/{name}")


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    body = {"policy": policy, "updateMask": "bindings,etag,auditConfigs"}
    api.call(member.service, "POST", f"projects/{name}:setIamPolicy", body=body)


_POLICY = Member(
    service="resourcemanager",
    name="{project}",
    key="project",
    patterns=(r"(?:projects/)?(?P<project>[^/]+)",),
    get=_get_policy,
    set=_set_policy,
)
_SWITCH = {"client": True, "wire": None}

RESOURCE_TYPES = (
    resource_type(
        "gcp:projects/service:Service",
        "project service",
        EnabledService(),
        quirks={
            "service": {"validate": refusals.service},
            "disableDependentServices": _SWITCH,
            "disableOnDestroy": _SWITCH,
            "checkIfServiceHasUsageOnDestroy": _SWITCH,
        },
        timeouts={"read": 10},
    ),
    resource_type(
        "gcp:projects/serviceIdentity:ServiceIdentity",
        "Service Identity",
        ServiceIdentity(),
        timeouts={"read": 10},
    ),
    resource_type(
        "gcp:projects/iAMMember:IAMMember", "IAM member of the project", _POLICY, quirks=MEMBER
    ),
    resource_type(
        "gcp:projects/iAMAuditConfig:IAMAuditConfig",
        "IAM audit config of the project",
        AuditConfig(policy=_POLICY),
    ),
)
