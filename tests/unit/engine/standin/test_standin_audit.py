"""Audit configuration of a project: one service's entry, as a whole."""

from typing import Any

import pytest

from tests.support.fake_google import FakeGoogle, Reply, Request, error
from tests.support.plugin import Engine, RefusedError

AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
POLICY = "projects/local-project"
SERVICE = "healthcare.googleapis.com"
OTHERS = {"service": "allServices", "auditLogConfigs": [{"logType": "ADMIN_READ"}]}
GRANT = {"role": "roles/owner", "members": ["user:a@example.com"]}
NEWS = {
    "project": "local-project",
    "service": SERVICE,
    "auditLogConfigs": [
        {"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]},
        {"logType": "DATA_WRITE"},
    ],
}
SHOWN = [
    {"logType": "DATA_READ", "exemptedMembers": ["user:a@example.com"]},
    {"logType": "DATA_WRITE", "exemptedMembers": []},
]
OURS = {"service": SERVICE, "auditLogConfigs": NEWS["auditLogConfigs"]}


@pytest.fixture(autouse=True)
def policy(google: FakeGoogle) -> None:
    google.policies[POLICY] = {
        "etag": "7", "version": 1, "bindings": [GRANT], "auditConfigs": [OTHERS],
    }  # fmt: skip


def configs(google: FakeGoogle) -> Any:
    assert google.policies[POLICY]["bindings"] == [GRANT]
    return google.policies[POLICY].get("auditConfigs")


def test_a_services_entry_is_changed_and_others_stay(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(AUDIT, NEWS)

    assert id_ == f"local-project/audit_config/{SERVICE}"
    write = next(r for r in google.requests if r.path.endswith(":setIamPolicy"))
    assert write.body is not None
    assert write.body["updateMask"] == "bindings,etag,auditConfigs"
    assert write.body["policy"]["etag"] == "7"
    assert configs(google) == [OTHERS, OURS]
    assert state["etag"] == "8"
    assert sorted(state["auditLogConfigs"], key=lambda one: one["logType"]) == SHOWN
    assert engine.read(AUDIT, id_, state)[1] == state

    engine.delete(AUDIT, id_, state)

    assert configs(google) == [OTHERS]
    assert engine.read(AUDIT, id_, state)[0] == ""


def test_an_entry_that_is_there_is_replaced(engine: Engine, google: FakeGoogle) -> None:
    before = {"service": SERVICE, "auditLogConfigs": [{"logType": "ADMIN_READ"}]}
    google.policies[POLICY]["auditConfigs"] = [before, OTHERS]

    engine.create(AUDIT, NEWS)

    assert configs(google) == [OTHERS, OURS]


def test_a_change_is_made_in_place(engine: Engine, google: FakeGoogle) -> None:
    id_, state = engine.create(AUDIT, NEWS)
    news = {**NEWS, "auditLogConfigs": [{"logType": "ADMIN_READ"}]}

    response = engine.diff(AUDIT, id_, state, news)
    after = engine.update(AUDIT, id_, state, news)

    assert not response.replaces
    assert response.detailedDiff
    assert after["auditLogConfigs"] == [{"logType": "ADMIN_READ", "exemptedMembers": []}]
    assert configs(google) == [OTHERS, {**OURS, "auditLogConfigs": [{"logType": "ADMIN_READ"}]}]
    assert list(engine.diff(AUDIT, id_, after, {**news, "project": "other"}).replaces) == [
        "project"
    ]


def test_the_order_of_logs_and_members_means_nothing(engine: Engine, google: FakeGoogle) -> None:
    members = ["user:a@example.com", "user:b@example.com"]
    logs = [{"logType": "DATA_READ", "exemptedMembers": members}, {"logType": "DATA_WRITE"}]
    id_, state = engine.create(AUDIT, {**NEWS, "auditLogConfigs": logs})
    turned = [{"logType": "DATA_WRITE"}, {"logType": "DATA_READ", "exemptedMembers": members[::-1]}]

    assert not engine.diff(AUDIT, id_, state, {**NEWS, "auditLogConfigs": turned}).detailedDiff


def test_types_of_logs_come_in_the_order_of_a_set(engine: Engine, google: FakeGoogle) -> None:
    logs = [{"logType": name} for name in ("DATA_WRITE", "ADMIN_READ", "DATA_READ")]

    _, state = engine.create(AUDIT, {**NEWS, "auditLogConfigs": logs})

    shown = [one["logType"] for one in state["auditLogConfigs"]]
    assert shown == ["ADMIN_READ", "DATA_READ", "DATA_WRITE"]


def test_a_conflict_starts_again(engine: Engine, google: FakeGoogle) -> None:
    conflicts = [error(409, "concurrent policy changes", "ABORTED")]

    def conflict(request: Request) -> Reply | None:
        return conflicts.pop() if conflicts and request.path.endswith(":setIamPolicy") else None

    google.faults.append(conflict)

    engine.create(AUDIT, NEWS)

    assert configs(google) == [OTHERS, OURS]


def test_an_entry_is_imported_by_its_resource_and_service(engine: Engine) -> None:
    id_, state = engine.create(AUDIT, NEWS)

    found = engine.read(AUDIT, f"local-project {SERVICE}")

    assert found[:2] == (id_, state)
    assert not engine.diff(AUDIT, id_, found[1], NEWS).detailedDiff
    logs = sorted(found[2].pop("auditLogConfigs"), key=lambda one: one["logType"])
    assert logs == NEWS["auditLogConfigs"]
    assert found[2] == {"__defaults": [], "project": "local-project", "service": SERVICE}
    with pytest.raises(RefusedError) as refused:
        engine.read(AUDIT, id_)
    assert 'it has to be "RESOURCE SERVICE"' in refused.value.text
