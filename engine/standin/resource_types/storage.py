"""Rows of Cloud Storage: buckets, and who may do what in them."""

from dataclasses import replace
from urllib.parse import quote

from engine.standin.errors import StandInError
from engine.standin.http import Api, Json
from engine.standin.iam import MEMBER, POLICY_VERSION, Member
from engine.standin.properties import Property
from engine.standin.resource import Resource
from engine.standin.rest import Rest
from engine.standin.tables.common import (
    DELETION_POLICY,
    LABEL_OUTPUTS,
    LABELS,
    NAME,
    PROJECT,
)
from engine.standin.values import Values


def _located(answer: Json, known: Values) -> Values:  # noqa: ARG001
    return {"url": f"gs://{answer['name']}"}


def _empty(state: Values, api: Api) -> None:
    """A bucket with objects goes only when the program says so (`forceDestroy`)."""
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


_BUCKETS = Resource(
    pulumi_type="gcp:storage/bucket:Bucket",
    title="Bucket",
    properties={
        "name": replace(
            NAME,
            wire="name",
            pattern=r"[a-z0-9](?:[a-z0-9_.-]{1,220})[a-z0-9]",
            allowed="3 to 63 lower-case letters, digits, dashes, underscores or periods, "
            "beginning and ending with a letter or digit",
        ),
        "project": PROJECT,
        "location": Property(
            required=True, replace=True, same=lambda one, other: one.lower() == other.lower()
        ),
        "storageClass": Property(
            default="STANDARD",
            choices=(
                "STANDARD", "MULTI_REGIONAL", "REGIONAL", "NEARLINE", "COLDLINE", "ARCHIVE",
            ),
        ),
        "versioning": Property(
            kind="object",
            computed=True,
            fields={"enabled": Property(kind="boolean", required=True)},
        ),
        "uniformBucketLevelAccess": Property(
            kind="boolean",
            computed=True,
            wire="iamConfiguration.uniformBucketLevelAccess.enabled",
        ),
        "publicAccessPrevention": Property(
            computed=True,
            wire="iamConfiguration.publicAccessPrevention",
            choices=("inherited", "enforced"),
        ),
        "requesterPays": Property(kind="boolean", wire="billing.requesterPays"),
        "defaultEventBasedHold": Property(kind="boolean"),
        "labels": LABELS,
        "forceDestroy": Property(kind="boolean", client=True, default=False),
        "deletionPolicy": DELETION_POLICY,
        "selfLink": Property(output=True),
        "url": Property(output=True, wire=None),
        "projectNumber": Property(kind="integer", output=True),
        "timeCreated": Property(output=True),
        "updated": Property(output=True),
        **LABEL_OUTPUTS,
    },
    behaviour=Rest(
        service="storage",
        id="{name}",
        path="b/{name}",
        create_call="POST b?project={project}",
        update_style="merge",
        imports=("{project}/{name}", "{name}"),
        decode=_located,
        prepare_delete=_empty,
    ),
    timeouts={"create": 10, "read": 4, "update": 4},
    uncovered=(
        "autoclass", "cors", "customPlacementConfig", "enableObjectRetention", "encryption",
        "hierarchicalNamespace", "ipFilter", "lifecycleRules", "logging", "retentionPolicy", "rpo",
        "softDeletePolicy", "website",
    ),
)  # fmt: skip


def _get_policy(api: Api, member: Member, name: str) -> Json:
    query = {"optionsRequestedPolicyVersion": str(POLICY_VERSION)}
    return api.call(member.service, "GET", f"{name}/iam", query=query)


def _set_policy(api: Api, member: Member, name: str, policy: Json) -> None:
    api.call(member.service, "PUT", f"{name}/iam", body=policy)


_BUCKET_MEMBERS = Resource(
    pulumi_type="gcp:storage/bucketIAMMember:BucketIAMMember",
    title="IAM member of the bucket",
    properties={"bucket": Property(required=True, replace=True), **MEMBER},
    behaviour=Member(
        service="storage",
        name="b/{bucket}",
        key="bucket",
        patterns=(r"(?:b/)?(?P<bucket>[^/]+)",),
        get=_get_policy,
        set=_set_policy,
    ),
)

ROWS = (_BUCKETS, _BUCKET_MEMBERS)
