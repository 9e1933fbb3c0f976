from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from scripts import teardown
from scripts.destroy.journal import Item, TeardownJournal, merge
from scripts.destroy.remaining import ManagedResource
from scripts.destroy.state import RetentionReason
from scripts.lib.errors import ScriptError
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.cloud import GET, Cloud, forbidden
from tests.unit.scripts.destroy.lab_stack import (
    AGENT,
    BIGQUERY_DATASET,
    ROLE,
    SERVICE,
    STORE,
    TOPIC,
    lab_stack,
    resource,
)
from tests.unit.scripts.fakes import Ran, operation
from tests.unit.scripts.services import DATASET, PROJECT

Run = Callable[..., Ran]
THEIRS: dict[str, Any] = {
    SERVICE: {"state": "ENABLED"},
    f"projects/{PROJECT}/topics/theirs": {},
    f"{PROJECT}{GET}": {"bindings": [{"role": ROLE, "members": ["user:anna@example.org"]}]},
}


def _of(engine: FakeEngine, name: str) -> dict[str, Any]:
    [found] = [r for r in engine.resources if r["urn"].endswith(f"::{name}")]
    return found


def _types(to_report: list[dict[str, Any]]) -> set[str]:
    return {each["kind"] for each in to_report}


def test_destroyed_proved_and_stopped(
    engine: FakeEngine, cloud: Cloud, run: Run, stopped: list[str], tmp_path: Path
) -> None:
    ran = run(teardown.app)
    assert ran.code == 0, ran.err
    assert "Destroying (local)" in ran.out
    assert DATASET in ran.out
    assert "gone" in ran.out
    assert "Nothing of the stack is left." in ran.out
    assert engine.calls == ["wait_until_free", "recover", "destroy"]
    assert engine.targets is None
    assert stopped == ["local"]
    assert list(tmp_path.iterdir()) == []


def test_what_others_made_is_not_touched(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    assert run(teardown.app).code == 0
    assert cloud.found == THEIRS
    assert cloud.tables == {f"{PROJECT}.theirs": {"t": "TABLE"}}
    assert cloud.deleted == []


def test_a_second_time_there_is_nothing(engine: FakeEngine, run: Run) -> None:
    assert run(teardown.app).code == 0
    ran = run(teardown.app)
    assert ran.code == 0
    assert "nothing to tear down" in ran.out
    assert engine.calls.count("destroy") == 1


def test_a_stack_that_does_not_exist_is_named(
    engine: FakeEngine, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.exists = False
    ran = run(teardown.app, "--stack", "other", "--yes")
    assert ran.code == 0
    assert "There is no stack 'other': nothing to tear down." in ran.out


def test_what_is_still_there_is_named_and_fails(
    engine: FakeEngine, cloud: Cloud, run: Run, stopped: list[str]
) -> None:
    engine.delete = lab_stack(cloud, keeps={TOPIC}).delete
    ran = run(teardown.app)
    assert ran.code == 1
    assert f"1 of 6 still exist: topic {TOPIC}." in ran.err
    assert stopped == []
    # The names outlive the state: the next run still looks for them, and proves it at last.
    again = run(teardown.app)
    assert again.code == 1
    assert TOPIC in again.err
    del cloud.found[TOPIC]
    assert run(teardown.app).code == 0
    assert engine.calls.count("destroy") == 1


def test_what_is_listed_a_while_longer_is_asked_for_again(
    engine: FakeEngine, cloud: Cloud, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.delete = lab_stack(cloud, keeps={TOPIC}).delete
    monkeypatch.setattr("time.sleep", lambda _: cloud.found.pop(TOPIC))
    ran = run(teardown.app)
    assert ran.code == 0
    assert "1 still listed: checking again ..." in ran.err


def test_an_interrupted_proof_is_made_up_for(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    cloud.refused[DATASET] = forbidden("may not look")
    assert run(teardown.app).code == 1
    cloud.refused.clear()
    ran = run(teardown.app)
    assert ran.code == 0
    assert DATASET in ran.out
    assert engine.calls.count("destroy") == 1


def test_a_failed_destroy_is_reported_and_nothing_is_stopped(
    engine: FakeEngine, run: Run, stopped: list[str]
) -> None:
    def fail() -> None:
        raise ScriptError("Destroying stack 'local' failed.", "hint")

    engine.before_destroy = fail
    ran = run(teardown.app)
    assert ran.code == 1
    assert "error: Destroying stack 'local' failed.\nhint" in ran.err
    assert stopped == []
    engine.before_destroy = lambda: None
    assert run(teardown.app).code == 0


def test_interrupted_at_the_destroy_it_says_how_to_go_on(engine: FakeEngine, run: Run) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    engine.before_destroy = interrupt
    ran = run(teardown.app)
    assert ran.code == 130
    assert "Run it again" in ran.err
    engine.before_destroy = lambda: None
    assert run(teardown.app).code == 0


@pytest.mark.parametrize("more", [{"protect": True}, {"outputs": {"deletionPolicy": "PREVENT"}}])
def test_what_is_protected_is_named_and_left(
    engine: FakeEngine, cloud: Cloud, run: Run, stopped: list[str], more: dict[str, Any]
) -> None:
    _of(engine, "store").update(more)
    for _ in range(2):
        ran = run(teardown.app)
        assert ran.code == 6
        named = f"DICOM store {STORE}, Healthcare dataset {DATASET}"
        assert f"Protected, and left in the stack: {named}. Everything else" in ran.out
        assert "`make up STACK=local`, then run this again" in ran.out
        assert "The local Google Cloud still runs." in ran.out
        assert STORE in cloud.found
        assert DATASET in cloud.found
        assert TOPIC not in cloud.found
        assert "store" in {r["urn"].rpartition("::")[2] for r in engine.resources}
    assert engine.calls.count("destroy") == 1
    assert stopped == []


def test_what_the_program_keeps_is_no_failure(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    _of(engine, "topic")["retainOnDelete"] = True
    ran = run(teardown.app)
    assert ran.code == 0
    assert "left: the program says so (retainOnDelete)" in ran.out
    assert f"Left on purpose: topic {TOPIC}. Everything else is deleted." in ran.out
    assert TOPIC in cloud.found


def test_what_is_kept_is_still_known_as_kept_when_the_proof_comes_late(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    _of(engine, "topic")["retainOnDelete"] = True
    cloud.refused[DATASET] = forbidden("may not look")
    assert run(teardown.app).code == 1
    cloud.refused.clear()
    assert run(teardown.app).code == 0


def test_tables_without_permission_to_delete_block(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    _of(engine, "warehouse")["outputs"]["deleteContentsOnDestroy"] = False
    cloud.tables[f"{PROJECT}.dataset1"] = {"t": "TABLE", "v": "VIEW"}
    before = dict(cloud.found)
    ran = run(teardown.app, "--json")
    assert ran.code == 5
    error = ran.json["error"]
    assert error["message"].startswith("Nothing was changed")
    assert error["blocking"] == [
        {"kind": "BigQuery view", "name": f"{PROJECT}.dataset1.v"},
        {"kind": "BigQuery table", "name": f"{PROJECT}.dataset1.t"},
    ]
    assert "bigqueryDeleteContents" in error["hint"]
    assert error["cure"] == error["hint"]
    assert cloud.found == before
    assert "destroy" not in engine.calls
    assert cloud.deleted == []


def test_tables_that_may_go_are_deleted_first(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    cloud.tables[f"{PROJECT}.dataset1"] = {"t": "TABLE", "v": "VIEW"}
    deleted: list[str] = []
    engine.before_destroy = lambda: deleted.extend(cloud.deleted)
    ran = run(teardown.app, "--json")
    assert ran.code == 0
    assert deleted == [f"{PROJECT}.dataset1.{name}" for name in ("v", "t")]
    assert [each["name"] for each in ran.json["emptied"]] == deleted


def test_stores_that_others_made_block_unless_they_may_go(
    engine: FakeEngine, cloud: Cloud, run: Run
) -> None:
    stray = f"{DATASET}/dicomStores/theirs"
    cloud.found[stray] = {}
    cloud.found[f"{DATASET}/dicomStores"]["dicomStores"].append({"name": stray})
    ran = run(teardown.app)
    assert ran.code == 5
    assert stray in ran.err
    assert "--strays" in ran.err
    assert stray in cloud.found
    ran = run(teardown.app, "--strays")
    assert ran.code == 0
    assert f"Deleted with the stack: DICOM store {stray}." in ran.out


def _busy(cloud: Cloud) -> str:
    """Have an operation run in the dataset; it ends at the second look."""
    body = operation()
    path = f"{DATASET}/operations"
    cloud.found[path] = {"operations": [body]}

    cloud.found[body["name"]] = body | {"done": True}
    cloud.found[f"{body['name']}:cancel"] = {}
    return str(body["name"])


def test_what_is_under_way_is_cancelled_first(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    name = _busy(cloud)
    asked = cloud.request

    def request(uri: str, *args: Any, **more: Any) -> Any:
        if uri.partition("?")[0].endswith(f"{name}:cancel"):
            assert "destroy" not in engine.calls
            cloud.found[f"{DATASET}/operations"] = {}
        return asked(uri, *args, **more)

    cloud.request = request  # type: ignore[method-assign]
    ran = run(teardown.app, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["cancelled"] == [name]


def test_memberships_of_deleted_accounts_go_too(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    deleted = f"deleted:{AGENT}?uid=1"
    cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"] = [deleted, "user:anna@example.org"]
    ran = run(teardown.app, "--json")
    assert ran.code == 0
    assert [each["name"] for each in ran.json["memberships"]] == [
        f"{ROLE} for {deleted} on {PROJECT}"
    ]
    assert cloud.found == THEIRS


def test_a_dry_run_reports_all_and_changes_nothing(
    engine: FakeEngine, cloud: Cloud, run: Run, stopped: list[str], tmp_path: Path
) -> None:
    name = _busy(cloud)
    cloud.tables[f"{PROJECT}.dataset1"] = {"t": "TABLE"}
    deleted = f"deleted:{AGENT}?uid=1"
    cloud.found[f"{PROJECT}{GET}"]["bindings"][0]["members"].append(deleted)
    _of(engine, "topic")["protect"] = True
    engine.pending = [{"type": "creating"}]
    found, tables = dict(cloud.found), dict(cloud.tables)
    ran = run(teardown.app, "--dry-run")
    assert ran.code == 0
    for text in (
        "Previewing destroy (local)",
        f"would be cancelled: operation {name}",
        f"would be deleted: BigQuery table {PROJECT}.dataset1.t",
        f"would be removed: {ROLE} for {deleted} on {PROJECT}",
        "left: protected by Pulumi (protect)",
        "Dry run, nothing was changed. 4 resources would be destroyed, 1 left.",
    ):
        assert text in ran.out
    assert "would be recovered first" in ran.err
    assert engine.calls == ["preview_destroy"]
    assert (cloud.found, cloud.tables, cloud.deleted) == (found, tables, [])
    assert {method for method, uri, _ in cloud.asked if not uri.endswith(GET)} <= {"GET", "POST"}
    assert not [uri for _, uri, _ in cloud.asked if "setIamPolicy" in uri or ":cancel" in uri]
    assert stopped == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("state", "code"), [("DESTROY_SCHEDULED", 0), ("ENABLED", 1)])
def test_of_a_key_the_name_is_left_if_its_versions_are_not(
    engine: FakeEngine, cloud: Cloud, run: Run, state: str, code: int
) -> None:
    ring = f"projects/{PROJECT}/locations/l/keyRings/r"
    key = f"{ring}/cryptoKeys/k"
    versions = {f"{key}/cryptoKeyVersions": {"cryptoKeyVersions": [{"state": state}]}}
    engine.resources += [
        resource("ring", "gcp:kms/keyRing:KeyRing", ring, name="r", location="l"),
        resource("key", "gcp:kms/cryptoKey:CryptoKey", key, name="k", keyRing=ring),
    ]
    engine.delete = lab_stack(cloud, keeps={ring, key}).delete
    cloud.found |= {ring: {}, key: {}, **versions}
    ran = run(teardown.app, "--json")
    assert ran.code == code
    if code:
        assert _types(ran.json["error"]["left"]) == {"key"}
        return
    whys = {each["kind"]: each["why"] for each in ran.json["left"]}
    assert whys["key ring"] == "Google never deletes a key ring"
    assert whys["key"].startswith("Google keeps the name of a key")


def test_googles_own_account_is_never_reported_as_deleted(engine: FakeEngine, run: Run) -> None:
    account = resource(
        "agent",
        "gcp:projects/serviceIdentity:ServiceIdentity",
        SERVICE,
        service="healthcare.googleapis.com",
    )
    engine.resources.append(account)
    shape = run(teardown.app, "--json").json
    assert "service identity" in _types(shape["left"])
    assert "service identity" not in _types(shape["gone"])


def test_an_unknown_type_is_reported_as_not_checked(engine: FakeEngine, run: Run) -> None:
    engine.resources.append(resource("id", "random:index/randomId:RandomId", "abc"))
    ran = run(teardown.app)
    assert ran.code == 0
    assert "not checked: this type can't be looked up" in ran.out
    assert "Not checked: 1 resource." in ran.out


def test_younger_than_that_it_is_left_alone(engine: FakeEngine, cloud: Cloud, run: Run) -> None:
    engine.updated = datetime.now(UTC) - timedelta(hours=3)
    ran = run(teardown.app, "--older-than", "8h")
    assert ran.code == 0
    assert "Stack 'local' is left alone: it was last updated 3 h ago" in ran.out
    assert "not 8 h." in ran.out
    assert engine.calls == ["wait_until_free"]
    assert DATASET in cloud.found
    assert run(teardown.app, "--older-than", "2h").code == 0
    assert DATASET not in cloud.found


def test_what_was_made_since_the_last_known_update_counts(engine: FakeEngine, run: Run) -> None:
    """An update that was killed is not in the history."""
    engine.updated = datetime.now(UTC) - timedelta(days=9)
    _of(engine, "topic")["created"] = datetime.now(UTC).isoformat()
    ran = run(teardown.app, "--older-than", "8h", "--json")
    assert ran.json["skipped"].startswith("it was last updated")
    assert ran.json["gone"] == []


def test_a_stack_of_unknown_age_is_left_alone(engine: FakeEngine, run: Run) -> None:
    for each in engine.resources:
        each.pop("modified", None)
    ran = run(teardown.app, "--older-than", "8h")
    assert ran.code == 5
    assert "The last update of stack 'local' is not known." in ran.err
    assert "destroy" not in engine.calls


@pytest.mark.parametrize("text", ["8", "h", "8x", "-8h", "0h", "1.5h", "8h30m", "", "9999999d"])
def test_nonsense_is_no_duration(engine: FakeEngine, run: Run, text: str) -> None:
    ran = run(teardown.app, f"--older-than={text}")
    assert ran.code == 2
    assert "is not a valid duration" in ran.err
    assert engine.calls == []


def test_keep_running(engine: FakeEngine, run: Run, stopped: list[str]) -> None:
    assert run(teardown.app, "--keep-running").code == 0
    assert stopped == []


def test_a_stack_on_google_cloud_needs_a_yes(engine: FakeEngine, run: Run) -> None:
    ran = run(teardown.app, "--stack", "dev")
    assert ran.code == 2
    assert "--yes" in ran.err
    assert engine.calls == []
    assert run(teardown.app, "--stack", "dev", "--dry-run").code == 0
    assert run(teardown.app, "--stack", "dev", "--yes").code == 0


def test_a_folder_without_a_program(engine: FakeEngine, run: Run, tmp_path: Path) -> None:
    ran = run(teardown.app, "--cwd", str(tmp_path))
    assert ran.code == 2
    assert "has no Pulumi.yaml" in ran.err


def test_json(engine: FakeEngine, run: Run) -> None:
    shape = run(teardown.app, "--json").json
    assert (shape["stack"], shape["dry_run"], shape["skipped"]) == ("local", False, None)
    assert [each["name"] for each in shape["gone"]] == [
        DATASET,
        STORE,
        BIGQUERY_DATASET,
        TOPIC,
        f"{ROLE} for {AGENT} on {PROJECT}",
    ]
    assert [(each["kind"], each["why"]) for each in shape["left"]] == [
        ("service", "services stay enabled")
    ]
    assert shape["not_checked"] == []


def test_memory_outlives_a_process(tmp_path: Path) -> None:
    memory = TeardownJournal(tmp_path / "folder" / "teardown.json")
    assert memory.load() == []
    grant = ManagedResource("gcp:a/b:C", "id", "urn", "p", {"condition": {"title": "t"}}, view=True)
    items = [Item(grant), Item(ManagedResource("t", "x", "y"), RetentionReason.ABANDON)]
    memory.save(items)
    assert memory.load() == items
    assert merge([Item(grant, RetentionReason.PROTECT)], items) == [
        Item(grant, RetentionReason.PROTECT),
        items[1],
    ]
    memory.clear()
    assert memory.load() == []
