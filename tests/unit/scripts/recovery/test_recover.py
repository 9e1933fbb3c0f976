"""State recovery, with a fake engine and fake services."""

from pathlib import Path
from typing import Any

import pytest

from scripts.recovery import pending_creates, stack_locks
from scripts.recovery.recover import recover
from scripts.recovery.stack_locks import Lock
from scripts.resources.lookup import NotServedError
from scripts.resources.resource_type import ResourceType
from scripts.resources.resource_types import RESOURCE_TYPES
from tests.support.fake_engine import FakeEngine

PREFIX = "urn:pulumi:local::lab::lab:index:Dataset$"
PROVIDER = "urn:pulumi:local::lab::pulumi:providers:gcp::default"
DATASET = "projects/p/locations/l/datasets/d"
Entry = dict[str, Any]


def resource(type_: str, name: str, inputs: Entry, **more: Any) -> Entry:
    """A resource of a state."""
    urn = f"{PREFIX}{type_}::{name}"
    return {"urn": urn, "type": type_, "inputs": inputs, "provider": f"{PROVIDER}::1", **more}


def store(name: str, **more: Any) -> Entry:
    """A DICOM store."""
    inputs = {"name": name, "dataset": DATASET}
    return resource("gcp:healthcare/dicomStore:DicomStore", name, inputs, **more)


AGENT = resource("gcp:projects/serviceIdentity:ServiceIdentity", "agent", {"service": "healthcare"})
TOPIC = resource("gcp:pubsub/topic:Topic", "t", {"name": "t"})
GRANT = resource(
    "gcp:projects/iAMMember:IAMMember", "g", {"project": "p", "role": "roles/r", "member": "user:u"}
)
SECRET = resource("gcp:secretmanager/secret:Secret", "s", {})


class InterruptedStack(FakeEngine):
    """A stack whose last update was interrupted.

    Attributes:
        locks: its locks
        existing: ids of what exists in the cloud
        full: ids of what holds data
    """

    def __init__(self) -> None:
        super().__init__()
        self.resources = [
            {"urn": PROVIDER, "id": "1", "type": "pulumi:providers:gcp",
             "inputs": {"project": "p"}, "outputs": {"project": "p"}},
        ]  # fmt: skip
        self.locks: list[Lock] = []
        self.existing: set[str] = set()
        self.full: set[str] = set()

    def begun(self, what: str, *resources: Entry) -> None:
        """Add operations whose end is not known."""
        self.pending += [{"type": what, "resource": each} for each in resources]

    def recover(self) -> str:
        """Recover; return the output."""
        reported: list[str] = []
        assert recover(self, reported.append) == self.export_state()
        return "\n".join(reported)

    def ids(self) -> dict[str, str]:
        """Logical name -> id of what the state holds."""
        return {r["urn"].rpartition("::")[2]: r["id"] for r in self.resources[1:]}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> InterruptedStack:
    stack = InterruptedStack()
    monkeypatch.setattr(stack_locks, "held", lambda *_: stack.locks)

    def find(_: ResourceType, inputs: Any, project: str, id_: str, lookup: Any) -> bool:
        if id_ == "unserved":
            raise NotServedError("kms")
        return id_ in stack.existing

    monkeypatch.setattr(ResourceType, "find", find)
    monkeypatch.setattr(pending_creates, "_holds_something", lambda _, id_: id_ in stack.full)
    return stack


def test_nothing_left_nothing_done(engine: InterruptedStack) -> None:
    engine.resources.append(store("a", id="a", outputs={"name": "a"}))
    assert engine.recover() == ""
    assert engine.calls == []


def test_a_stack_that_has_never_been(engine: InterruptedStack) -> None:
    engine.exists = False
    assert engine.recover() == ""
    assert engine.calls == []


def test_what_was_made_comes_under_the_stack_and_the_rest_is_forgotten(
    engine: InterruptedStack,
) -> None:
    engine.begun("creating", store("made"), store("missing"), TOPIC, GRANT, AGENT, SECRET)
    engine.existing = {f"{DATASET}/dicomStores/made", "projects/p/topics/t", "p roles/r user:u"}
    reported = engine.recover()
    assert engine.ids() == {
        "made": f"{DATASET}/dicomStores/made",
        "t": "projects/p/topics/t",
        "g": "p roles/r user:u",
    }
    assert engine.pending == []
    assert engine.calls == ["import_state", "refresh"]
    assert engine.refreshed == [["made", "t", "g"]]
    assert "An update of stack 'local' was interrupted" in reported
    assert "DicomStore made was created, and is now in the stack" in reported
    assert "DicomStore missing was not created" in reported
    assert "ServiceIdentity agent will be created again" in reported
    assert "Secret s can't be looked up" in reported


def test_what_holds_data_was_there_before(engine: InterruptedStack) -> None:
    engine.begun("creating", store("others"))
    engine.existing = engine.full = {f"{DATASET}/dicomStores/others"}
    assert "DicomStore others existed before, with contents" in engine.recover()
    assert engine.ids() == {}
    assert engine.calls == ["import_state"]


def test_what_was_changed_or_deleted_is_refreshed(engine: InterruptedStack) -> None:
    changed, deleted = (store(n, id=n, outputs={"name": n}) for n in ("changed", "deleted"))
    engine.resources += [changed, deleted]
    engine.begun("updating", changed)
    engine.begun("deleting", deleted)
    engine.recover()
    assert (engine.calls, engine.refreshed) == (["refresh"], [["changed", "deleted"]])


def test_an_interrupted_recovery_continues(engine: InterruptedStack) -> None:
    engine.resources.append(store("made", id="made", outputs={}))
    engine.recover()
    assert (engine.calls, engine.refreshed) == (["refresh"], [["made"]])


def test_a_replacement_lists_the_new_resource_and_the_old(engine: InterruptedStack) -> None:
    engine.resources.append(store("s", id="old", outputs={"name": "old"}))
    engine.begun("creating", store("s"))
    engine.existing = {f"{DATASET}/dicomStores/s"}
    engine.recover()
    found = [(r["id"], r.get("delete", False)) for r in engine.resources[1:]]
    assert found == [("old", True), (f"{DATASET}/dicomStores/s", False)]


def test_a_new_resource_replaces_a_deleted_one(engine: InterruptedStack) -> None:
    engine.resources.append(store("s", id="s", outputs={"name": "s"}, pendingReplacement=True))
    engine.begun("creating", store("s"))
    engine.existing = {f"{DATASET}/dicomStores/s"}
    engine.recover()
    assert engine.ids() == {"s": f"{DATASET}/dicomStores/s"}


def test_resources_of_a_service_that_is_not_served_are_not_looked_up(
    engine: InterruptedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ResourceType, "identify", lambda *_: "unserved")
    engine.begun("creating", TOPIC)
    assert "Topic t can't be looked up" in engine.recover()


@pytest.mark.parametrize(("alive", "done"), [(False, ["cancel"]), (True, [])])
def test_a_lock_of_a_dead_process_is_released_and_another_is_respected(
    engine: InterruptedStack, monkeypatch: pytest.MonkeyPatch, alive: bool, done: list[str]
) -> None:
    engine.locks = [Lock(Path("lock"), 1)]
    monkeypatch.setattr(Lock, "stale", not alive)
    reported = engine.recover()
    assert engine.calls == done
    assert ("unlocking" in reported) is not alive


def test_while_an_update_runs_its_operations_are_its_own(
    engine: InterruptedStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.locks = [Lock(Path("lock"), 1)]
    monkeypatch.setattr(Lock, "stale", False)
    engine.begun("creating", store("a"))
    assert engine.recover() == ""
    assert engine.calls == []


def test_the_containers_are_types_that_are_looked_for() -> None:
    assert {
        pending_creates._DATASET,
        pending_creates._DICOM_STORE,
        pending_creates._BIGQUERY_DATASET,
    } <= set(RESOURCE_TYPES)
