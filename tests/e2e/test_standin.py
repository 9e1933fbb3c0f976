"""The stand-in under the real engine: the types that the lab's own program does not use."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.labs import ROOT, Lab, run

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
_NUMBERS = count(1)
_BEGINNING = """
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()


def enabled(**options):
    made = [
        gcp.projects.Service(
            name, service=f"{name}.googleapis.com", opts=pulumi.ResourceOptions(**options)
        )
        for name in ("healthcare", "pubsub")
    ]
    return pulumi.ResourceOptions(depends_on=made, **options)
"""
_STORES = """
dataset = gcp.healthcare.Dataset(
    "dataset", name="dataset1", location="us-central1", opts=enabled()
)
labels = {"env": config.get("env") or "lab"}
stores = [
    gcp.healthcare.DicomStore("dicom", name="dicom1", dataset=dataset.id, labels=labels),
    gcp.healthcare.FhirStore("fhir", name="fhir1", dataset=dataset.id, version="R4"),
    gcp.healthcare.Hl7Store("hl7", name="hl71", dataset=dataset.id),
]
"""


class Desk:
    """A small program of its own on the lab's engine and local Google Cloud."""

    def __init__(self, lab: Lab, folder: Path, program: str) -> None:
        self.lab, self.folder = lab, folder
        self.name = f"local-standin{next(_NUMBERS)}"
        self.project = self.name
        (folder / ".venv").symlink_to(ROOT / ".venv")
        settings = {"name": "standin", "runtime": {"name": "python"}}
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        self.write(program)
        self.pulumi("stack", "init", self.name)
        self.pulumi("config", "set", "gcp:project", self.project)

    def write(self, program: str) -> None:
        """Change the program."""
        (self.folder / "__main__.py").write_text(_BEGINNING + program)

    def pulumi(
        self, *arguments: str, check: bool = True, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run the engine's command line."""
        command = ["pulumi", *arguments, "--non-interactive"]
        variables = {**self.lab.environment, **environment}
        return run(command, self.folder, variables, check=check, timeout=300)

    def change(self, verb: str, *arguments: str) -> str:
        """Run up, refresh, destroy or import without questions."""
        return self.pulumi(verb, "--yes", "--skip-preview", *arguments).stdout

    def fails(self, verb: str, *arguments: str, **environment: str) -> str:
        """What a command says that has to fail."""
        done = self.pulumi(verb, *arguments, check=False, **environment)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def unchanged(self) -> bool:
        """Whether a preview finds nothing to do."""
        return self.pulumi("preview", "--expect-no-changes", check=False).returncode == 0

    def state(self) -> dict[str, dict[str, Any]]:
        """The resources in the state, by their names in the program."""
        exported = json.loads(self.pulumi("stack", "export").stdout)
        found = exported["deployment"].get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in found}


@pytest.fixture
def desk(lab: Lab, tmp_path: Path) -> Iterator[Callable[[str], Desk]]:
    """Makes desks, and clears them away."""
    made: list[Desk] = []

    def make(program: str) -> Desk:
        folder = tmp_path / f"desk{len(made) + 1}"
        folder.mkdir()
        made.append(Desk(lab, folder, program))
        return made[-1]

    yield make
    for each in made:
        each.pulumi("destroy", "--yes", "--skip-preview", check=False)
        each.pulumi("stack", "rm", "--yes", "--force", each.name, check=False)
        shutil.rmtree(each.folder)


def test_a_life_of_stores(lab: Lab, desk: Callable[[str], Desk]) -> None:
    bench = desk(_STORES)
    bench.change("up")
    assert bench.unchanged()
    bench.pulumi("config", "set", "env", "prod")

    shown = bench.pulumi("preview", "--diff").stdout

    assert '~ env: "lab" => "prod"' in shown
    assert shown.count("~ ") == 4  # the store, its labels, the one label, the summary
    bench.change("up")
    store = bench.state()["dicom"]["id"]
    assert lab.call("GET", f"v1/{store}")["labels"]["env"] == "prod"
    lab.call("DELETE", f"v1/{store}")
    bench.change("refresh")
    assert "dicom" not in bench.state()
    bench.change("up")
    assert lab.exists(store)
    bench.change("destroy")
    assert bench.state() == {}
    assert not lab.exists(store.rpartition("/dicomStores")[0])


def test_stores_are_adopted_by_a_short_id(lab: Lab, desk: Callable[[str], Desk]) -> None:
    bench = desk(_STORES)
    bench.change("up")
    dataset = bench.state()["dataset"]["id"]
    lab.call("POST", f"v1beta1/{dataset}/dicomStores?dicomStoreId=byhand", {"labels": {"a": "b"}})
    short = f"{bench.project}/us-central1/dataset1/byhand"

    token = "gcp:healthcare/dicomStore:DicomStore"
    bench.change("import", "--generate-code=false", "--protect=false", token, "byhand", short)

    assert bench.state()["byhand"]["id"] == f"{dataset}/dicomStores/byhand"
    byhand = 'gcp.healthcare.DicomStore("byhand", name="byhand", dataset=dataset.id)\n'
    bench.write(_STORES + byhand)
    assert bench.unchanged()


def test_grants_of_others_survive(lab: Lab, desk: Callable[[str], Desk]) -> None:
    grants = """
for key, type_, store in (
    ("dicom_store_id", gcp.healthcare.DicomStoreIamMember, stores[0]),
    ("fhir_store_id", gcp.healthcare.FhirStoreIamMember, stores[1]),
    ("hl7_v2_store_id", gcp.healthcare.Hl7StoreIamMember, stores[2]),
    ("dataset_id", gcp.healthcare.DatasetIamMember, dataset),
):
    type_(key, role="roles/healthcare.viewer", member="user:a@example.com", **{key: store.id})
gcp.projects.IAMMember(
    "project", project=dataset.project, role="roles/viewer", member="user:a@example.com"
)
"""
    bench = desk(_STORES)
    bench.change("up")
    names = [f"projects/{bench.project}", bench.state()["dicom"]["id"]]
    other = {"role": "roles/owner", "members": ["user:boss@example.com"]}
    for name in names:
        policy = _policy(lab, name)
        policy.setdefault("bindings", []).append(other)
        lab.call("POST", f"v1/{name}:setIamPolicy", {"policy": policy})

    bench.write(_STORES + grants)
    bench.change("up")

    for name in names:
        members = [m for b in _policy(lab, name)["bindings"] for m in b["members"]]
        assert {"user:boss@example.com", "user:a@example.com"} <= set(members)
    assert bench.unchanged()
    bench.change("refresh", "--expect-no-changes")
    bench.write(_STORES)
    bench.change("up")
    for name in names:
        assert "user:a@example.com" not in str(_policy(lab, name))
        assert "user:boss@example.com" in str(_policy(lab, name))


def test_an_explicit_provider_and_secret_values(desk: Callable[[str], Desk]) -> None:
    bench = desk(
        """
own = gcp.Provider("own", project="own-project", default_labels={"team": "imaging"})
options = enabled(provider=own)
dataset = gcp.healthcare.Dataset("dataset", location="us-central1", opts=options)
gcp.healthcare.DicomStore(
    "store", dataset=dataset.id, labels={"key": pulumi.Output.secret("hush")}, opts=options
)
"""
    )

    bench.change("up")

    state = bench.state()
    assert state["dataset"]["id"].startswith(
        "projects/own-project/locations/us-central1/datasets/dataset-"
    )
    assert "hush" not in json.dumps(state)
    shown = json.loads(bench.pulumi("stack", "export", "--show-secrets").stdout)
    assert "hush" in json.dumps(shown)
    assert "imaging" in json.dumps(shown)
    assert bench.unchanged()


def test_topics_and_subscriptions(lab: Lab, desk: Callable[[str], Desk]) -> None:
    bench = desk(
        """
labels = {"env": config.get("env") or "lab"}
topic = gcp.pubsub.Topic("topic", name="topic1", labels=labels, opts=enabled())
gcp.pubsub.TopicIAMMember(
    "publisher", topic=topic.name, role="roles/pubsub.publisher", member="user:a@example.com"
)
"""
    )
    bench.change("up")
    assert bench.unchanged()
    bench.pulumi("config", "set", "env", "prod")

    bench.change("up")

    topic = lab.call("GET", f"v1/projects/{bench.project}/topics/topic1")
    assert topic["labels"]["env"] == "prod"
    bench.change("refresh", "--expect-no-changes")


def test_a_deletion_policy_prevents(desk: Callable[[str], Desk]) -> None:
    program = """
gcp.healthcare.Dataset(
    "dataset",
    name="dataset1",
    location="us-central1",
    deletion_policy=config.get("policy"),
    opts=enabled(),
)
"""
    bench = desk(program)
    bench.pulumi("config", "set", "policy", "PREVENT")
    bench.change("up")

    said = bench.fails("destroy", "--yes", "--skip-preview")

    assert 'its deletionPolicy is "PREVENT"; set it to "DELETE"' in said
    bench.pulumi("config", "rm", "policy")
    bench.change("up")
    bench.change("destroy")
    assert bench.state() == {}


@pytest.mark.parametrize(
    ("program", "said"),
    [
        (
            'gcp.healthcare.Dataset("d", name="d", location="us-central9")',
            'did you mean "us-central1"?',
        ),
        (
            'gcp.healthcare.DicomStore("s", name="s", dataset="dataset1")',
            "projects/PROJECT/locations/LOCATION/datasets/DATASET",
        ),
        (
            'gcp.healthcare.FhirStore("s", name="s", dataset="projects/project-1/locations/'
            'us-central1/datasets/d", version="R9")',
            'expected version to be one of ["DSTU2", "STU3", "R4"], got "R9"',
        ),
        (
            'gcp.compute.Network("n")',
            "the stand-in of the gcp plugin does not know gcp:compute/network:Network",
        ),
    ],
)
def test_a_preview_tells_what_is_wrong(
    desk: Callable[[str], Desk], program: str, said: str
) -> None:
    assert said in desk(program).fails("preview")


def test_no_endpoint_off_this_machine_is_called(desk: Callable[[str], Desk]) -> None:
    bench = desk(_STORES)

    said = bench.fails(
        "up",
        "--yes",
        "--skip-preview",
        GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT="https://healthcare.googleapis.com/v1beta1/",
    )

    assert "which is not on this machine" in said
    assert "`python -m emulator start`" in said


def test_a_missing_endpoint_is_named(desk: Callable[[str], Desk]) -> None:
    bench = desk(_STORES)

    said = bench.fails("preview", GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT="")

    assert "neither gcp:healthcareCustomEndpoint nor GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT" in said


def _policy(lab: Lab, name: str) -> dict[str, Any]:
    if name.count("/") == 1:
        return lab.call("POST", f"v1/{name}:getIamPolicy", {})
    return lab.call("GET", f"v1/{name}:getIamPolicy")
