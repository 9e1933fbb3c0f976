"""Settling, with an engine on paper and services that are told what exists."""

import copy
from pathlib import Path
from typing import Any

import pytest

from scripts.adoption.kinds import KINDS, Kind
from scripts.adoption.lookup import NotServedError
from scripts.common import creations, locks
from scripts.common.locks import Lock
from scripts.common.unfinished import Settling, settle

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


class Paper:
    """An engine on paper: a state, and what was done with it."""

    def __init__(self) -> None:
        self.resources: list[Entry] = [
            {"urn": PROVIDER, "id": "1", "type": "pulumi:providers:gcp",
             "inputs": {"project": "p"}, "outputs": {"project": "p"}},
        ]  # fmt: skip
        self.pending: list[Entry] = []
        self.locks: list[Lock] = []
        self.exists: set[str] = set()
        self.full: set[str] = set()
        self.done: list[Any] = []
        self.said: list[str] = []
        self.there = True

    def begun(self, what: str, *resources: Entry) -> None:
        """Add operations whose end is not known."""
        self.pending += [{"type": what, "resource": each} for each in resources]

    def read(self) -> Entry | None:
        state = {"resources": self.resources, "pending_operations": self.pending}
        return {"version": 3, "deployment": copy.deepcopy(state)} if self.there else None

    def write(self, state: Entry) -> None:
        self.done.append("write")
        self.resources = state["deployment"]["resources"]
        self.pending = state["deployment"]["pending_operations"]

    def refresh(self, urns: list[str]) -> None:
        self.done.append(("refresh", [urn.rpartition("::")[2] for urn in urns]))

    def settle(self) -> str:
        """Settle; what was said."""
        self.said.clear()
        settle("local", Path(), {"PULUMI_BACKEND_URL": "file:///x"}, self.said.append)
        return "\n".join(self.said)

    def ids(self) -> dict[str, str]:
        """Logical name -> id of what the state holds."""
        return {r["urn"].rpartition("::")[2]: r["id"] for r in self.resources[1:]}


@pytest.fixture
def paper(monkeypatch: pytest.MonkeyPatch) -> Paper:
    made = Paper()
    for name in ("read", "write", "refresh"):
        act = getattr(made, name)
        monkeypatch.setattr(Settling, name, lambda _, *given, act=act: act(*given))
    monkeypatch.setattr(Settling, "unlock", lambda _: made.done.append("unlock"))
    monkeypatch.setattr(locks, "held", lambda *_: made.locks)

    def find(_: Kind, inputs: Any, project: str, id_: str, lookup: Any) -> bool:
        if id_ == "unserved":
            raise NotServedError("kms")
        return id_ in made.exists

    monkeypatch.setattr(Kind, "find", find)
    monkeypatch.setattr(creations, "_holds_something", lambda _, id_: id_ in made.full)
    return made


def test_nothing_left_nothing_done(paper: Paper) -> None:
    paper.resources.append(store("a", id="a", outputs={"name": "a"}))
    assert paper.settle() == ""
    assert paper.done == []


def test_a_stack_that_has_never_been(paper: Paper) -> None:
    paper.there = False
    assert paper.settle() == ""
    assert paper.done == []


def test_what_was_made_comes_under_the_stack_and_the_rest_is_forgotten(paper: Paper) -> None:
    paper.begun("creating", store("made"), store("missing"), TOPIC, GRANT, AGENT, SECRET)
    paper.exists = {f"{DATASET}/dicomStores/made", "projects/p/topics/t", "p roles/r user:u"}
    said = paper.settle()
    assert paper.ids() == {
        "made": f"{DATASET}/dicomStores/made",
        "t": "projects/p/topics/t",
        "g": "p roles/r user:u",
    }
    assert paper.pending == []
    assert paper.done == ["write", ("refresh", ["made", "t", "g"])]
    assert "An update of stack 'local' was interrupted" in said
    assert "DicomStore made was made, and is now under the stack" in said
    assert "DicomStore missing was not made" in said
    assert "ServiceIdentity agent will be made again" in said
    assert "Secret s can't be looked for" in said


def test_what_holds_data_was_there_before(paper: Paper) -> None:
    paper.begun("creating", store("others"))
    paper.exists = paper.full = {f"{DATASET}/dicomStores/others"}
    assert "DicomStore others was there before, with contents" in paper.settle()
    assert paper.ids() == {}
    assert paper.done == ["write"]


def test_what_was_changed_or_deleted_is_refreshed(paper: Paper) -> None:
    changed, deleted = (store(n, id=n, outputs={"name": n}) for n in ("changed", "deleted"))
    paper.resources += [changed, deleted]
    paper.begun("updating", changed)
    paper.begun("deleting", deleted)
    paper.settle()
    assert paper.done == [("refresh", ["changed", "deleted"])]


def test_a_settling_that_was_interrupted_is_gone_on_with(paper: Paper) -> None:
    paper.resources.append(store("made", id="made", outputs={}))
    paper.settle()
    assert paper.done == [("refresh", ["made"])]


def test_the_new_one_of_a_replacement_stands_beside_the_old(paper: Paper) -> None:
    paper.resources.append(store("s", id="old", outputs={"name": "old"}))
    paper.begun("creating", store("s"))
    paper.exists = {f"{DATASET}/dicomStores/s"}
    paper.settle()
    found = [(r["id"], r.get("delete", False)) for r in paper.resources[1:]]
    assert found == [("old", True), (f"{DATASET}/dicomStores/s", False)]


def test_the_new_one_takes_the_place_of_one_that_is_gone(paper: Paper) -> None:
    paper.resources.append(store("s", id="s", outputs={"name": "s"}, pendingReplacement=True))
    paper.begun("creating", store("s"))
    paper.exists = {f"{DATASET}/dicomStores/s"}
    paper.settle()
    assert paper.ids() == {"s": f"{DATASET}/dicomStores/s"}


def test_what_this_place_does_not_serve_cannot_be_looked_for(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Kind, "identify", lambda *_: "unserved")
    paper.begun("creating", TOPIC)
    assert "Topic t can't be looked for" in paper.settle()


@pytest.mark.parametrize(("alive", "done"), [(False, ["unlock"]), (True, [])])
def test_a_dead_lock_is_given_back_and_a_live_one_respected(
    paper: Paper, monkeypatch: pytest.MonkeyPatch, alive: bool, done: list[str]
) -> None:
    paper.locks = [Lock(Path("lock"), 1)]
    monkeypatch.setattr(Lock, "stale", not alive)
    said = paper.settle()
    assert paper.done == done
    assert ("unlocking" in said) is not alive


def test_while_an_update_runs_its_operations_are_its_own(
    paper: Paper, monkeypatch: pytest.MonkeyPatch
) -> None:
    paper.locks = [Lock(Path("lock"), 1)]
    monkeypatch.setattr(Lock, "stale", False)
    paper.begun("creating", store("a"))
    assert paper.settle() == ""
    assert paper.done == []


def test_the_containers_are_types_that_are_looked_for() -> None:
    assert {creations._DATASET, creations._DICOM_STORE, creations._WAREHOUSE} <= set(KINDS)
