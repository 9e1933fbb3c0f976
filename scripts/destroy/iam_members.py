"""Bindings of deleted accounts, which no other step removes from a policy.

When an account is deleted, IAM renames its member to `deleted:serviceAccount:X?uid=N`. The
provider looks for the member as the program wrote it, finds none, and leaves the renamed one.
https://cloud.google.com/iam/docs/policies#handle-deleted-members
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from google.api_core.exceptions import Conflict, NotFound, PreconditionFailed
from google.api_core.retry import Retry
from googleapiclient.errors import HttpError

from scripts.destroy.remaining import ManagedResource
from scripts.lib.google import clients, retry
from scripts.lib.google.errors import translate_errors
from scripts.resources.lookup import APIS, POLICY_VERSION, access_as_policy, grants, policy_request

Json = dict[str, Any]

_GONE = 404
_STALE_ETAG = (409, 412)
_ACCESS = ("iamMember", "userByEmail", "groupByEmail")


@dataclass(frozen=True)
class Policy:
    """An IAM policy of a resource, and how to write it back.

    Attributes:
        bindings: one role and condition each
        write: replaces them; refused if they have changed since they were read
    """

    bindings: list[Json]
    write: Callable[[list[Json]], object]


def find(resources: Iterable[ManagedResource]) -> list[ManagedResource]:
    """Find the stack's grants whose account was deleted.

    Returns:
        Grants with the member that the policy has now, `deleted:...`.

    Raises:
        ScriptError: a policy can't be read
    """
    found = []
    for grant in _grants(resources):
        with translate_errors(f"reading the policy of {grant.resource_name}"):
            policy = _read(grant)
        if policy is not None:
            found += [_as_deleted(grant, member) for member in _stale(policy.bindings, grant)]
    return found


def remove(
    resources: Iterable[ManagedResource], report: Callable[[str], None]
) -> list[ManagedResource]:
    """Remove these members from the policies, and nothing else.

    Returns:
        The removed grants, as `find` returns them.

    Raises:
        ScriptError: a policy can't be read or written
    """
    found = find(resources)
    for grant in found:
        report(f"Removing {grant.name} ...")
        with translate_errors(f"removing {grant.name}"):
            Retry(predicate=_changed_meanwhile)(_take_out)(grant)
    return found


def _take_out(grant: ManagedResource) -> None:
    policy = _read(grant)
    if policy is None:
        return
    member = grant.values["member"]
    bindings = [
        {**binding, "members": [m for m in binding["members"] if m != member]}
        if _is_of(binding, grant, member)
        else binding
        for binding in policy.bindings
    ]
    retry.call(lambda: policy.write(bindings))


def _changed_meanwhile(error: Exception) -> bool:
    if isinstance(error, HttpError):
        return error.status_code in _STALE_ETAG
    return isinstance(error, (Conflict, PreconditionFailed))


def _grants(resources: Iterable[ManagedResource]) -> Iterator[ManagedResource]:
    yield from (
        resource for resource in resources if resource.is_grant and resource.type in POLICIES
    )


def _stale(bindings: list[Json], grant: ManagedResource) -> list[str]:
    member_type, _, address = grant.values["member"].partition(":")
    deleted = re.compile(rf"deleted:{member_type}:{re.escape(address)}\?uid=\d+", re.IGNORECASE)
    return [
        member
        for binding in bindings
        for member in binding.get("members", [])
        if deleted.fullmatch(member) and _is_of(binding, grant, member)
    ]


def _is_of(binding: Json, grant: ManagedResource, member: str) -> bool:
    condition = grant.values.get("condition") or {}
    return grants({"bindings": [binding]}, grant.values["role"], member, condition)


def _as_deleted(grant: ManagedResource, member: str) -> ManagedResource:
    return replace(grant, values={**grant.values, "member": member})


def _read(grant: ManagedResource) -> Policy | None:
    """Read the policy that a grant is in; None if its resource is gone."""
    try:
        return POLICIES[grant.type](grant)
    except NotFound:
        return None
    except HttpError as error:
        if error.status_code == _GONE:
            return None
        raise


def _discovered(api: str, collection: str, grant: ManagedResource) -> Policy:
    make, _ = APIS[api]
    at: Any = make()
    for part in collection.split("."):
        at = getattr(at, part)()
    name = grant.resource_name
    policy = retry.call(policy_request(api, at, name).execute)

    def write(bindings: list[Json]) -> None:
        kept = [binding for binding in bindings if binding["members"]]
        at.setIamPolicy(resource=name, body={"policy": {**policy, "bindings": kept}}).execute()

    return Policy(policy.get("bindings", []), write)


def _bucket(grant: ManagedResource) -> Policy:
    bucket = clients.cloud_storage(grant.project).bucket(grant.resource_name)
    policy = retry.call(
        lambda: bucket.get_iam_policy(requested_policy_version=POLICY_VERSION, retry=retry.ONCE)
    )

    def write(bindings: list[Json]) -> None:
        policy.bindings = [binding for binding in bindings if binding["members"]]
        bucket.set_iam_policy(policy, retry=retry.ONCE)

    return Policy([{**b, "members": sorted(b["members"])} for b in policy.bindings], write)


def _big_query(grant: ManagedResource) -> Policy:
    _, project, _, name = grant.resource_name.split("/")
    client = clients.big_query(project)
    dataset = retry.call(lambda: client.get_dataset(f"{project}.{name}", retry=retry.ONCE))
    entries = list(dataset.access_entries)

    def write(bindings: list[Json]) -> None:
        dataset.access_entries = [
            e for e, b in zip(entries, bindings, strict=True) if b["members"] != []
        ]
        client.update_dataset(dataset, ["access_entries"], retry=retry.ONCE)

    return Policy([_binding(entry.to_api_repr()) for entry in entries], write)


def _binding(entry: Json) -> Json:
    """Return an entry of an access list as a binding; that of a view, for example, has no role."""
    if not entry.get("role"):
        return {"role": "", "members": [""]}
    [binding] = access_as_policy({"access": [entry]})["bindings"]
    raw = [str(entry[key]) for key in _ACCESS if str(entry.get(key, "")).startswith("deleted:")]
    return {**binding, "members": raw or binding["members"]}


_HEALTHCARE = "projects.locations.datasets"
POLICIES: dict[str, Callable[[ManagedResource], Policy]] = {
    "gcp:projects/iAMMember:IAMMember": partial(_discovered, "resourcemanager", "projects"),
    "gcp:healthcare/datasetIamMember:DatasetIamMember": partial(
        _discovered, "healthcare", _HEALTHCARE
    ),
    "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember": partial(
        _discovered, "healthcare", f"{_HEALTHCARE}.dicomStores"
    ),
    "gcp:healthcare/fhirStoreIamMember:FhirStoreIamMember": partial(
        _discovered, "healthcare", f"{_HEALTHCARE}.fhirStores"
    ),
    "gcp:healthcare/hl7StoreIamMember:Hl7StoreIamMember": partial(
        _discovered, "healthcare", f"{_HEALTHCARE}.hl7V2Stores"
    ),
    "gcp:healthcare/consentStoreIamMember:ConsentStoreIamMember": partial(
        _discovered, "healthcare", f"{_HEALTHCARE}.consentStores"
    ),
    "gcp:pubsub/topicIAMMember:TopicIAMMember": partial(_discovered, "pubsub", "projects.topics"),
    "gcp:pubsub/subscriptionIAMMember:SubscriptionIAMMember": partial(
        _discovered, "pubsub", "projects.subscriptions"
    ),
    "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember": partial(
        _discovered, "kms", "projects.locations.keyRings.cryptoKeys"
    ),
    "gcp:secretmanager/secretIamMember:SecretIamMember": partial(
        _discovered, "secretmanager", "projects.secrets"
    ),
    **{
        f"gcp:cloudrunv2/{name}IamMember:{name[0].upper()}{name[1:]}IamMember": partial(
            _discovered, "cloudrun", f"projects.locations.{name}s"
        )
        for name in ("service", "job", "workerPool")
    },
    "gcp:iap/webCloudRunServiceIamMember:WebCloudRunServiceIamMember": partial(
        _discovered, "iap", "v1"
    ),
    "gcp:artifactregistry/repositoryIamMember:RepositoryIamMember": partial(
        _discovered, "artifactregistry", "projects.locations.repositories"
    ),
    "gcp:serviceaccount/iAMMember:IAMMember": partial(
        _discovered, "iam", "projects.serviceAccounts"
    ),
    "gcp:storage/bucketIAMMember:BucketIAMMember": _bucket,
    "gcp:bigquery/datasetIamMember:DatasetIamMember": _big_query,
}
"""How to read and write the policy of each type of grant."""
