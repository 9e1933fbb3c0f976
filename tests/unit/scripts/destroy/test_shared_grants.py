"""A tear-down keeps the grants that another stack holds too."""

from collections.abc import Callable
from typing import Any

from scripts import teardown
from scripts.destroy import shared_grants
from scripts.destroy.state import RetentionReason, State
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.cloud import GET, Cloud
from tests.unit.scripts.destroy.lab_stack import AGENT, ROLE, STORE, lab, resource
from tests.unit.scripts.fakes import Ran
from tests.unit.scripts.services import DATASET, PROJECT

Run = Callable[..., Ran]
MEMBER = "gcp:projects/iAMMember:IAMMember"
AUDIT = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
STORE_MEMBER = "gcp:healthcare/dicomStoreIamMember:DicomStoreIamMember"
GRANT = f"{PROJECT}/{ROLE}/{AGENT}"


def exported(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def test_a_grant_with_the_same_id_is_shared() -> None:
    audit = f"{PROJECT}/audit_config/healthcare.googleapis.com"
    mine = State.from_json(exported(*lab(), resource("logs", AUDIT, audit)))
    other = exported(resource("x", MEMBER, GRANT), resource("y", AUDIT, audit))

    found = shared_grants.find(mine, {"local-c": exported(), "local-b": other})

    assert {urn.rpartition("::")[2]: name for urn, name in found.items()} == {
        "grant": "local-b",
        "logs": "local-b",
    }


def test_a_grant_on_what_goes_with_the_stack_is_not() -> None:
    grant = resource("store-grant", STORE_MEMBER, f"{STORE}/roles/x/{AGENT}")
    mine = State.from_json(exported(*lab(), grant))

    assert DATASET in grant["id"]
    assert shared_grants.find(mine, {"local-b": exported(grant)}) == {}


def test_only_these_are_kept() -> None:
    state = exported(*lab())
    [grant] = [body["urn"] for body in lab() if body["type"] == MEMBER]

    kept = shared_grants.retain(state, [grant])["deployment"]["resources"]

    assert [body["urn"] for body in kept if body.get("retainOnDelete")] == [grant]
    assert state == exported(*lab())


def test_a_tear_down_keeps_and_names_it(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    engine.others = {"local-b": exported(resource("x", MEMBER, GRANT))}

    ran = run(teardown.app)

    assert ran.code == 0, ran.err
    assert cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"][0] == AGENT
    assert f"grant {ROLE} for {AGENT} on {PROJECT}" in ran.out
    assert RetentionReason.SHARED in " ".join(ran.out.split())
    assert engine.resources == []


def test_a_dry_run_names_it_and_changes_nothing(engine: FakeEngine, run: Run) -> None:
    engine.others = {"local-b": exported(resource("x", MEMBER, GRANT))}

    ran = run(teardown.app, "--dry-run")

    assert ran.code == 0, ran.err
    assert RetentionReason.SHARED in " ".join(ran.out.split())
    assert "import_state" not in engine.calls
