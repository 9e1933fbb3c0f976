"""`make up` and `make destroy`, interrupted at chosen moments and run again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.gates import BlockingProxy, Moment
from tests.support.labs import ROOT, Lab, Stack
from tests.support.standin_host import OWN_PLUGIN
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

_MAKE = ("Makefile", "policy", "scripts")
_LOCATION = "us-central1"
_CONFIG: dict[str, Any] = {
    "dicomStores": [{"name": "dicomstore1"}, {"name": "dicomstore2"}],
    "fhirStores": [{"name": "fhirstore1", "version": "R4"}],
    "hl7v2Stores": [],
    "topics": [{"name": "topic1"}],
}
Interruption = tuple[signal.Signals, str]
"""A signal, and the moment of `_UP` or `_DOWN` at which it comes."""

_AGENT = "serviceAccount:service-NUMBER@gcp-sa-healthcare.iam.gserviceaccount.com"
_NOTHING: dict[str, Any] = {"grants": [], "topics": [], "warehouses": [], "datasets": {}}


def _call(method: str, *parts: str) -> Callable[[str, str], bool]:
    return lambda asked, path: asked in method.split("|") and all(part in path for part in parts)


def _is_deletion_of_dataset(method: str, path: str) -> bool:
    """Whether a call deletes the dataset, and not a store in it."""
    is_deletion = method == "DELETE" and "/healthcare/" in path
    return is_deletion and "/datasets/dataset" in path and "Stores/" not in path


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
    "before the dataset goes": Moment(_is_deletion_of_dataset),
    "once the dataset is gone": Moment(_is_deletion_of_dataset, 1, "after"),
    "once the warehouse is gone": Moment(_call("DELETE", "/bigquery/"), 1, "after"),
    "once a grant was taken back": Moment(_call("POST", ":setIamPolicy"), 1, "after"),
}


@dataclass
class TerminalSession:
    """A person at a terminal, who runs make."""

    lab: Lab
    proxy: BlockingProxy
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
            env=self._environment | self.lab.host_environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE_SECONDS * 3,
            check=False,
        )
        assert done.returncode == 0, f"{when}: make {target} failed:\n{done.stdout}"
        return done.stdout

    def interrupt(self, target: str, moment: Moment, signum: signal.Signals) -> None:
        """Run a target, and interrupt it at a moment; all that it started has ended then.

        SIGINT goes to the whole process group, as a terminal sends it, and the program has its own
        process; SIGKILL goes to the engine alone. Its plugin has its own process each time.
        """
        environment = self._environment
        if signum == signal.SIGKILL:
            environment |= self.lab.host_environment | OWN_PLUGIN
        with self.log.open("w") as log, self.proxy.holding(moment):
            make = subprocess.Popen(
                self._command(target),
                cwd=self.lab.program,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_restore_sigint,
            )
            try:
                self._await(self.proxy.reached.is_set, make, "is never reached")
                [engine] = [p for p in _family(make.pid) if _is_engine(p)]
                plugins = engine.children(recursive=True)
                if signum == signal.SIGKILL:
                    engine.kill()
                    psutil.wait_procs([engine, *plugins], timeout=PATIENCE_SECONDS)
                    self.proxy.release(forwards=False)
                else:
                    os.killpg(make.pid, signum)
                    self._await(lambda: "cancel" in self.log.read_text(), make, "is ignored")
                    self.proxy.release(forwards=True)
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
        """The resources in the stack's project, with neutral names."""
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
                self.lab.call("GET", f"v1/{dataset['name']}/{collection}").get(collection, [])
                for collection in ("dicomStores", "fhirStores", "hl7V2Stores", "consentStores")
            ]
        return self._neutral(found)

    def state(self) -> dict[str, Any]:
        """The stack's state: URN -> id, with neutral names."""
        deployment = self.stack.deployment()
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


def _restore_sigint() -> None:
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
def proxy(lab: Lab) -> Iterator[BlockingProxy]:
    for name in _MAKE:
        (lab.program / name).symlink_to(ROOT / name)
    proxy = BlockingProxy(lab.environment)
    yield proxy
    proxy.close()


@pytest.fixture(scope="module")
def new_session(
    lab: Lab, proxy: BlockingProxy, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[], TerminalSession]:
    """Make sessions with a fresh stack each."""
    sessions: list[TerminalSession] = []

    def make() -> TerminalSession:
        stack = lab.stack(f"local-break{len(sessions) + 1}", **_CONFIG)
        stack.configure(proxy.settings)
        sessions.append(
            TerminalSession(lab, proxy, stack, tmp_path_factory.mktemp("session") / "log")
        )
        return sessions[-1]

    return make


@dataclass(frozen=True)
class BaselineRun:
    """The result of a run without an interruption."""

    cloud: dict[str, Any]
    state: dict[str, Any]
    after: dict[str, Any]


@pytest.fixture(scope="module")
def baseline(new_session: Callable[[], TerminalSession]) -> BaselineRun:
    session = new_session()
    session.make("up")
    cloud, state = session.cloud(), session.state()
    session.make("destroy")
    return BaselineRun(cloud, state, session.cloud())


def test_the_yardstick(baseline: BaselineRun) -> None:
    [stores] = baseline.cloud["datasets"].values()
    assert [len(group) for group in stores[1:]] == [2, 1, 0, 0]
    assert len(baseline.cloud["topics"]) == 1
    assert len(baseline.cloud["warehouses"]) == 1
    assert [who for _, who in baseline.cloud["grants"]].count([_AGENT]) == 4
    assert _AGENT not in json.dumps(baseline.after["grants"])
    assert {**baseline.after, "grants": []} == _NOTHING


def _bring_up(
    session: TerminalSession, baseline: BaselineRun, interruptions: Sequence[Interruption]
) -> None:
    """Interrupt one update after another; the last one runs to the end that is wanted."""
    for signum, moment in interruptions:
        session.interrupt("up", _UP[moment], signum)
    when = _after(interruptions)
    printed = session.make("up", when)
    assert session.cloud() == baseline.cloud, f"{when}: the cloud is another\n{printed}"
    assert session.state() == baseline.state, f"{when}: the state is another\n{printed}"
    assert session.stack.plan() == {}, f"{when}: a second up would change something\n{printed}"


def _take_down(
    session: TerminalSession, baseline: BaselineRun, interruptions: Sequence[Interruption]
) -> None:
    """Interrupt one destroy after another; the last one leaves nothing."""
    for signum, moment in interruptions:
        session.interrupt("destroy", _DOWN[moment], signum)
    when = _after(interruptions)
    printed = session.make("destroy", when)
    assert session.cloud() == baseline.after, f"{when}: something is left in the cloud\n{printed}"
    assert session.state()["ids"] == {}, f"{when}: something is left in the state\n{printed}"
    assert session.locks() == [], f"{when}: the stack is locked\n{printed}"


def _after(interruptions: Sequence[Interruption]) -> str:
    return "after " + ", ".join(f"{signum.name} {moment}" for signum, moment in interruptions)


@pytest.mark.parametrize(
    ("interrupted_ups", "interrupted_destroys"),
    [
        (
            [
                (signal.SIGKILL, "before anything"),
                (signal.SIGKILL, "once the second grant was given"),
                (signal.SIGINT, "before the dataset is made"),
                (signal.SIGINT, "once the first store was made"),
            ],
            [
                (signal.SIGKILL, "before anything goes"),
                (signal.SIGINT, "once the first store is gone"),
                (signal.SIGINT, "before the dataset goes"),
                (signal.SIGKILL, "once a grant was taken back"),
            ],
        ),
        (
            [
                (signal.SIGKILL, "once the warehouse was made"),
                (signal.SIGINT, "while the dataset is being made"),
                (signal.SIGKILL, "before the second store is made"),
            ],
            [
                (signal.SIGKILL, "once the first store is gone"),
                (signal.SIGKILL, "once the dataset is gone"),
                (signal.SIGKILL, "once the warehouse is gone"),
            ],
        ),
    ],
    ids=["dataset not begun", "dataset begun"],
)
def test_run_again_it_ends_as_wanted(
    new_session: Callable[[], TerminalSession],
    baseline: BaselineRun,
    interrupted_ups: list[Interruption],
    interrupted_destroys: list[Interruption],
) -> None:
    """Each run but the last is interrupted; the next one continues."""
    session = new_session()
    _bring_up(session, baseline, interrupted_ups)
    _take_down(session, baseline, interrupted_destroys)


def test_a_replacement_that_was_killed_leaves_neither_two_nor_none(
    new_session: Callable[[], TerminalSession], baseline: BaselineRun
) -> None:
    session = new_session()
    _bring_up(session, baseline, [(signal.SIGKILL, "while the dataset is being made")])
    session.stack.configure(dataset="dataset2")
    created = Moment(_call("POST", "/healthcare/", "datasetId=dataset2"), 1, "after")
    session.interrupt("up", created, signal.SIGKILL)
    printed = session.make("up")
    renamed = json.loads(
        json.dumps(baseline.cloud).replace("/datasets/dataset1", "/datasets/dataset2")
    )
    assert session.cloud()["datasets"] == renamed["datasets"], printed
    assert len(session.state()["ids"]) == len(baseline.state["ids"]), printed
    assert session.stack.plan() == {}, printed
    _take_down(session, baseline, [(signal.SIGINT, "once the dataset is gone")])


def test_a_dataset_of_others_survives_an_interrupted_up(
    lab: Lab, new_session: Callable[[], TerminalSession]
) -> None:
    session = new_session()
    project = session.stack.project
    lab.call("POST", f"v1/projects/{project}/services/healthcare.googleapis.com:enable", {})
    datasets = f"v1/projects/{project}/locations/{_LOCATION}/datasets"
    lab.call("POST", f"{datasets}?datasetId=dataset1", {})
    lab.call("POST", f"{datasets}/dataset1/dicomStores?dicomStoreId=theirs", {})
    session.interrupt("up", _UP["before the dataset is made"], signal.SIGKILL)
    printed = session.make("destroy")
    assert "Dataset healthcare existed before, with contents" in printed
    assert lab.exists(f"{datasets}/dataset1/dicomStores/theirs".removeprefix("v1/"))
