"""`scripts/teardown.py` on real stacks: what goes, what blocks, what stays."""

import json
import os
import signal
import subprocess
import sys
from typing import Any

import psutil
import pytest
import yaml

from scripts.lib.errors import ExitCode
from tests.support.gates import BlockingProxy, Moment
from tests.support.labs import ROOT, Lab, Stack
from tests.support.standin_host import OWN_PLUGIN
from tests.support.teardown import LOCATION, OWNER, TeardownFixture
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

IMAGES = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/*.dcm"
ANNA = "user:anna@example.org"
EVERYTHING = ROOT / "tests/data/stacks/everything.yaml"
USERS = ("inferenceServices", "gateways", "pipelines")
"""Keys of what uses stores."""


@pytest.fixture
def teardown(stack: Stack) -> TeardownFixture:
    stack.configure(topics=[{"name": "topic1"}])
    return TeardownFixture(stack)


def _with_own_plugin(lab: Lab) -> dict[str, str]:
    return {**os.environ, **lab.environment, **OWN_PLUGIN, "LAB_DIR": str(lab.folder)}


def _by_hand(teardown: TeardownFixture) -> dict[str, Any]:
    """Resources of others, created before the stack; return all resources then."""
    lab, project = teardown.lab, teardown.project
    for service in ("healthcare", "bigquery", "pubsub", "storage", "cloudresourcemanager"):
        lab.call("POST", f"v1/projects/{project}/services/{service}.googleapis.com:enable", {})
    parent = f"v1/projects/{project}/locations/{LOCATION}/datasets"
    lab.call("POST", f"{parent}?datasetId=theirs", {})
    lab.call("POST", f"{parent}/theirs/dicomStores?dicomStoreId=dicomstore1", {})
    lab.call("PUT", f"v1/projects/{project}/topics/theirs", {})
    reference = {"datasetReference": {"projectId": project, "datasetId": "theirs"}}
    lab.call("POST", teardown.bigquery, reference)
    teardown.table("theirs", "rows")
    # The same role as the stack's, for another member, and one that no other member has.
    teardown.bind(
        [
            OWNER,
            {"role": "roles/bigquery.admin", "members": [ANNA]},
            {"role": "roles/viewer", "members": [f"deleted:{ANNA}?uid=1"]},
        ]
    )
    return teardown.cloud()


def test_all_of_the_stack_goes_and_nothing_that_others_made(teardown: TeardownFixture) -> None:
    before = _by_hand(teardown)
    teardown.stack.up()
    assert teardown.cloud() != before
    done = teardown.run(0)
    assert "Nothing of the stack is left." in done.stdout
    assert teardown.cloud() == before
    again = teardown.run(0)
    assert "nothing to tear down" in again.stdout
    assert teardown.cloud() == before
    assert teardown.stack.resources() == {}


def test_what_another_stack_of_the_project_holds_too_stays(teardown: TeardownFixture) -> None:
    project = teardown.project
    grants = [{"role": "roles/viewer", "members": [ANNA]}]
    shared = {"projectMembers": grants, "auditLogs": ["DATA_READ"]}
    names = {"dataset": "other", "bigqueryDataset": "other"}
    other = teardown.lab.stack(f"{project}-b", project, **shared, **names)
    other.up()
    get = f"v1/projects/{project}:getIamPolicy"
    held = teardown.lab.call("POST", get, {})
    teardown.stack.configure(**shared)
    teardown.stack.up()

    done = teardown.run(0)

    assert f"Left, because stacks hold them too ({other.name}):" in done.stderr
    audit = f"audit logging {project}/audit_config/healthcare.googleapis.com"
    assert f"Left on purpose: {audit}, grant roles/" in done.stdout
    left = teardown.lab.call("POST", get, {})
    assert left["bindings"] == held["bindings"]
    assert left["auditConfigs"] == held["auditConfigs"]
    assert teardown.stack.resources() == {}
    assert other.plan() == {}
    other.change("destroy")


def test_a_dry_run_leaves_everything(teardown: TeardownFixture) -> None:
    teardown.stack.up()
    teardown.table("dataset1", "rows")
    before, state = teardown.cloud(), teardown.stack.resources()
    done = teardown.run(0, "--dry-run")
    for text in (
        f"would be deleted: BigQuery table {teardown.project}.dataset1.rows",
        "Previewing destroy",
        "would be destroyed",
        "Dry run, nothing was changed.",
    ):
        assert text in done.stdout
    assert teardown.cloud() == before
    assert teardown.stack.resources() == state
    assert not list(teardown.lab.folder.glob("teardown-*.json"))


def test_what_is_under_way_is_cancelled(teardown: TeardownFixture) -> None:
    teardown.stack.up()
    source = {"gcsSource": {"uri": IMAGES}}
    store = f"v1/{teardown.dataset}/dicomStores/dicomstore1:import"
    # More than run at a time: the last ones still wait when the script looks.
    begun = [teardown.lab.call("POST", store, source)["name"] for _ in range(30)]
    done = teardown.run(0)
    assert f"Cancelling {begun[-1]}" in done.stderr
    assert teardown.cloud()["datasets"] == {}
    assert teardown.run_json(0)["gone"] == []


def test_tables_that_no_one_gave_up_block_and_nothing_changes(teardown: TeardownFixture) -> None:
    teardown.stack.configure(bigqueryDeleteContents=False)
    teardown.stack.up()
    teardown.table("dataset1", "rows")
    teardown.table("dataset1", "seen", view={"query": "SELECT 1 AS n", "useLegacySql": False})
    before, state = teardown.cloud(), teardown.stack.resources()
    error = teardown.run_json(ExitCode.REFUSED)["error"]
    assert error["blocking"] == [
        {"kind": "BigQuery view", "name": f"{teardown.project}.dataset1.seen"},
        {"kind": "BigQuery table", "name": f"{teardown.project}.dataset1.rows"},
    ]
    assert teardown.cloud() == before
    assert teardown.stack.resources() == state
    teardown.run(ExitCode.REFUSED, "--dry-run")
    # The fix is the one that the error names.
    teardown.stack.configure(bigqueryDeleteContents=True)
    teardown.stack.up()
    emptied = teardown.run_json(0)["emptied"]
    assert emptied == error["blocking"]
    assert teardown.cloud()["tables"] == {}


def test_a_store_of_others_in_the_stacks_dataset_blocks(teardown: TeardownFixture) -> None:
    teardown.stack.up()
    teardown.lab.call(
        "POST", f"v1/{teardown.dataset}/fhirStores?fhirStoreId=theirs", {"version": "R4"}
    )
    before = teardown.cloud()
    done = teardown.run(ExitCode.REFUSED)
    assert f"FHIR store {teardown.dataset}/fhirStores/theirs" in done.stderr
    assert teardown.cloud() == before
    summary = teardown.run_json(0, "--strays")
    assert [each["kind"] for each in summary["deleted_along"]] == ["FHIR store"]
    assert teardown.cloud()["datasets"] == {}


def test_a_young_stack_is_left_alone(teardown: TeardownFixture) -> None:
    teardown.stack.up()
    before = teardown.cloud()
    done = teardown.run(0, "--older-than", "8h")
    assert f"Stack {teardown.stack.name!r} is left alone: it was last updated" in done.stdout
    assert teardown.cloud() == before
    assert teardown.run_json(0, "--older-than", "2d")["skipped"]
    teardown.run(ExitCode.USAGE, "--older-than", "soon")
    assert teardown.cloud() == before
    wait_until(
        lambda: teardown.run_json(0, "--older-than", "1s")["skipped"] is None,
        "a stack that is older than a second is left alone",
    )
    assert teardown.cloud()["datasets"] == {}


def test_a_protected_store_is_named_and_left(teardown: TeardownFixture) -> None:
    store = f"{teardown.dataset}/dicomStores/kept"
    teardown.stack.configure(
        dicomStores=[{"name": "kept", "deletionPolicy": "PREVENT"}, {"name": "other"}]
    )
    teardown.stack.up()
    advice = f"take the protection out of the stack file, run `make up STACK={teardown.stack.name}`"
    assert advice in " ".join(teardown.run(ExitCode.PROTECTED).stdout.split())
    for _ in range(2):
        summary = teardown.run_json(ExitCode.PROTECTED)
        whys = {each["name"]: each["why"] for each in summary["left"]}
        assert whys[store] == "its deletionPolicy is PREVENT"
        assert whys[teardown.dataset] == "what is left needs it"
        # Its sister and the other stores are gone; what the dataset waited for is not.
        assert teardown.cloud()["datasets"] == {teardown.dataset: [store]}
    # Once that is taken back, the rest goes.
    teardown.stack.configure(dicomStores=[{"name": "kept"}, {"name": "other"}])
    teardown.stack.up()
    teardown.run(0)
    assert teardown.cloud()["datasets"] == {}


def test_a_protected_dataset_stays_with_its_stores(teardown: TeardownFixture) -> None:
    teardown.stack.configure(deletionProtection=True)
    teardown.stack.up()
    stores = teardown.cloud()["datasets"]
    summary = teardown.run_json(ExitCode.PROTECTED)
    protected = {each["name"] for each in summary["left"] if each["why"].startswith("protected by")}
    assert protected == {teardown.dataset, *stores[teardown.dataset]}
    assert teardown.cloud()["datasets"] == stores
    # Nothing can go: what is left needs all the rest.
    assert summary["gone"] == []


def test_what_is_abandoned_is_left_and_named(teardown: TeardownFixture) -> None:
    teardown.stack.configure(deletionPolicy="ABANDON")
    teardown.stack.up()
    stores = teardown.cloud()["datasets"]
    summary = teardown.run_json(0)
    assert teardown.cloud()["datasets"] == stores
    assert teardown.dataset in {each["name"] for each in summary["left"]}
    assert teardown.stack.resources() == {}
    teardown.lab.call("DELETE", f"v1/{teardown.dataset}")


def test_memberships_of_a_deleted_account_go_and_those_of_others_stay(
    teardown: TeardownFixture,
) -> None:
    teardown.stack.configure(
        projectMembers=[{"role": "roles/bigquery.jobUser", "members": ["user:bert@example.org"]}]
    )
    teardown.stack.up()
    gone, theirs = "deleted:user:bert@example.org?uid=1", "deleted:user:carl@example.org?uid=2"
    bindings = teardown.bindings()
    [job_users] = [b for b in bindings if b["role"] == "roles/bigquery.jobUser"]
    job_users["members"] = [gone, theirs]
    teardown.bind(bindings)
    summary = teardown.run_json(0)
    assert [each["name"] for each in summary["memberships"]] == [
        f"roles/bigquery.jobUser for {gone} on {teardown.project}"
    ]
    assert {"role": "roles/bigquery.jobUser", "members": [theirs]} in teardown.bindings()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_an_interrupted_run_ends_the_same_when_repeated(
    teardown: TeardownFixture, number: signal.Signals
) -> None:
    """The signal hits the script alone: its engine continues and holds the lock."""
    before = _by_hand(teardown)
    gate = BlockingProxy(teardown.lab.environment)
    try:
        teardown.stack.configure(gate.settings)
        teardown.stack.up()
        second_store = Moment(lambda method, path: method == "DELETE" and "Stores/" in path, 2)
        with gate.holding(second_store):
            script = subprocess.Popen(
                [sys.executable, str(ROOT / "scripts/teardown.py"), *teardown.flags],
                cwd=ROOT,
                env=_with_own_plugin(teardown.lab),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
            assert gate.reached.wait(PATIENCE_SECONDS)
            engine = psutil.Process(script.pid).children(recursive=True)
            script.send_signal(number)
            if number == signal.SIGKILL:
                script.wait(PATIENCE_SECONDS)
            gate.release(forwards=True)
            _, output = script.communicate(timeout=PATIENCE_SECONDS)
            if number != signal.SIGKILL:
                assert script.returncode == ExitCode.INTERRUPTED, output
                assert "Run it again" in output
        done = teardown.run(0)
        assert "Nothing of the stack is left." in done.stdout
        assert teardown.cloud() == before
        assert psutil.wait_procs(engine, timeout=PATIENCE_SECONDS)[1] == []
        assert "nothing to tear down" in teardown.run(0).stdout
    finally:
        gate.close()


def test_what_an_interrupted_up_left_goes_too(teardown: TeardownFixture) -> None:
    """Killed after a creation, before its state was written."""
    gate = BlockingProxy(teardown.lab.environment)
    try:
        teardown.stack.configure(gate.settings)
        moment = Moment(
            lambda method, path: method == "POST" and "dicomStoreId=" in path, 1, "after"
        )
        with gate.holding(moment):
            engine = subprocess.Popen(
                ["pulumi", "up", "--yes", "--skip-preview", "--stack", teardown.stack.name],
                cwd=teardown.lab.program,
                env=_with_own_plugin(teardown.lab),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            assert gate.reached.wait(PATIENCE_SECONDS)
            plugins = psutil.Process(engine.pid).children(recursive=True)
            engine.kill()
            engine.wait(PATIENCE_SECONDS)
            psutil.wait_procs(plugins, timeout=PATIENCE_SECONDS)
        assert teardown.cloud()["datasets"][teardown.dataset]
        done = teardown.run(0)
        assert "Nothing of the stack is left." in done.stdout
        assert teardown.cloud() == {
            "datasets": {},
            "topics": [],
            "tables": {},
            "bindings": [OWNER],
        }
    finally:
        gate.close()


def test_a_stack_with_every_resource_type(teardown: TeardownFixture) -> None:
    everything = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", teardown.project))[
        "config"
    ]
    # As long as data is left, grants stay, and with them the stores that they are on.
    users = {key: everything.pop(f"gcp-healthcare-dicom:{key}") for key in USERS}
    before = _by_hand(teardown)
    teardown.stack.file.write_text(
        yaml.safe_dump({"config": {"gcp:project": teardown.project, **everything}})
    )
    teardown.stack.up()
    parent = f"projects/{teardown.project}/locations/europe-west4"
    kept = f"{parent}/datasets/identified/dicomStores/ct"
    # The program would let go of one store, in a dataset that it would delete: nothing is lost.
    summary = teardown.run_json(ExitCode.PROTECTED)
    whys = {each["name"]: each["why"] for each in summary["left"]}
    assert whys[kept] == "to be kept, but what it lies in or its key would go"
    assert teardown.lab.exists(kept)
    assert not teardown.lab.exists(f"{parent}/datasets/identified/fhirStores/records")
    notified = {"name": "ct", "notificationConfig": {"pubsubTopic": "imaging"}}
    teardown.stack.configure(dicomStores=[notified], **users)
    teardown.stack.up()
    summary = teardown.run_json(0)
    assert summary["not_checked"] == []
    types = {each["kind"] for each in summary["left"]}
    assert types == {"service", "service identity", "key", "key ring"}
    assert teardown.cloud() == before
    subscriptions = teardown.lab.call("GET", f"v1/projects/{teardown.project}/subscriptions")
    assert subscriptions.get("subscriptions", []) == []
    versions = teardown.lab.call(
        "GET", f"v1/{parent}/keyRings/imaging/cryptoKeys/identified/cryptoKeyVersions"
    )
    assert {v["state"].partition("_")[0] for v in versions["cryptoKeyVersions"]} == {"DESTROY"}
    assert "nothing to tear down" in teardown.run(0).stdout


def test_make_destroy_passes_its_arguments_on(teardown: TeardownFixture) -> None:
    teardown.stack.up()
    before = teardown.cloud()
    # Set-up must never run here.
    command = ["make", "--no-print-directory", "--old-file=.venv/.ready", "destroy"]
    options = [
        f"STACK={teardown.stack.name}",
        f"ARGS=--cwd {teardown.lab.program} --dry-run --json",
    ]
    environment = {**os.environ, "LAB_DIR": str(teardown.lab.folder)}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
        environment.pop(name, None)
    done = subprocess.run(
        [*command, *options],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)["dry_run"] is True
    assert teardown.cloud() == before
