"""`make up` and `make destroy`, interrupted at chosen moments and run again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.gates import PATIENCE_SECONDS, Gate, Moment
from tests.e2e.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

_MAKE = ("Makefile", "policy", "scripts")
_LOCATION = "us-central1"
_CONFIG: dict[str, Any] = {
    "dicomStores": [{"name": "dicomstore1"}, {"name": "dicomstore2"}],
    "fhirStores": [{"name": "fhirstore1", "version": "R4"}],
    "hl7v2Stores": [],
    "topics": [{"name": "topic1"}],
}
_AGENT = "serviceAccount:service-NUMBER@gcp-sa-healthcare.iam.gserviceaccount.com"
_NOTHING: dict[str, Any] = {"grants": [], "topics": [], "warehouses": [], "datasets": {}}


def _call(method: str, *parts: str) -> Callable[[str, str], bool]:
    return lambda asked, path: asked in method.split("|") and all(part in path for part in parts)


_UP = {
    "before anything": Moment(_call("GET|POST|PUT")),
    "once the second grant was given": Moment(_call("POST", ":setIamPolicy"), 2, "after"),
    "once the warehouse was made": Moment(_call("POST", "/bigquery/"), 1, "after"),
    "before the dataset is made": Moment(_call("POST", "/healthcare/", "datasetId=")),
    "while the dataset is being made": Moment(_call("GET", "/healthcare/", "/datasets/dataset1?")),
    "once the first store was made": Moment(_call("POST", "/dicomStores"), 1, "after"),
    "before the second store is made": Moment(_call("POST", "/dicomStores"), 2),
}
_DOWN = {
    "before anything goes": Moment(_call("DELETE")),
    "once the first store is gone": Moment(_call("DELETE", "Stores/"), 1, "after"),
    "before the dataset goes": Moment(_call("DELETE", "/healthcare/", "/datasets/dataset1?")),
    "once the dataset is gone": Moment(
        _call("DELETE", "/healthcare/", "/datasets/dataset1?"), 1, "after"
    ),
    "once the warehouse is gone": Moment(_call("DELETE", "/bigquery/"), 1, "after"),
    "once a grant was taken back": Moment(_call("POST", ":setIamPolicy"), 1, "after"),
}


@dataclass
class Desk:
    """A person at a terminal, who runs make."""

    lab: Lab
    gate: Gate
    stack: Stack
    log: Path

    def make(self, target: str, when: str = "") -> str:
        """Run a target to its good end; what it printed.

        Args:
            target: Of the Makefile.
            when: After which interruption, for the message.
        """
        done = subprocess.run(
            self._command(target),
            cwd=self.lab.program,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS * 3,
            check=False,
        )
        assert done.returncode == 0, f"{when}: make {target} failed:\n{done.stdout}"
        return done.stdout

    def interrupt(self, target: str, moment: Moment, number: signal.Signals) -> None:
        """Run a target, and interrupt it at a moment; all that it started has ended then.

        SIGINT goes to the whole process group, as a terminal sends it; SIGKILL to the engine alone.
        """
        with self.log.open("w") as log, self.gate.holding(moment):
            make = subprocess.Popen(
                self._command(target),
                cwd=self.lab.program,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_heed_ctrl_c,
            )
            try:
                self._await(self.gate.reached.is_set, make, "is never reached")
                [engine] = [p for p in _family(make.pid) if _is_engine(p)]
                plugins = engine.children(recursive=True)
                if number == signal.SIGKILL:
                    engine.kill()
                    psutil.wait_procs([engine, *plugins], timeout=PATIENCE_SECONDS)
                    self.gate.release(forwards=False)
                else:
                    os.killpg(make.pid, number)
                    self._await(lambda: "cancel" in self.log.read_text(), make, "is not heeded")
                    self.gate.release(forwards=True)
                make.wait(PATIENCE_SECONDS)
                _, alive = psutil.wait_procs([engine, *plugins], timeout=PATIENCE_SECONDS)
                assert alive == [], f"still running: {alive}"
            finally:
                if make.poll() is None:  # it went wrong: nothing of it may outlive the test
                    for process in _family(make.pid):
                        process.kill()
                    make.kill()
                    make.wait()

    def cloud(self) -> dict[str, Any]:
        """What there is in the stack's project, with neutral names."""
        project = self.stack.project
        datasets = f"v1/projects/{project}/locations/{_LOCATION}/datasets"
        policy = self.lab.call("POST", f"v1/projects/{project}:getIamPolicy", {})
        found: dict[str, Any] = {
            "grants": sorted([b["role"], sorted(b["members"])] for b in policy.get("bindings", [])),
            "topics": self.lab.call("GET", f"v1/projects/{project}/topics").get("topics", []),
            "warehouses": self._warehouses(),
            "datasets": {},
        }
        for dataset in self.lab.call("GET", datasets).get("datasets", []):
            found["datasets"][dataset["name"]] = [dataset] + [
                self.lab.call("GET", f"v1/{dataset['name']}/{kind}").get(kind, [])
                for kind in ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")
            ]
        return self._neutral(found)

    def state(self) -> dict[str, Any]:
        """What the stack's state says: URN -> id, with neutral names."""
        exported = json.loads(self.stack.pulumi("stack", "export", "-s", self.stack.name).stdout)
        deployment = exported["deployment"]
        assert not deployment.get("pending_operations"), "operations are left pending"
        resources = deployment.get("resources", [])
        urns = [resource["urn"] for resource in resources]
        assert len(urns) == len(set(urns)), "the state has a resource twice"
        found = {r["urn"]: r["id"] for r in resources if r.get("id")}
        custom = {u: i for u, i in found.items() if "pulumi:providers:" not in u}
        return self._neutral({"all": sorted(urns), "ids": custom})

    def locks(self) -> list[Path]:
        """The locks that are held."""
        folder = self.lab.folder / "pulumi/state/.pulumi/locks"
        return list(folder.glob(f"**/{self.stack.name}/*.json"))

    def _command(self, target: str) -> list[str]:
        # The policies have nothing to do with it, and take their time.
        flags = "--yes --skip-preview" if target == "up" else "--yes"
        options = [f"STACK={self.stack.name}", "POLICY=", f"ARGS={flags}"]
        # Set-up must never run here: the environment is that of the repository, not of the copy.
        return ["make", "--no-print-directory", "--old-file=.venv/.ready", target, *options]

    @property
    def _environment(self) -> dict[str, str]:
        environment = {**os.environ, "LAB_DIR": str(self.lab.folder)}
        # A make that runs these tests must not talk to this one.
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):
            environment.pop(name, None)
        return environment

    def _await(self, reached: Callable[[], bool], make: subprocess.Popen[Any], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not reached():
            ended = make.poll() is not None
            assert not ended, f"it ended, as this {what}:\n{self.log.read_text()}"
            assert time.monotonic() < deadline, f"this {what}:\n{self.log.read_text()}"
            time.sleep(0.02)

    def _warehouses(self) -> list[str]:
        base = self.lab.environment["GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"]
        root = self.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        path = f"{base.removeprefix(root)}projects/{self.stack.project}/datasets"
        return sorted(d["id"] for d in self.lab.call("GET", path).get("datasets", []))

    def _neutral(self, found: dict[str, Any]) -> dict[str, Any]:
        number = self.lab.call("GET", f"v1/projects/{self.stack.project}")["projectNumber"]
        text = json.dumps(found, sort_keys=True)
        text = text.replace(self.stack.project, "PROJECT").replace(number, "NUMBER")
        neutral: dict[str, Any] = json.loads(text)
        return neutral


def _heed_ctrl_c() -> None:
    """Undo what a shell does to a background job: it would never see Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _family(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _is_engine(process: psutil.Process) -> bool:
    try:
        return process.name() == "pulumi"
    except psutil.NoSuchProcess:
        return False


@pytest.fixture(scope="module")
def gate(lab: Lab) -> Iterator[Gate]:
    for name in _MAKE:
        (lab.program / name).symlink_to(ROOT / name)
    gate = Gate(lab.environment)
    yield gate
    gate.close()


@pytest.fixture(scope="module")
def new_desk(lab: Lab, gate: Gate, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Desk]:
    """Makes desks with a fresh stack each."""
    made: list[Desk] = []

    def make() -> Desk:
        stack = lab.stack(f"local-break{len(made) + 1}", **_CONFIG)
        stack.configure(gate.settings)
        made.append(Desk(lab, gate, stack, tmp_path_factory.mktemp("desk") / "log"))
        return made[-1]

    return make


@dataclass(frozen=True)
class Peace:
    """What there is where nothing was interrupted."""

    cloud: dict[str, Any]
    state: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def peace(new_desk: Callable[[], Desk]) -> Peace:
    desk = new_desk()
    desk.make("up")
    cloud, state = desk.cloud(), desk.state()
    desk.make("destroy")
    return Peace(cloud, state, desk.cloud())


def test_the_yardstick(peace: Peace) -> None:
    [stores] = peace.cloud["datasets"].values()
    assert [len(group) for group in stores[1:]] == [2, 1, 0, 0]
    assert len(peace.cloud["topics"]) == 1
    assert len(peace.cloud["warehouses"]) == 1
    assert [who for _, who in peace.cloud["grants"]].count([_AGENT]) == 4
    assert _AGENT not in json.dumps(peace.after["grants"])
    assert {**peace.after, "grants": []} == _NOTHING


@pytest.mark.parametrize(
    ("number", "rising", "falling"),
    [
        (signal.SIGINT, "before the dataset is made", "before the dataset goes"),
        (signal.SIGINT, "while the dataset is being made", "once the dataset is gone"),
        (signal.SIGINT, "once the first store was made", "once the first store is gone"),
        (signal.SIGKILL, "before anything", "before anything goes"),
        (signal.SIGKILL, "once the second grant was given", "once a grant was taken back"),
        (signal.SIGKILL, "once the warehouse was made", "once the warehouse is gone"),
        (signal.SIGKILL, "while the dataset is being made", "once the dataset is gone"),
        (signal.SIGKILL, "before the second store is made", "once the first store is gone"),
    ],
    ids=lambda value: value.name if isinstance(value, signal.Signals) else value,
)
def test_run_again_it_ends_as_wanted(
    new_desk: Callable[[], Desk], peace: Peace, number: signal.Signals, rising: str, falling: str
) -> None:
    desk = new_desk()
    desk.interrupt("up", _UP[rising], number)
    when = f"after {number.name} {rising}"
    printed = desk.make("up", when)
    assert desk.cloud() == peace.cloud, f"{when}: the cloud is another\n{printed}"
    assert desk.state() == peace.state, f"{when}: the state is another\n{printed}"
    assert desk.stack.plan() == {}, f"{when}: a second up would change something\n{printed}"
    desk.interrupt("destroy", _DOWN[falling], number)
    when = f"after {number.name} {falling}"
    printed = desk.make("destroy", when)
    assert desk.cloud() == peace.after, f"{when}: something is left in the cloud\n{printed}"
    assert desk.state()["ids"] == {}, f"{when}: something is left in the state\n{printed}"
    assert desk.locks() == [], f"{when}: the stack is locked\n{printed}"


def test_a_replacement_that_was_killed_leaves_neither_two_nor_none(
    new_desk: Callable[[], Desk], peace: Peace
) -> None:
    desk = new_desk()
    desk.make("up")
    desk.stack.configure(dataset="dataset2")
    made = Moment(_call("POST", "/healthcare/", "datasetId=dataset2"), 1, "after")
    desk.interrupt("up", made, signal.SIGKILL)
    printed = desk.make("up")
    renamed = json.loads(
        json.dumps(peace.cloud).replace("/datasets/dataset1", "/datasets/dataset2")
    )
    assert desk.cloud()["datasets"] == renamed["datasets"], printed
    assert len(desk.state()["ids"]) == len(peace.state["ids"]), printed
    assert desk.stack.plan() == {}, printed
    desk.make("destroy")
    assert desk.cloud()["datasets"] == {}


def test_a_dataset_of_others_survives_an_interrupted_up(
    lab: Lab, new_desk: Callable[[], Desk]
) -> None:
    desk = new_desk()
    project = desk.stack.project
    lab.call("POST", f"v1/projects/{project}/services/healthcare.googleapis.com:enable", {})
    datasets = f"v1/projects/{project}/locations/{_LOCATION}/datasets"
    lab.call("POST", f"{datasets}?datasetId=dataset1", {})
    lab.call("POST", f"{datasets}/dataset1/dicomStores?dicomStoreId=theirs", {})
    desk.interrupt("up", _UP["before the dataset is made"], signal.SIGKILL)
    printed = desk.make("destroy")
    assert "Dataset healthcare was there before, with contents" in printed
    assert lab.exists(f"{datasets}/dataset1/dicomStores/theirs".removeprefix("v1/"))
