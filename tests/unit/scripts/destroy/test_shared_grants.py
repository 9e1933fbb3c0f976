"""A tear-down keeps the grants that another stack holds too."""

from collections.abc import Callable
from typing import Any

import pytest
import typer

from scripts import teardown
from scripts.destroy import shared_grants
from scripts.destroy.state import EXISTING_GRANT, RetentionReason, State
from scripts.resources.shared_grants import retain
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.cloud import GET, Cloud
from tests.unit.scripts.destroy.lab_stack import AGENT, ROLE, STORE, entry, lab, resource
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

    kept = retain(state, [grant])["deployment"]["resources"]

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


def test_what_existed_before_the_stack_stays_and_is_named(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    mark = {**entry("grant", EXISTING_GRANT), "custom": False}
    engine.resources = [mark, *_retained(engine)]

    ran = run(teardown.app)

    assert ran.code == 0, ran.err
    assert AGENT in cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"]
    assert RetentionReason.EXISTED in " ".join(ran.out.split())
    assert engine.resources == []


def test_what_the_program_retains_for_another_reason_says_so(engine: FakeEngine, run: Run) -> None:
    engine.resources = _retained(engine)

    ran = run(teardown.app, "--dry-run")

    assert RetentionReason.RETAIN in " ".join(ran.out.split())
    assert RetentionReason.EXISTED not in " ".join(ran.out.split())


def _retained(engine: FakeEngine) -> list[dict[str, Any]]:
    return [
        {**body, "retainOnDelete": True} if body["type"] == MEMBER else body
        for body in engine.resources
    ]


@pytest.mark.parametrize("flags", [("--yes",), ("--yes", "--keep-grants")])
def test_without_an_answer_a_real_project_keeps_its_grants(
    engine: FakeEngine, cloud: Cloud, run: Run, flags: tuple[str, ...]
) -> None:
    ran = run(teardown.app, "--stack", "dev", *flags)

    assert ran.code == 0, ran.err
    assert AGENT in cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"]
    assert RetentionReason.UNSEEN in " ".join(ran.out.split())
    assert engine.resources == []


def test_a_real_project_loses_its_grants_if_that_is_asked_for(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    ran = run(teardown.app, "--stack", "dev", "--yes", "--remove-grants")

    assert ran.code == 0, ran.err
    assert AGENT not in cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"]
    assert "Nothing of the stack is left." in ran.out


def test_a_local_stack_keeps_its_grants_if_that_is_asked_for(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    ran = run(teardown.app, "--keep-grants")

    assert ran.code == 0, ran.err
    assert AGENT in cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"]
    assert engine.resources == []


@pytest.mark.parametrize(("answer", "kept"), [(True, False), (False, True)])
def test_a_terminal_is_asked_with_the_grants(
    engine: FakeEngine,
    cloud: Cloud,
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    *,
    answer: bool,
    kept: bool,
) -> None:
    questions: list[str] = []

    def confirm(question: str, **_: object) -> bool:
        questions.append(question)
        return answer or len(questions) == 1

    monkeypatch.setattr(typer, "confirm", confirm)
    monkeypatch.setattr("rich.console.Console.is_terminal", True)
    ran = run(teardown.app, "--stack", "dev")

    assert ran.code == 0, ran.err
    assert questions == ["Destroy stack 'dev' and all its data?", "Delete them too?"]
    assert f"  {GRANT}" in ran.err
    assert (AGENT in cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"]) is kept
