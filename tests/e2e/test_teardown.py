"""`scripts/teardown.py` on real stacks: what goes, what blocks, what stays."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psutil
import pytest
import yaml

from scripts.common.errors import ExitCode
from tests.e2e.gates import PATIENCE_SECONDS, Gate, Moment
from tests.e2e.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

SCRIPT = str(ROOT / "scripts/teardown.py")
LOCATION = "us-central1"
IMAGES = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/*.dcm"
ANNA = "user:anna@example.org"
OWNER = {"role": "roles/owner", "members": ["user:you@example.com"]}
SCHEMA = {"schema": {"fields": [{"name": "PatientID", "type": "STRING"}]}}
EVERYTHING = ROOT / "tests/data/stacks/everything.yaml"
STORES = ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")


@dataclass(frozen=True)
class Scene:
    """A stack in a project of its own, what is in the project, and the script on it."""

    stack: Stack

    @property
    def lab(self) -> Lab:
        return self.stack.lab

    @property
    def project(self) -> str:
        return self.stack.project

    @property
    def dataset(self) -> str:
        return f"projects/{self.project}/locations/{LOCATION}/datasets/dataset1"

    @property
    def bigquery(self) -> str:
        base = self.lab.environment["GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"]
        root = self.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        return f"{base.removeprefix(root)}projects/{self.project}/datasets"

    def command(self, *arguments: str) -> list[str]:
        flags = ("--stack", self.stack.name, "--cwd", str(self.lab.program), "--keep-running")
        return [SCRIPT, *flags, *arguments]

    def run(self, code: int, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end, which has to be this."""
        done = self.lab.python(*self.command(*arguments), check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    def told(self, code: int, *arguments: str) -> dict[str, Any]:
        """Run the script; the object that it printed."""
        shape: dict[str, Any] = json.loads(self.run(code, "--json", *arguments).stdout)
        return shape

    def table(self, dataset: str, name: str, **body: Any) -> None:
        reference = {"projectId": self.project, "datasetId": dataset, "tableId": name}
        path = f"{self.bigquery}/{dataset}/tables"
        self.lab.call("POST", path, {"tableReference": reference, **(body or SCHEMA)})

    def bindings(self) -> list[dict[str, Any]]:
        policy = self.lab.call("POST", f"v1/projects/{self.project}:getIamPolicy", {})
        found: list[dict[str, Any]] = policy.get("bindings", [])
        return found

    def bind(self, bindings: list[dict[str, Any]]) -> None:
        body = {"policy": {"bindings": bindings}}
        self.lab.call("POST", f"v1/projects/{self.project}:setIamPolicy", body)

    def cloud(self) -> dict[str, Any]:
        """All that there is in the project."""
        place = f"projects/{self.project}"
        datasets = self.lab.call("GET", f"v1/{place}/locations/{LOCATION}/datasets")
        names = [dataset["name"] for dataset in datasets.get("datasets", [])]
        warehouses = self.lab.call("GET", self.bigquery).get("datasets", [])
        return {
            "datasets": {name: self._stores(name) for name in names},
            "topics": self.lab.call("GET", f"v1/{place}/topics").get("topics", []),
            "tables": {w["id"]: self._tables(w["id"].partition(":")[2]) for w in warehouses},
            "bindings": self.bindings(),
        }

    def _stores(self, dataset: str) -> list[str]:
        listed = ((kind, self.lab.call("GET", f"v1/{dataset}/{kind}")) for kind in STORES)
        return [store["name"] for kind, answer in listed for store in answer.get(kind, [])]

    def _tables(self, dataset: str) -> list[str]:
        listed = self.lab.call("GET", f"{self.bigquery}/{dataset}/tables")
        return sorted(table["tableReference"]["tableId"] for table in listed.get("tables", []))


@pytest.fixture
def scene(stack: Stack) -> Iterator[Scene]:
    stack.configure(topics=[{"name": "topic1"}])
    yield Scene(stack)
    # What a test left protected must not be left to the next one.
    stack.pulumi("state", "unprotect", "--all", "--yes", "--stack", stack.name, check=False)
    stack.change("destroy", check=False)


def _by_hand(scene: Scene) -> dict[str, Any]:
    """What somebody else made in the project before there was a stack; what the cloud then has."""
    lab, project = scene.lab, scene.project
    for service in ("healthcare", "bigquery", "pubsub", "storage", "cloudresourcemanager"):
        lab.call("POST", f"v1/projects/{project}/services/{service}.googleapis.com:enable", {})
    place = f"v1/projects/{project}/locations/{LOCATION}/datasets"
    lab.call("POST", f"{place}?datasetId=theirs", {})
    lab.call("POST", f"{place}/theirs/dicomStores?dicomStoreId=dicomstore1", {})
    lab.call("PUT", f"v1/projects/{project}/topics/theirs", {})
    reference = {"datasetReference": {"projectId": project, "datasetId": "theirs"}}
    lab.call("POST", scene.bigquery, reference)
    scene.table("theirs", "rows")
    # The same role as the stack's, for another member, and one that nobody else has.
    scene.bind(
        [
            OWNER,
            {"role": "roles/bigquery.admin", "members": [ANNA]},
            {"role": "roles/viewer", "members": [f"deleted:{ANNA}?uid=1"]},
        ]
    )
    return scene.cloud()


def test_all_of_the_stack_goes_and_nothing_that_others_made(scene: Scene) -> None:
    before = _by_hand(scene)
    scene.stack.up()
    assert scene.cloud() != before
    done = scene.run(0)
    assert "Nothing of the stack is left." in done.stdout
    assert scene.cloud() == before
    again = scene.run(0)
    assert "nothing to tear down" in again.stdout
    assert scene.cloud() == before
    assert scene.stack.resources() == {}


def test_a_dry_run_leaves_everything(scene: Scene) -> None:
    scene.stack.up()
    scene.table("dataset1", "rows")
    before, state = scene.cloud(), scene.stack.resources()
    done = scene.run(0, "--dry-run")
    for text in (
        f"would be deleted: BigQuery table {scene.project}.dataset1.rows",
        "Previewing destroy",
        "would be destroyed",
        "Dry run, nothing was changed.",
    ):
        assert text in done.stdout
    assert scene.cloud() == before
    assert scene.stack.resources() == state
    assert not list(scene.lab.folder.glob("teardown-*.json"))


def test_what_is_under_way_is_cancelled(scene: Scene) -> None:
    scene.stack.up()
    source = {"gcsSource": {"uri": IMAGES}}
    store = f"v1/{scene.dataset}/dicomStores/dicomstore1:import"
    # More than run at a time: the last ones still wait when the script looks.
    begun = [scene.lab.call("POST", store, source)["name"] for _ in range(30)]
    done = scene.run(0)
    assert f"Cancelling {begun[-1]}" in done.stderr
    assert scene.cloud()["datasets"] == {}
    assert scene.told(0)["gone"] == []


def test_tables_that_nobody_gave_up_block_and_nothing_changes(scene: Scene) -> None:
    scene.stack.configure(bigqueryDeleteContents=False)
    scene.stack.up()
    scene.table("dataset1", "rows")
    scene.table("dataset1", "seen", view={"query": "SELECT 1 AS n", "useLegacySql": False})
    before, state = scene.cloud(), scene.stack.resources()
    error = scene.told(ExitCode.REFUSED)["error"]
    assert error["blocking"] == [
        {"kind": "BigQuery view", "name": f"{scene.project}.dataset1.seen"},
        {"kind": "BigQuery table", "name": f"{scene.project}.dataset1.rows"},
    ]
    assert scene.cloud() == before
    assert scene.stack.resources() == state
    scene.run(ExitCode.REFUSED, "--dry-run")
    # The cure is the one that the error names.
    scene.stack.configure(bigqueryDeleteContents=True)
    scene.stack.up()
    emptied = scene.told(0)["emptied"]
    assert emptied == error["blocking"]
    assert scene.cloud()["tables"] == {}


def test_a_store_of_others_in_the_stacks_dataset_blocks(scene: Scene) -> None:
    scene.stack.up()
    scene.lab.call("POST", f"v1/{scene.dataset}/fhirStores?fhirStoreId=theirs", {"version": "R4"})
    before = scene.cloud()
    done = scene.run(ExitCode.REFUSED)
    assert f"FHIR store {scene.dataset}/fhirStores/theirs" in done.stderr
    assert scene.cloud() == before
    told = scene.told(0, "--strays")
    assert [each["kind"] for each in told["deleted_along"]] == ["FHIR store"]
    assert scene.cloud()["datasets"] == {}


def test_a_young_stack_is_left_alone(scene: Scene) -> None:
    scene.stack.up()
    before = scene.cloud()
    done = scene.run(0, "--older-than", "8h")
    assert f"Stack {scene.stack.name!r} is left alone: it was last updated" in done.stdout
    assert scene.cloud() == before
    assert scene.told(0, "--older-than", "2d")["skipped"]
    scene.run(ExitCode.USAGE, "--older-than", "soon")
    assert scene.cloud() == before
    # By now it is older than that.
    assert scene.told(0, "--older-than", "1s")["skipped"] is None
    assert scene.cloud()["datasets"] == {}


def test_a_protected_store_is_named_and_left(scene: Scene) -> None:
    store = f"{scene.dataset}/dicomStores/kept"
    scene.stack.configure(
        dicomStores=[{"name": "kept", "deletionPolicy": "PREVENT"}, {"name": "other"}]
    )
    scene.stack.up()
    for _ in range(2):
        told = scene.told(ExitCode.PROTECTED)
        whys = {each["name"]: each["why"] for each in told["left"]}
        assert whys[store] == "its deletionPolicy is PREVENT"
        assert whys[scene.dataset] == "what is left needs it"
        # Its sister and the other stores are gone; what the dataset waited for is not.
        assert scene.cloud()["datasets"] == {scene.dataset: [store]}
    # Once that is taken back, the rest goes.
    scene.stack.configure(dicomStores=[{"name": "kept"}, {"name": "other"}])
    scene.stack.up()
    scene.run(0)
    assert scene.cloud()["datasets"] == {}


def test_a_protected_dataset_stays_with_its_stores(scene: Scene) -> None:
    scene.stack.configure(deletionProtection=True)
    scene.stack.up()
    stores = scene.cloud()["datasets"]
    told = scene.told(ExitCode.PROTECTED)
    protected = {each["name"] for each in told["left"] if each["why"].startswith("protected by")}
    assert protected == {scene.dataset, *stores[scene.dataset]}
    assert scene.cloud()["datasets"] == stores
    # Nothing can go: what is left needs all the rest.
    assert told["gone"] == []


def test_what_is_abandoned_is_left_and_named(scene: Scene) -> None:
    scene.stack.configure(deletionPolicy="ABANDON")
    scene.stack.up()
    stores = scene.cloud()["datasets"]
    told = scene.told(0)
    assert scene.cloud()["datasets"] == stores
    assert scene.dataset in {each["name"] for each in told["left"]}
    assert scene.stack.resources() == {}
    scene.lab.call("DELETE", f"v1/{scene.dataset}")


def test_memberships_of_a_deleted_account_go_and_those_of_others_stay(scene: Scene) -> None:
    scene.stack.configure(
        projectMembers=[{"role": "roles/bigquery.jobUser", "members": ["user:bert@example.org"]}]
    )
    scene.stack.up()
    gone, theirs = "deleted:user:bert@example.org?uid=1", "deleted:user:carl@example.org?uid=2"
    bindings = scene.bindings()
    [job_users] = [b for b in bindings if b["role"] == "roles/bigquery.jobUser"]
    job_users["members"] = [gone, theirs]
    scene.bind(bindings)
    told = scene.told(0)
    assert [each["name"] for each in told["memberships"]] == [
        f"roles/bigquery.jobUser for {gone} on {scene.project}"
    ]
    assert {"role": "roles/bigquery.jobUser", "members": [theirs]} in scene.bindings()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interrupted_and_run_again_it_ends_in_the_same_place(
    scene: Scene, number: signal.Signals
) -> None:
    """The script alone is hit: its engine goes on, and holds the lock."""
    before = _by_hand(scene)
    gate = Gate(scene.lab.environment)
    try:
        scene.stack.configure(gate.settings)
        scene.stack.up()
        second_store = Moment(lambda method, path: method == "DELETE" and "Stores/" in path, 2)
        with gate.holding(second_store):
            script = subprocess.Popen(
                [sys.executable, *scene.command()],
                cwd=ROOT,
                env={**os.environ, **scene.lab.environment, "LAB_DIR": str(scene.lab.folder)},
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
            _, told = script.communicate(timeout=PATIENCE_SECONDS)
            if number != signal.SIGKILL:
                assert script.returncode == ExitCode.INTERRUPTED, told
                assert "Run it again" in told
        done = scene.run(0)
        assert "Nothing of the stack is left." in done.stdout
        assert scene.cloud() == before
        assert psutil.wait_procs(engine, timeout=PATIENCE_SECONDS)[1] == []
        assert "nothing to tear down" in scene.run(0).stdout
    finally:
        gate.close()


def test_what_an_interrupted_up_left_goes_too(scene: Scene) -> None:
    """Killed before it could write down what it had made."""
    gate = Gate(scene.lab.environment)
    try:
        scene.stack.configure(gate.settings)
        made = Moment(lambda method, path: method == "POST" and "dicomStoreId=" in path, 1, "after")
        with gate.holding(made):
            engine = subprocess.Popen(
                ["pulumi", "up", "--yes", "--skip-preview", "--stack", scene.stack.name],
                cwd=scene.lab.program,
                env=scene.lab.environment,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            assert gate.reached.wait(PATIENCE_SECONDS)
            plugins = psutil.Process(engine.pid).children(recursive=True)
            engine.kill()
            engine.wait(PATIENCE_SECONDS)
            psutil.wait_procs(plugins, timeout=PATIENCE_SECONDS)
        assert scene.cloud()["datasets"][scene.dataset]
        done = scene.run(0)
        assert "Nothing of the stack is left." in done.stdout
        assert scene.cloud() == {
            "datasets": {},
            "topics": [],
            "tables": {},
            "bindings": [OWNER],
        }
    finally:
        gate.close()


def test_a_stack_with_every_kind_of_resource(scene: Scene) -> None:
    everything = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", scene.project))["config"]
    before = _by_hand(scene)
    scene.stack.file.write_text(
        yaml.safe_dump({"config": {"gcp:project": scene.project, **everything}})
    )
    scene.stack.up()
    place = f"projects/{scene.project}/locations/europe-west4"
    kept = f"{place}/datasets/identified/dicomStores/ct"
    # The program would let go of one store, in a dataset that it would delete: nothing is lost.
    told = scene.told(ExitCode.PROTECTED)
    whys = {each["name"]: each["why"] for each in told["left"]}
    assert whys[kept] == "to be kept, but what it lies in or its key would go"
    assert scene.lab.exists(kept)
    assert not scene.lab.exists(f"{place}/datasets/identified/fhirStores/records")
    scene.stack.configure(dicomStores=[{"name": "ct"}])
    scene.stack.up()
    told = scene.told(0)
    assert told["not_checked"] == []
    kinds = {each["kind"] for each in told["left"]}
    assert kinds == {"service", "service identity", "key", "key ring"}
    assert scene.cloud() == before
    subscriptions = scene.lab.call("GET", f"v1/projects/{scene.project}/subscriptions")
    assert subscriptions.get("subscriptions", []) == []
    versions = scene.lab.call(
        "GET", f"v1/{place}/keyRings/imaging/cryptoKeys/identified/cryptoKeyVersions"
    )
    assert {v["state"].partition("_")[0] for v in versions["cryptoKeyVersions"]} == {"DESTROY"}
    assert "nothing to tear down" in scene.run(0).stdout


def test_make_destroy_passes_its_arguments_on(scene: Scene) -> None:
    scene.stack.up()
    before = scene.cloud()
    # Set-up must never run here.
    command = ["make", "--no-print-directory", "--old-file=.venv/.ready", "destroy"]
    options = [f"STACK={scene.stack.name}", f"ARGS=--cwd {scene.lab.program} --dry-run --json"]
    environment = {**os.environ, "LAB_DIR": str(scene.lab.folder)}
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
    assert scene.cloud() == before
