"""Resource type of Identity-Aware Proxy: the member of the policy before a Cloud Run service."""

from engine.standin.iam import MEMBER, Member, read_by_post
from engine.standin.resource_types.common import resource_type

_NAME = "projects/{project}/iap_web/cloud_run-{location}/services/{service}"


def _same_service(one: str, other: str) -> bool:
    return one.rpartition("/")[2] == other.rpartition("/")[2]


RESOURCE_TYPES = (
    resource_type(
        "gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember",
        "IAM member of the proxy before the Cloud Run service",
        Member(
            service="iap",
            name=_NAME,
            key="cloudRunServiceName",
            get=read_by_post,
            shown={"cloudRunServiceName": _NAME},
            patterns=(
                r"projects/(?P<project>[^/]+)/iap_web/cloud_run-(?P<location>[^/]+)"
                r"/services/(?P<service>[^/]+)",
                r"(?P<project>[^/]+)/(?P<location>[^/]+)/(?P<service>[^/]+)",
                r"(?P<location>[^/]+)/(?P<service>[^/]+)",
                r"(?P<service>[^/]+)",
            ),
        ),
        quirks={
            "cloudRunServiceName": {"same": _same_service},
            "location": {"from_provider": "region", "wire": None},
            **MEMBER,
        },
    ),
)
