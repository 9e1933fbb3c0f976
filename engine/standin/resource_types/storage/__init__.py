"""Resource types of Cloud Storage: bucket, member of its policy, object."""

from urllib.parse import quote

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, POLICY_VERSION, Member
from engine.standin.resource_types.common import SHORT_NAME, resource_type
from engine.standin.resource_types.storage import lifecycle
from engine.standin.resource_types.storage.objects import BUCKET_OBJECT
from engine.standin.rest import Rest
from engine.standin.values import Values


def _located(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"url": f"gs://{answer['name']}"}


def _empty(state: Values, api: Api) -> None:
    """Delete a bucket; one with objects only when the program says so (`forceDestroy`)."""
    name = state["name"]
    objects = api.call("storage", "GET", f"b/{name}/o").get("items", [])
    if objects and not state.get("forceDestroy"):
        raise StandInError(
            f'Error trying to delete bucket {name} containing objects without "forceDestroy" '
            "set to true: set it, run `pulumi up`, then try again; or delete the objects yourself"
        )
    while objects:
        for item in objects:
            api.call("storage", "DELETE", f"b/{name}/o/{quote(item['name'], safe='')}")
        objects = api.call("storage", "GET", f"b/{name}/o").get("items", [])


_BUCKETS = resource_type(
    "gcp:storage/bucket:Bucket",
    "Bucket",
    Rest(
        service="storage",
        id="{name}",
        path="b/{name}",
        create_call="POST b?project={project}",
        update_style="merge",
        imports=("{project}/{name}", "{name}"),
        decode=_located,
        prepare_delete=_empty,
    ),
    quirks={
        **SHORT_NAME,
        "lifecycleRules": {
            "wire": "lifecycle.rule",
            "encode": lifecycle.to_rules,
            "decode": lifecycle.from_rules,
        },
        "location": {"same": lambda one, other: one.lower() == other.lower()},
        "uniformBucketLevelAccess": {"wire": "iamConfiguration.uniformBucketLevelAccess.enabled"},
        "publicAccessPrevention": {"wire": "iamConfiguration.publicAccessPrevention"},
        "requesterPays": {"wire": "billing.requesterPays"},
        "forceDestroy": {"client": True},
        "url": {"wire": None},
    },
    timeouts={"read": 4},
    uncovered=(
        "autoclass", "cors", "customPlacementConfig", "enableObjectRetention", "encryption",
        "hierarchicalNamespace", "ipFilter", "logging", "retentionPolicy", "rpo",
        "softDeletePolicy", "website",
    ),
)  # fmt: skip


def _get_policy(api: Api, member: Member, name: str) -> Json:
    query = {"optionsRequestedPolicyVersion": str(POLICY_VERSION)}
    return api.call(member.service, "GET", f"{name}/iam", query=query)


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    api.call(member.service, "PUT", f"{name}/iam", body=policy)


_BUCKET_MEMBERS = resource_type(
    "gcp:storage/bucketIAMMember:BucketIAMMember",
    "IAM member of the bucket",
    Member(
        service="storage",
        name="b/{bucket}",
        key="bucket",
        patterns=(r"(?:b/)?(?P<bucket>[^/]+)",),
        get=_get_policy,
        set=_set_policy,
    ),
    quirks=MEMBER,
)

RESOURCE_TYPES = (_BUCKETS, _BUCKET_MEMBERS, BUCKET_OBJECT)
