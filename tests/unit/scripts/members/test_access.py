"""`access.py`: the grants on a stack's resources, and the check of one permission."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts import access
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients
from scripts.members import permissions
from scripts.resources.lookup import Lookup
from tests.unit.scripts.fakes import DATASET, STORE, Ran

Run = Callable[..., Ran]
ANNA, BEN = "user:anna@example.com", "user:ben@example.com"
VIEWER, READ = "roles/healthcare.dicomViewer", "healthcare.dicomStores.dicomWebRead"
PAST = {"title": "trial", "expression": 'request.time < timestamp("2020-01-01T00:00:00Z")'}
FUTURE = {"title": "trial", "expression": 'request.time < timestamp("2999-01-01T00:00:00Z")'}
TAG = {"title": "tag", "expression": "resource.matchTag('123/env', 'prod')"}
RING = "projects/local-project/locations/us-central1/keyRings/ring"
KEY, TOPIC = f"{RING}/cryptoKeys/key", "projects/local-project/topics/imaging"
SUBSCRIPTION = "projects/local-project/subscriptions/watch"
ROWS = "bq://other-project.rows"
BUCKETS = {
    "scans": {"projectNumber": "123456789012"},
    "other": {"projectNumber": "999999999999"},
    "public": {"projectNumber": "1"},
}
ROLES = {VIEWER: {READ}, "roles/owner": {READ, "bigquery.tables.getData"}}


def bucket_policy(found: dict[str, Any], bucket: str) -> Any:
    if bucket == "public":
        raise ScriptError("Permission 'storage.buckets.getIamPolicy' denied.")
    return found.get(f"gs://{bucket}")


@pytest.fixture(autouse=True)
def policies(monkeypatch: pytest.MonkeyPatch, lab_stack: dict[str, Any]) -> dict[str, Any]:
    """The policies of the resources, by name."""
    found: dict[str, Any] = {
        "local-project": {"bindings": [{"role": "roles/owner", "members": [ANNA]}]},
        STORE: {"bindings": [{"role": VIEWER, "members": [BEN], "condition": FUTURE}]},
    }
    monkeypatch.setattr(Lookup, "policy", lambda _, __, ___, name: found.get(name))
    monkeypatch.setattr(Lookup, "bucket", lambda _, __, name: BUCKETS[name])
    monkeypatch.setattr(Lookup, "bucket_policy", lambda *call: bucket_policy(found, call[2]))
    monkeypatch.setattr(Lookup, "project_policy", lambda _, project: found.get(project))
    access_list = {"access": [{"role": "READER", "groupByEmail": "team@example.com"}]}
    monkeypatch.setattr(Lookup, "big_query_dataset", lambda *_: access_list)
    monkeypatch.setattr(
        permissions, "role_reader", lambda: lambda role: frozenset(ROLES.get(role, ()))
    )
    return found


def test_every_grant_is_listed(run: Run) -> None:
    ran = run(access.app, "--json")
    assert ran.code == 0
    assert ran.json["grants"] == [
        {
            "resource": "projects/local-project",
            "member": ANNA,
            "role": "roles/owner",
            "condition": "",
            "holds": "yes",
        },
        {
            "resource": STORE,
            "member": BEN,
            "role": VIEWER,
            "condition": FUTURE["expression"],
            "holds": "yes",
        },
        {
            "resource": "projects/local-project/datasets/dataset1",
            "member": "group:team@example.com",
            "role": "roles/bigquery.dataViewer",
            "condition": "",
            "holds": "yes",
        },
    ]
    shown = run(access.app).out
    assert "dataset1/dicomStores/dicomstore1" in shown
    assert "bq://local-project.dataset1" in shown
    assert f"{FUTURE['expression']} (holds now)" in shown


def test_one_member_is_shown_by_the_address(run: Run) -> None:
    shown = run(access.app, "--member", "ANNA@example.com").out
    assert "roles/owner" in shown
    assert "ben@" not in shown


def test_a_permission_is_granted(run: Run) -> None:
    ran = run(access.app, "--check", "anna@example.com", "bigquery.tables.getData")
    assert ran.code == 0
    assert "anna@example.com has bigquery.tables.getData:" in ran.out
    assert run(access.app, "--check", ANNA, READ, "--json").json["granted"] is True


def test_a_permission_is_not_granted(run: Run) -> None:
    ran = run(access.app, "--check", "ben@example.com", "bigquery.tables.getData")
    assert ran.code == 1
    assert ran.out == (
        "ben@example.com does not have bigquery.tables.getData on any resource of the stack.\n"
    )


@pytest.mark.parametrize(
    ("condition", "code", "granted", "holds", "words"),
    [
        (FUTURE, 0, True, "yes", f"{BEN} has {READ}:"),
        (PAST, 1, False, "no", f"{BEN} does not have {READ} on any resource of the stack."),
        (TAG, 3, None, "unknown", "under a condition that can't be evaluated here:"),
    ],
)
def test_a_condition_is_evaluated_now(
    run: Run,
    policies: dict[str, Any],
    condition: dict[str, str],
    code: int,
    granted: bool | None,
    holds: str,
    words: str,
) -> None:
    policies[STORE]["bindings"][0]["condition"] = condition
    ran = run(access.app, "--check", BEN, READ, "--json")
    assert ran.code == code
    assert ran.json["granted"] is granted
    assert [(one["condition"], one["holds"]) for one in ran.json["by"]] == [
        (condition["expression"], holds)
    ]
    shown = run(access.app, "--check", BEN, READ).out
    assert words in shown
    assert condition["expression"] in shown


@pytest.fixture
def whole(lab_stack: dict[str, Any], policies: dict[str, Any]) -> dict[str, Any]:
    """A stack with topics, keys and buckets, and a grant of a member on each."""
    lab_stack |= {
        "topics": {"imaging": TOPIC},
        "subscriptions": {"watch": SUBSCRIPTION},
        "keys": [KEY],
        "access": [
            {"role": "r", "on": on, "why": "exports"}
            for on in ("project local-project", "gs://scans", "gs://other", "gs://public", ROWS)
        ],
    }
    for number, name in enumerate(
        (TOPIC, SUBSCRIPTION, RING, KEY, "gs://scans", "gs://other", DATASET)
    ):
        policies[name] = {"bindings": [{"role": f"roles/r{number}", "members": [BEN]}]}
    return policies


def test_topics_keys_and_buckets_are_read_too(run: Run, whole: dict[str, Any]) -> None:
    ran = run(access.app, "--member", BEN, "--json")
    assert [(one["resource"], one["role"]) for one in ran.json["grants"]] == [
        (DATASET, "roles/r6"),
        (STORE, VIEWER),
        (TOPIC, "roles/r0"),
        (SUBSCRIPTION, "roles/r1"),
        (RING, "roles/r2"),
        (KEY, "roles/r3"),
        ("projects/_/buckets/scans", "roles/r4"),
        ("projects/_/buckets/other", "roles/r5"),
    ]
    assert ran.json["unread"] == {
        "projects/_/buckets/public": "Permission 'storage.buckets.getIamPolicy' denied."
    }
    shown = run(access.app).out
    for label in ("topics/imaging", "keyRings/ring/cryptoKeys/key", "gs://scans"):
        assert label in shown
    assert ROWS in shown


@pytest.mark.parametrize(
    ("resource", "granted"),
    [
        (STORE, True),
        ("datasets/dataset1/dicomStores/dicomstore1", True),
        (f"{DATASET}/dicomStores/dicomstore2", True),
        ("projects/local-project", False),
        ("gs://scans", False),
    ],
)
def test_a_permission_on_one_resource_comes_from_it_and_what_is_above_it(
    run: Run, whole: dict[str, Any], resource: str, granted: bool
) -> None:
    whole[DATASET] = {"bindings": [{"role": VIEWER, "members": [BEN]}]}
    ran = run(access.app, "--check", BEN, READ, "--resource", resource, "--json")
    assert (ran.code, ran.json["granted"]) == (0 if granted else 1, granted)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("gs://scans/in/1.dcm", 0),
        ("gs://scans/out/1.dcm", 1),
        ("gs://other/in/1.dcm", 1),
        ("gs://scans", 1),
    ],
)
def test_a_condition_on_the_project_is_about_the_resource_that_is_asked_for(
    run: Run, whole: dict[str, Any], written: str, code: int
) -> None:
    folder = 'resource.name.startsWith("projects/_/buckets/scans/objects/in/")'
    condition = {
        "title": "in",
        "expression": f'resource.type == "storage.googleapis.com/Object" && {folder}',
    }
    binding = {"role": VIEWER, "members": ["user:cy@example.com"], "condition": condition}
    whole["local-project"]["bindings"].append(binding)
    arguments = ("--check", "cy@example.com", READ, "--resource", written)
    assert run(access.app, *arguments).code == code


def test_a_resource_of_no_stack_is_a_usage_error(run: Run, whole: dict[str, Any]) -> None:
    ran = run(access.app, "--resource", "gs://unknown/1.dcm")
    assert ran.code == 2
    assert "gs://scans" in ran.err


def test_everybody_is_every_member(run: Run, policies: dict[str, Any]) -> None:
    policies[DATASET] = {"bindings": [{"role": VIEWER, "members": ["allUsers"]}]}
    assert run(access.app, "--check", BEN, READ).code == 0


def test_what_is_no_permission_is_a_usage_error(run: Run) -> None:
    ran = run(access.app, "--check", BEN, "read")
    assert ran.code == 2
    assert "bigquery.tables.getData" in ran.err


def test_roles_are_read_from_iam(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    from googleapiclient.discovery import build

    from tests.unit.scripts.fakes import FakeGoogle, refusal

    fake = FakeGoogle(
        answers=[
            (200, {"name": VIEWER, "includedPermissions": [READ]}),
            (200, {"name": "projects/p/roles/off", "deleted": True, "includedPermissions": [READ]}),
            refusal(404, "NOT_FOUND", "The role named roles/none was not found."),
        ]
    )
    client = build("iam", "v1", http=fake, static_discovery=True, cache_discovery=False)
    monkeypatch.setattr(clients, "iam", lambda: client)
    read = permissions.role_reader()
    assert [read(VIEWER), read(VIEWER)] == [frozenset({READ})] * 2
    assert read("projects/p/roles/off") == frozenset()
    assert read("roles/none") == frozenset()
    assert len(fake.asked) == 3
