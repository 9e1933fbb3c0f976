from types import SimpleNamespace
from typing import Any

import pytest

from scripts.destroy import iam_members
from scripts.destroy.remaining import ManagedResource
from scripts.lib.errors import ScriptError
from scripts.resources.resource_types import RESOURCE_TYPES
from tests.unit.scripts.destroy.cloud import GET, SET, Cloud, forbidden
from tests.unit.scripts.destroy.rows import ROWS
from tests.unit.scripts.fakes import refusal
from tests.unit.scripts.services import PROJECT

MEMBER = "serviceAccount:Agent@p.iam.gserviceaccount.com"
DELETED = "deleted:serviceAccount:agent@p.iam.gserviceaccount.com?uid=123"
OTHER = "deleted:serviceAccount:other@p.iam.gserviceaccount.com?uid=7"
ROLE = "roles/viewer"
PROJECT_ROLE = "gcp:projects/iAMMember:IAMMember"
HELD = [
    {"role": ROLE, "members": [DELETED, OTHER, "user:anna@example.org"]},
    {"role": "roles/editor", "members": [DELETED]},
]
LEFT = [{"role": ROLE, "members": [OTHER, "user:anna@example.org"]}, HELD[1]]


def _grant(token: str = PROJECT_ROLE, **more: Any) -> ManagedResource:
    properties = {"project": PROJECT, **ROWS[token].properties, "role": ROLE, "member": MEMBER}
    return ManagedResource.of(token, "id", "urn", {**properties, **more}, PROJECT)


def _ignore(_: str) -> None:
    pass


def test_every_type_of_grant_has_a_policy() -> None:
    assert set(iam_members.POLICIES) == {
        token for token, row in RESOURCE_TYPES.items() if row.grant
    }


DISCOVERED = [
    token
    for token in iam_members.POLICIES
    if not token.startswith(("gcp:storage/", "gcp:bigquery/"))
]


@pytest.mark.parametrize("token", DISCOVERED)
def test_the_deleted_member_goes_and_nothing_else(token: str, cloud: Cloud) -> None:
    grant = _grant(token)
    path = f"{grant.resource_name}{GET}"
    cloud.found = {path: {"version": 3, "etag": "abc", "bindings": HELD}}
    [found] = iam_members.find([grant])
    assert found.values["member"] == DELETED
    reported: list[str] = []
    assert iam_members.remove([grant], reported.append) == [found]
    assert cloud.found[path] == {"version": 3, "etag": "abc", "bindings": LEFT}
    assert reported == [f"Removing {ROLE} for {DELETED} on {grant.resource_name} ..."]
    assert iam_members.find([grant]) == []


def test_on_a_bucket(cloud: Cloud) -> None:
    cloud.buckets["bucket"] = [{"role": ROLE, "members": {DELETED}}, {**HELD[1]}]
    grant = _grant("gcp:storage/bucketIAMMember:BucketIAMMember")
    iam_members.remove([grant], _ignore)
    assert cloud.buckets["bucket"] == [HELD[1]]


def test_on_a_big_query_dataset(cloud: Cloud) -> None:
    entries = [
        {"role": "READER", "userByEmail": "anna@example.org"},
        {"role": ROLE, "iamMember": DELETED},
        {"view": {"tableId": "v"}},
        {"role": "roles/editor", "iamMember": DELETED},
    ]
    name = f"{PROJECT}.b"
    cloud.tables[name] = {}
    cloud.access[name] = [
        SimpleNamespace(to_api_repr=lambda entry=entry: entry)  # type: ignore[misc]
        for entry in entries
    ]
    iam_members.remove([_grant("gcp:bigquery/datasetIamMember:DatasetIamMember")], _ignore)
    left = [entry.to_api_repr() for entry in cloud.access[name]]  # type: ignore[attr-defined]
    assert left == [entries[0], entries[2], entries[3]]


def test_a_role_without_members_goes_too(cloud: Cloud) -> None:
    cloud.found = {f"{PROJECT}{GET}": {"bindings": [{"role": ROLE, "members": [DELETED]}]}}
    iam_members.remove([_grant()], _ignore)
    assert cloud.found[f"{PROJECT}{GET}"] == {"bindings": []}


def test_a_grant_under_another_condition_is_not_the_stacks(cloud: Cloud) -> None:
    condition = {"title": "by day", "expression": "true"}
    binding = {"role": ROLE, "members": [DELETED], "condition": condition}
    cloud.found = {f"{PROJECT}{GET}": {"bindings": [binding]}}
    assert iam_members.find([_grant()]) == []
    assert len(iam_members.find([_grant(condition=condition)])) == 1


def test_what_is_gone_has_no_policy(cloud: Cloud) -> None:
    grants = [_grant(token) for token in iam_members.POLICIES]
    assert iam_members.find(grants) == []
    assert iam_members.remove(grants, _ignore) == []


def test_a_policy_that_changed_meanwhile_is_read_again(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"projects/{PROJECT}{SET}"
    cloud.found = {f"{PROJECT}{GET}": {"bindings": HELD}}
    cloud.refused[path] = refusal(409, "ABORTED", "changed")
    monkeypatch.setattr("time.sleep", lambda _: cloud.refused.clear())
    iam_members.remove([_grant()], _ignore)
    assert cloud.found[f"{PROJECT}{GET}"] == {"bindings": LEFT}


def test_a_policy_that_may_not_be_written_is_an_error(cloud: Cloud) -> None:
    cloud.found = {f"{PROJECT}{GET}": {"bindings": HELD}}
    cloud.refused[f"projects/{PROJECT}{SET}"] = forbidden("may not: setIamPolicy")
    with pytest.raises(ScriptError, match="may not"):
        iam_members.remove([_grant()], _ignore)
