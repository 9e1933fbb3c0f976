"""`access.py`: the grants on a stack's resources, and the check of one permission."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts import access
from scripts.lib.google import clients
from scripts.members import permissions
from scripts.resources.lookup import Lookup
from tests.unit.scripts.fakes import DATASET, STORE, Ran

Run = Callable[..., Ran]
ANNA, BEN = "user:anna@example.com", "user:ben@example.com"
VIEWER, READ = "roles/healthcare.dicomViewer", "healthcare.dicomStores.dicomWebRead"
NIGHT = {"title": "night", "expression": "request.time.getHours() > 20"}
ROLES = {VIEWER: {READ}, "roles/owner": {READ, "bigquery.tables.getData"}}


@pytest.fixture(autouse=True)
def policies(monkeypatch: pytest.MonkeyPatch, lab_stack: dict[str, Any]) -> dict[str, Any]:
    """The policies of the resources, by name."""
    found: dict[str, Any] = {
        "local-project": {"bindings": [{"role": "roles/owner", "members": [ANNA]}]},
        STORE: {"bindings": [{"role": VIEWER, "members": [BEN], "condition": NIGHT}]},
    }
    monkeypatch.setattr(Lookup, "policy", lambda _, __, ___, name: found.get(name))
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
        },
        {"resource": STORE, "member": BEN, "role": VIEWER, "condition": NIGHT["expression"]},
        {
            "resource": "projects/local-project/datasets/dataset1",
            "member": "group:team@example.com",
            "role": "roles/bigquery.dataViewer",
            "condition": "",
        },
    ]
    shown = run(access.app).out
    assert "dataset1/dicomStores/dicomstore1" in shown
    assert "bigquery/dataset1" in shown


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


def test_a_permission_under_a_condition_has_a_code_of_its_own(run: Run) -> None:
    ran = run(access.app, "--check", BEN, READ, "--json")
    assert ran.code == 3
    assert (ran.json["granted"], ran.json["conditional"]) == (False, True)
    assert ran.json["by"][0]["condition"] == NIGHT["expression"]


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
