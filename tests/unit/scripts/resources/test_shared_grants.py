"""Before an update, the grants that other stacks hold too are marked in the state."""

from typing import Any

from scripts.resources.shared_grants import AUDIT_LOGS, holders, retain_in_update
from tests.support.fake_engine import FakeEngine

MEMBER = "gcp:projects/iAMMember:IAMMember"
KEY = "gcp:kms/cryptoKey:CryptoKey"
KEY_MEMBER = "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember"
GRANT, OWN = "p/roles/viewer/user:anna@example.org", "p/roles/editor/user:anna@example.org"
LOGS = "p/audit_config/healthcare.googleapis.com"


def resource(name: str, type_: str, id_: str, **more: Any) -> dict[str, Any]:
    return {"urn": f"urn::{name}", "type": type_, "id": id_, "custom": True, **more}


def exported(*resources: dict[str, Any]) -> dict[str, Any]:
    return {"version": 3, "deployment": {"resources": list(resources)}}


def retained(engine: FakeEngine) -> list[str]:
    return [body["id"] for body in engine.resources if body.get("retainOnDelete")]


def update(engine: FakeEngine) -> list[str]:
    reported: list[str] = []
    retain_in_update(engine, engine.export_state(), reported.append)
    return reported


def test_what_another_stack_holds_is_retained_and_named() -> None:
    engine = FakeEngine()
    engine.resources = [
        resource("shared", MEMBER, GRANT),
        resource("own", MEMBER, OWN),
        resource("logs", AUDIT_LOGS, LOGS),
    ]
    engine.others = {
        "local-b": exported(resource("x", MEMBER, GRANT)),
        "local-c": exported(resource("y", AUDIT_LOGS, LOGS), resource("z", MEMBER, GRANT)),
    }

    assert update(engine) == [
        "Other stacks hold these too (local-b, local-c); "
        "an update that no longer declares one leaves it:",
        f"  {GRANT}",
        f"  {LOGS}",
    ]
    assert retained(engine) == [GRANT, LOGS]


def test_the_grants_on_what_the_stack_created_go_with_it() -> None:
    key = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    grant = resource("grant", KEY_MEMBER, f"{key}/roles/x/user:anna@example.org")
    engine = FakeEngine()
    engine.resources = [resource("key", KEY, key), grant]
    engine.others = {"local-b": exported(grant)}

    assert update(engine) == []
    assert engine.calls == []

    engine.resources = [grant]
    assert len(update(engine)) == 2
    assert retained(engine) == [grant["id"]]


def test_a_state_without_shared_grants_is_not_written() -> None:
    engine = FakeEngine()
    engine.resources = [resource("own", MEMBER, OWN, retainOnDelete=True)]
    engine.others = {"local-b": exported(resource("x", MEMBER, OWN))}

    assert update(engine) == []

    engine.resources = [resource("own", MEMBER, OWN)]
    engine.others = {"local-b": exported(resource("x", MEMBER, OWN, external=True))}
    assert update(engine) == []
    engine.exists = False
    assert update(engine) == []
    assert engine.calls == []


def test_the_first_stack_that_holds_an_entry_is_its_holder() -> None:
    component = {"urn": "urn::c", "type": "x:index:ExistingGrant", "custom": False}
    others = {
        "b": exported(component, resource("x", MEMBER, GRANT), resource("k", KEY, "k")),
        "c": exported(resource("x", MEMBER, GRANT)),
    }
    assert holders(others) == {(MEMBER, GRANT): "b"}
