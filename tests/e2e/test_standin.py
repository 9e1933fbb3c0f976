"""The stand-in under the real engine: the types that the lab's own program does not use."""

import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tests.support.labs import Lab
from tests.support.programs import Program
from tests.support.standin_host import OWN_PLUGIN

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]
_NUMBERS = count(1)
_BEGINNING = """
import pulumi
import pulumi_gcp as gcp

config = pulumi.Config()


def enabled(**options):
    created = [
        gcp.projects.Service(
            name, service=f"{name}.googleapis.com", opts=pulumi.ResourceOptions(**options)
        )
        for name in ("healthcare", "pubsub")
    ]
    return pulumi.ResourceOptions(depends_on=created, **options)
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


class StandInProgram(Program):
    """A small program on the lab's engine and local Google Cloud."""

    def write(self, program: str) -> None:
        """Change the program."""
        (self.folder / "__main__.py").write_text(_BEGINNING + program)

    def fails(self, verb: str, *arguments: str, **environment: str) -> str:
        """Run a command that has to fail; return its output."""
        done = self.pulumi(verb, *arguments, check=False, **environment)
        assert done.returncode != 0, done.stdout
        return done.stdout + done.stderr

    def unchanged(self) -> bool:
        """Whether a preview finds nothing to do."""
        return self.pulumi("preview", "--expect-no-changes", check=False).returncode == 0

    def state(self) -> dict[str, dict[str, Any]]:
        """Return the resources in the state, by their names in the program."""
        found = self.deployment().get("resources", [])
        return {resource["urn"].rpartition("::")[2]: resource for resource in found}


NewProgram = Callable[[str], StandInProgram]


@pytest.fixture
def new_program(lab: Lab, tmp_path: Path) -> NewProgram:
    """Make programs with a stack each, in a project of its own."""

    def make(text: str) -> StandInProgram:
        stack = f"local-standin{next(_NUMBERS)}"
        return StandInProgram.create(lab, tmp_path / stack, "standin", _BEGINNING + text, stack)

    return make


def test_a_life_of_stores(lab: Lab, new_program: NewProgram) -> None:
    program = new_program(_STORES)
    program.change("up")
    assert program.unchanged()
    program.configure({"standin:env": "prod"})

    shown = program.pulumi("preview", "--diff").stdout

    assert '~ env: "lab" => "prod"' in shown
    assert shown.count("~ ") == 4  # the store, its labels, the one label, the summary
    program.change("up")
    store = program.state()["dicom"]["id"]
    assert lab.call("GET", f"v1/{store}")["labels"]["env"] == "prod"
    lab.call("DELETE", f"v1/{store}")
    program.change("refresh")
    assert "dicom" not in program.state()
    program.change("up")
    assert lab.exists(store)
    program.change("destroy")
    assert program.state() == {}
    assert not lab.exists(store.rpartition("/dicomStores")[0])


def test_stores_are_adopted_by_a_short_id(lab: Lab, new_program: NewProgram) -> None:
    program = new_program(_STORES)
    program.change("up")
    dataset = program.state()["dataset"]["id"]
    lab.call("POST", f"v1beta1/{dataset}/dicomStores?dicomStoreId=byhand", {"labels": {"a": "b"}})
    short = f"{program.project}/us-central1/dataset1/byhand"

    token = "gcp:healthcare/dicomStore:DicomStore"
    program.change("import", "--generate-code=false", "--protect=false", token, "byhand", short)

    assert program.state()["byhand"]["id"] == f"{dataset}/dicomStores/byhand"
    byhand = 'gcp.healthcare.DicomStore("byhand", name="byhand", dataset=dataset.id)\n'
    program.write(_STORES + byhand)
    assert program.unchanged()


def test_grants_of_others_survive(lab: Lab, new_program: NewProgram) -> None:
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
    program = new_program(_STORES)
    program.change("up")
    names = [f"projects/{program.project}", program.state()["dicom"]["id"]]
    other = {"role": "roles/owner", "members": ["user:boss@example.com"]}
    for name in names:
        policy = _policy(lab, name)
        policy.setdefault("bindings", []).append(other)
        lab.call("POST", f"v1/{name}:setIamPolicy", {"policy": policy})

    program.write(_STORES + grants)
    program.change("up")

    for name in names:
        members = [m for b in _policy(lab, name)["bindings"] for m in b["members"]]
        assert {"user:boss@example.com", "user:a@example.com"} <= set(members)
    assert program.unchanged()
    program.change("refresh", "--expect-no-changes")
    program.write(_STORES)
    program.change("up")
    for name in names:
        assert "user:a@example.com" not in str(_policy(lab, name))
        assert "user:boss@example.com" in str(_policy(lab, name))


def test_an_explicit_provider_and_secret_values(new_program: NewProgram) -> None:
    program = new_program(
        """
own = gcp.Provider("own", project="own-project", default_labels={"team": "imaging"})
options = enabled(provider=own)
dataset = gcp.healthcare.Dataset("dataset", location="us-central1", opts=options)
gcp.healthcare.DicomStore(
    "store", dataset=dataset.id, labels={"key": pulumi.Output.secret("hush")}, opts=options
)
"""
    )

    program.change("up")

    state = program.state()
    assert state["dataset"]["id"].startswith(
        "projects/own-project/locations/us-central1/datasets/dataset-"
    )
    assert "hush" not in json.dumps(state)
    shown = json.loads(program.pulumi("stack", "export", "--show-secrets").stdout)
    assert "hush" in json.dumps(shown)
    assert "imaging" in json.dumps(shown)
    assert program.unchanged()


def test_topics_and_subscriptions(lab: Lab, new_program: NewProgram) -> None:
    program = new_program(
        """
labels = {"env": config.get("env") or "lab"}
topic = gcp.pubsub.Topic("topic", name="topic1", labels=labels, opts=enabled())
gcp.pubsub.TopicIAMMember(
    "publisher", topic=topic.name, role="roles/pubsub.publisher", member="user:a@example.com"
)
"""
    )
    program.change("up")
    assert program.unchanged()
    program.configure({"standin:env": "prod"})

    program.change("up")

    topic = lab.call("GET", f"v1/projects/{program.project}/topics/topic1")
    assert topic["labels"]["env"] == "prod"
    program.change("refresh", "--expect-no-changes")


def test_a_deletion_policy_prevents(new_program: NewProgram) -> None:
    text = """
gcp.healthcare.Dataset(
    "dataset",
    name="dataset1",
    location="us-central1",
    deletion_policy=config.get("policy"),
    opts=enabled(),
)
"""
    program = new_program(text)
    program.configure({"standin:policy": "PREVENT"})
    program.change("up")

    message = program.fails("destroy", "--yes", "--skip-preview")

    assert 'its deletionPolicy is "PREVENT"; set it to "DELETE"' in message
    program.configure({"standin:policy": None})
    program.change("up")
    program.change("destroy")
    assert program.state() == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'gcp.healthcare.Hl7Store("h", name="h", dataset="projects/project-1/locations/'
            'us-central1/datasets/d", parser_config={"version": "V3"})',
            "one of `parser_config.0.allow_null_header,parser_config.0.schema,"
            "parser_config.0.segment_terminator` must be specified",
        ),
        (
            'gcp.healthcare.FhirStore("s", name="s", dataset="projects/project-1/locations/'
            'us-central1/datasets/d", version="R9")',
            'expected version to be one of ["DSTU2" "STU3" "R4" ""], got R9.',
        ),
        (
            'gcp.compute.Network("n")',
            "the stand-in of the gcp plugin does not know gcp:compute/network:Network",
        ),
    ],
)
def test_a_preview_reports_what_is_wrong(new_program: NewProgram, text: str, message: str) -> None:
    assert message in new_program(text).fails("preview")


def test_no_endpoint_off_this_machine_is_called(new_program: NewProgram) -> None:
    program = new_program(_STORES)

    message = program.fails(
        "up",
        "--yes",
        "--skip-preview",
        **OWN_PLUGIN,
        GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT="https://healthcare.googleapis.com/v1beta1/",
    )

    assert "which is not on this machine" in message
    assert "`python -m emulator start`" in message


def test_a_missing_endpoint_is_named(new_program: NewProgram) -> None:
    program = new_program(_STORES)

    message = program.fails("preview", **OWN_PLUGIN, GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT="")

    assert "neither gcp:healthcareCustomEndpoint nor GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT" in message


def _policy(lab: Lab, name: str) -> dict[str, Any]:
    if name.count("/") == 1:
        return lab.call("POST", f"v1/{name}:getIamPolicy", {})
    return lab.call("GET", f"v1/{name}:getIamPolicy")
