from datetime import UTC, datetime
from typing import Any

import pytest

from scripts.destroy.state import RetentionReason, State
from tests.unit.scripts.destroy.lab_stack import PROVIDER, ROOT
from tests.unit.scripts.destroy.lab_stack import entry as resource

DATASET = "projects/p/locations/l/datasets/d"


def dataset(**more: Any) -> dict[str, Any]:
    return resource("d", "gcp:healthcare/dataset:Dataset", DATASET, **more)


def store(name: str = "s", **more: Any) -> dict[str, Any]:
    id_ = f"{DATASET}/dicomStores/{name}"
    more.setdefault("dependencies", [dataset()["urn"]])
    return resource(name, "gcp:healthcare/dicomStore:DicomStore", id_, **more)


def topic(**more: Any) -> dict[str, Any]:
    return resource("t", "gcp:pubsub/topic:Topic", "projects/p/topics/t", **more)


def state(*resources: dict[str, Any]) -> State:
    root = {"urn": ROOT, "type": "pulumi:pulumi:Stack", "custom": False}
    provider = {"urn": PROVIDER, "type": "pulumi:providers:gcp", "custom": True, "id": "1"}
    return State.from_json({"deployment": {"resources": [root, provider, *resources]}})


def left(found: State) -> dict[str, RetentionReason]:
    return {urn.rpartition("::")[2]: why for urn, why in found.left().items()}


def targets(found: State) -> set[str]:
    return {urn.rpartition("::")[2] for urn in found.targets() or ()}


def test_what_the_stack_made_is_no_component_no_provider_and_nothing_that_it_read() -> None:
    component = {"urn": "urn:c", "type": "x:C", "custom": False}
    read = resource("read", "gcp:storage/bucket:Bucket", "theirs", external=True)
    found = state(component, read, dataset(), store())
    assert [entry.id for entry in found.managed] == [DATASET, f"{DATASET}/dicomStores/s"]


def test_a_stack_that_has_never_been_is_empty() -> None:
    assert State.from_json(None) == State()
    assert State.from_json({"deployment": None}).managed == []


def test_pending_operations_are_counted() -> None:
    found = State.from_json({"deployment": {"pending_operations": [{"type": "creating"}]}})
    assert found.pending == 1


def test_without_protection_everything_goes() -> None:
    found = state(dataset(), store(), topic())
    assert left(found) == {}
    assert found.targets() is None


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"protect": True}, RetentionReason.PROTECT),
        ({"outputs": {"deletionPolicy": "PREVENT"}}, RetentionReason.PREVENT),
        ({"inputs": {"deletionPolicy": "PREVENT"}}, RetentionReason.PREVENT),
    ],
)
def test_a_protected_store_stays_with_its_dataset_alone(
    more: dict[str, Any], why: RetentionReason
) -> None:
    found = state(dataset(), store("kept", **more), store("other"), topic())
    assert left(found) == {"kept": why, "d": RetentionReason.NEEDED}
    assert targets(found) == {"other", "t"}


def test_what_a_protected_resource_depends_on_stays_however_indirectly() -> None:
    grant = resource("grant", "gcp:projects/iAMMember:IAMMember", "p role m")
    needing = dataset(propertyDependencies={"name": [grant["urn"]]})
    found = state(grant, needing, store(protect=True), topic())
    assert left(found) == {
        "s": RetentionReason.PROTECT,
        "d": RetentionReason.NEEDED,
        "grant": RetentionReason.NEEDED,
    }
    assert targets(found) == {"t"}


def test_contained_resources_are_found_by_name_without_dependencies() -> None:
    found = state(dataset(), store(protect=True, dependencies=[]))
    assert left(found)["d"] is RetentionReason.NEEDED


def test_a_protected_dataset_does_not_protect_its_stores() -> None:
    found = state(dataset(protect=True), store())
    assert left(found) == {"d": RetentionReason.PROTECT}
    assert targets(found) == {"s"}


def test_a_table_with_deletion_protection_is_protected() -> None:
    bigquery = resource("bq", "gcp:bigquery/dataset:Dataset", "projects/p/datasets/b")
    table = resource(
        "table",
        "gcp:bigquery/table:Table",
        "projects/p/datasets/b/tables/t",
        outputs={"deletionProtection": True},
    )
    assert left(state(bigquery, table)) == {
        "table": RetentionReason.DELETION_PROTECTION,
        "bq": RetentionReason.NEEDED,
    }
    table["outputs"] = {"deletionProtection": False}
    assert left(state(bigquery, table)) == {}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"outputs": {"deletionPolicy": "ABANDON"}}, RetentionReason.ABANDON),
        ({"retainOnDelete": True}, RetentionReason.RETAIN),
    ],
)
def test_what_is_let_go_of_is_left_but_no_target(
    more: dict[str, Any], why: RetentionReason
) -> None:
    found = state(dataset(), topic(**more))
    assert left(found) == {"t": why}
    assert found.targets() is None


def test_what_is_let_go_of_would_go_with_its_dataset_so_both_stay() -> None:
    abandoned = store(outputs={"deletionPolicy": "ABANDON"})
    found = state(dataset(), abandoned, store("other"))
    assert left(found) == {"s": RetentionReason.ENDANGERED, "d": RetentionReason.NEEDED}
    assert targets(found) == {"other"}
    both = state(dataset(outputs={"deletionPolicy": "ABANDON"}), abandoned)
    assert left(both) == {"d": RetentionReason.ABANDON, "s": RetentionReason.ABANDON}
    assert both.targets() is None


def test_a_key_stays_with_data_that_is_let_go_of() -> None:
    key = resource("key", "gcp:kms/cryptoKey:CryptoKey", "projects/p/locations/l/keyRings/r/k")
    kept = dataset(outputs={"deletionPolicy": "ABANDON"}, dependencies=[key["urn"]])
    found = state(key, kept, topic())
    assert left(found) == {"d": RetentionReason.ENDANGERED, "key": RetentionReason.NEEDED}
    assert targets(found) == {"t"}


def test_what_google_never_deletes_is_left() -> None:
    ring = resource("ring", "gcp:kms/keyRing:KeyRing", "projects/p/locations/l/keyRings/r")
    key = resource("key", "gcp:kms/cryptoKey:CryptoKey", f"{ring['id']}/cryptoKeys/k")
    agent = resource("agent", "gcp:projects/serviceIdentity:ServiceIdentity", "p/healthcare")
    on = resource("on", "gcp:projects/service:Service", "p/healthcare.googleapis.com")
    off = resource("off", on["type"], "p/pubsub", outputs={"disableOnDestroy": True})
    found = state(ring, key, agent, on, off)
    assert left(found) == {
        "ring": RetentionReason.KEY_RING,
        "key": RetentionReason.KEY,
        "agent": RetentionReason.AGENT,
        "on": RetentionReason.SERVICE,
    }
    assert found.targets() is None


def test_the_last_touch_is_of_any_resource() -> None:
    found = state(
        dataset(created="2026-11-01T00:00:00Z", modified="2026-11-02T00:00:00Z"),
        store(created="2026-11-03T00:00:00.5Z"),
        topic(),
    )
    assert found.touched == datetime(2026, 11, 3, 0, 0, 0, 500000, tzinfo=UTC)
    assert state(topic()).touched is None


def audit_logs() -> dict[str, Any]:
    type_ = "gcp:projects/iAMAuditConfig:IAMAuditConfig"
    return resource("audit", type_, "p healthcare.googleapis.com")


def viewer(of: dict[str, Any], name: str = "viewer") -> dict[str, Any]:
    type_ = "gcp:healthcare/datasetIamMember:DatasetIamMember"
    return resource(name, type_, f"{of['id']} r m", dependencies=[of["urn"]])


def test_while_data_is_left_its_access_stays_logged_and_granted() -> None:
    held = dataset(protect=True)
    other = resource("other", "gcp:healthcare/dataset:Dataset", f"{DATASET}2")
    found = state(held, other, audit_logs(), viewer(held), viewer(other, "gone"), topic())
    assert left(found) == {
        "d": RetentionReason.PROTECT,
        "audit": RetentionReason.ACCESS,
        "viewer": RetentionReason.ACCESS,
    }
    assert targets(found) == {"other", "gone", "t"}


def test_without_data_the_audit_configuration_goes() -> None:
    found = state(dataset(), topic(protect=True), audit_logs())
    assert left(found) == {"t": RetentionReason.PROTECT}
    assert "audit" in targets(found)
