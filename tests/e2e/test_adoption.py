"""Adoption of manually created resources by the real engine, on the local Google Cloud."""

import io
import json
import os
import signal
import subprocess
import sys
from itertools import count
from typing import Any

import pydicom
import pytest
import yaml
from dicomweb_client.api import DICOMwebClient

from emulator.seed import dicom_file, records
from scripts.lib.errors import ExitCode
from tests.support import http
from tests.support.labs import ROOT, Lab, Stack
from tests.support.standin_host import OWN_PLUGIN

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

EVERYTHING = ROOT / "tests" / "data" / "stacks" / "everything.yaml"
ANNA = "user:anna@example.org"
SERVICES = ("healthcare", "bigquery", "storage", "pubsub", "iam", "cloudresourcemanager")
TABLE = {"schema": {"fields": [{"name": "PatientID", "type": "STRING"}]}}
ROWS = {"rows": [{"json": {"PatientID": "1"}}]}
_NUMBERS = count(1)


class ManualResources:
    """A project with resources that were created by API calls, and a stack that declares them."""

    def __init__(self, lab: Lab, *, location: str = "us-central1", version: str = "R4") -> None:
        self.lab = lab
        self.project = f"local-adopt{next(_NUMBERS)}"
        self.parent = f"projects/{self.project}/locations/{location}"
        self.dataset = f"{self.parent}/datasets/dataset1"
        self._services()
        lab.call("POST", f"v1/{self.parent}/datasets?datasetId=dataset1", {"timeZone": "UTC"})
        labels = {"labels": {"made": "by-hand"}}
        self._store("dicomStores", "dicomStoreId=dicomstore1", labels)
        self._store("fhirStores", "fhirStoreId=fhirstore1", {"version": version})
        self.stack = lab.stack(
            self.project,
            dicomStores=[{"name": "dicomstore1"}, {"name": "dicomstore2"}],
            fhirStores=[{"name": "fhirstore1", "version": "R4"}],
            hl7v2Stores=None,
        )

    def _services(self) -> None:
        names = [f"{name}.googleapis.com" for name in SERVICES]
        path = f"v1/projects/{self.project}/services"
        self.lab.call("POST", f"{path}:batchEnable", {"serviceIds": names})
        self.lab.call("POST", f"{path}/healthcare.googleapis.com:generateServiceIdentity")

    def _store(self, collection: str, query: str, body: dict[str, Any]) -> None:
        self.lab.call("POST", f"v1/{self.dataset}/{collection}?{query}", body)

    @property
    def agent(self) -> str:
        """The Healthcare service agent, as IAM writes it."""
        number = self.lab.call("GET", f"v1/projects/{self.project}")["projectNumber"]
        return f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"

    def grant(self, resource: str, role: str, *members: str) -> None:
        """Make this the only grant on a project, dataset or store."""
        policy = {"bindings": [{"role": role, "members": list(members)}]}
        self.lab.call("POST", f"v1/{resource}:setIamPolicy", {"policy": policy})

    def warehouse(self, location: str = "us-central1") -> None:
        """Make a BigQuery dataset with a table of one row."""
        reference = {"projectId": self.project, "datasetId": "dataset1"}
        access = [
            {"role": "OWNER", "specialGroup": "projectOwners"},
            {"role": "READER", "userByEmail": "anna@example.org"},
        ]
        body = {"datasetReference": reference, "location": location, "access": access}
        self.big_query("POST", "datasets", body)
        table = {"tableReference": {**reference, "tableId": "byhand"}, **TABLE}
        self.big_query("POST", "datasets/dataset1/tables", table)
        self.big_query("POST", "datasets/dataset1/tables/byhand/insertAll", ROWS)

    def big_query(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Call BigQuery below the project."""
        base = self.lab.environment["GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT"]
        answer = http.request(method, f"{base}projects/{self.project}/{path}", json=body)
        answer.raise_for_status()
        content: dict[str, Any] = answer.json()
        return content

    @property
    def dicom(self) -> DICOMwebClient:
        """The DICOMweb service of the first store."""
        base = self.lab.environment["GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"].removesuffix("v1beta1/")
        return DICOMwebClient(f"{base}v1/{self.dataset}/dicomStores/dicomstore1/dicomWeb")

    def adopt(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the script to its end, whatever that is."""
        options = ("--stack", self.stack.name, "--cwd", str(self.lab.program))
        return self.lab.script("adopt", *options, *arguments)

    def adopted(self, *arguments: str) -> dict[str, Any]:
        """Run the script successfully; return its JSON output."""
        done = self.adopt("--json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        summary: dict[str, Any] = json.loads(done.stdout)
        return summary

    def refused(self, *arguments: str) -> tuple[list[dict[str, Any]], str]:
        """Run the script, and have it refuse; the conflicts, and what it says to people."""
        done = self.adopt("--json", *arguments)
        assert done.returncode == ExitCode.REFUSED, done.stdout + done.stderr
        conflicts: list[dict[str, Any]] = json.loads(done.stdout)["error"]["conflicts"]
        return conflicts, done.stderr

    def state(self) -> Any:
        """The stack's state, as it is kept."""
        return self.stack.deployment()

    def operations(self, stack: Stack) -> set[str]:
        """The steps of a preview."""
        return set(stack.plan().values())


def _instance() -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(dicom_file.build(records.load()[0])))


def _types_and_names(things: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((thing["kind"], thing["name"]) for thing in things)


def _hide(manual: ManualResources, store: str) -> None:
    """Make an output of a store a secret, as the real provider makes some of its outputs."""
    state = {"version": 3, "deployment": manual.state()}
    [resource] = [r for r in state["deployment"]["resources"] if r.get("id", "").endswith(store)]
    hidden = json.dumps(resource["outputs"]["selfLink"])
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    resource["outputs"]["selfLink"] = {**mark, "plaintext": hidden}
    file = manual.lab.program / "hidden.json"
    file.write_text(json.dumps(state))
    manual.stack.pulumi("stack", "import", "--file", str(file), "-s", manual.stack.name)


def test_manual_resources_are_adopted_and_stay(lab: Lab) -> None:
    manual = ManualResources(lab)
    manual.grant(manual.dataset, "roles/healthcare.datasetViewer", ANNA, "user:bob@example.org")
    manual.grant(f"projects/{manual.project}", "roles/bigquery.admin", manual.agent, ANNA)
    manual.warehouse()
    manual.dicom.store_instances([_instance()])
    manual.stack.configure(
        members=[{"role": "roles/healthcare.datasetViewer", "members": [ANNA]}],
        bigqueryMembers=[{"role": "roles/bigquery.dataViewer", "members": [ANNA]}],
        timeZone="Europe/Berlin",
    )
    before, file = manual.state(), manual.stack.file.read_text()

    looked = manual.adopted("--dry-run")

    assert manual.state() == before
    assert manual.stack.file.read_text() == file
    assert _types_and_names(looked["adopted"]) == sorted(
        [
            ("BigQuery dataset", "dataset1"),
            ("DICOM store", "dicomstore1"),
            ("FHIR store", "fhirstore1"),
            ("Healthcare dataset", "dataset1"),
            ("bigquery.DatasetIamMember", f"roles/bigquery.dataViewer for {ANNA}"),
            ("healthcare.DatasetIamMember", f"roles/healthcare.datasetViewer for {ANNA}"),
            ("project role", f"roles/bigquery.admin for {manual.agent}"),
            ("service identity", "services-healthcare-agent"),
            *[
                ("service", f"services-{name}")
                for name in ("bigquery", "cloudresourcemanager", "healthcare", "iam", "storage")
            ],
        ]
    )
    assert ("DICOM store", "dicomstore2") in _types_and_names(looked["to_create"])
    [zone] = [p for u in looked["to_update"] for p in u["properties"] if p["path"] == "timeZone"]
    assert (zone["old"], zone["new"]) == ("UTC", "Europe/Berlin")

    summary = manual.adopted()

    assert summary["adopted"] == looked["adopted"]
    assert manual.operations(manual.stack) == {"create", "update"}
    manual.stack.up()
    assert manual.stack.plan() == {}
    # Nothing was replaced, and no member lost a role.
    assert len(manual.dicom.search_for_instances()) == 1
    assert lab.call("GET", f"v1/{manual.dataset}")["timeZone"] == "Europe/Berlin"
    store = lab.call("GET", f"v1/{manual.dataset}/dicomStores/dicomstore1")
    assert store["labels"]["made"] == "by-hand"
    assert manual.big_query("GET", "datasets/dataset1/tables/byhand")["tableReference"]
    policy = lab.call("GET", f"v1/{manual.dataset}:getIamPolicy")
    assert {"user:bob@example.org", ANNA} <= set(policy["bindings"][0]["members"])
    again = manual.adopt()
    assert again.returncode == 0
    assert "Nothing to adopt" in again.stdout
    assert manual.stack.plan() == {}


def test_what_differs_is_refused_with_a_hint(lab: Lab) -> None:
    """One stack, and one conflict after another: each is met, and corrected as its hint says."""
    manual = ManualResources(lab, location="europe-west4", version="STU3")
    before = manual.state()

    [elsewhere], _ = manual.refused("--dry-run")

    assert elsewhere["id"] == manual.dataset
    assert (elsewhere["key"], elsewhere["cloud"]) == ("location", "europe-west4")
    assert manual.refused()[0] == [elsewhere]
    assert manual.state() == before
    beside = manual.adopted("--dry-run", "--beside")
    assert ("Healthcare dataset", "dataset1") in _types_and_names(beside["to_create"])

    manual.stack.configure(location="europe-west4")
    manual.warehouse(location="EU")
    conflicts, hints = manual.refused("--dry-run")
    assert manual.refused()[0] == conflicts
    assert manual.state() == before
    assert len(conflicts) == 2
    [version] = [each for each in conflicts if each["property"] == "version"]
    assert version["id"] == f"{manual.dataset}/fhirStores/fhirstore1"
    assert (version["cloud"], version["program"]) == ("STU3", "R4")
    assert version["key"] == "fhirStores[name: fhirstore1].version"
    assert f"In {manual.stack.file.name}, set {version['key']}: STU3" in hints
    [warehouse] = [each for each in conflicts if each["property"] == "location"]
    assert warehouse["cloud"] == "EU"
    assert "choose another bigqueryDataset" in warehouse["cure"]

    manual.stack.configure(
        fhirStores=[{"name": "fhirstore1", "version": "STU3"}], bigqueryDataset="other"
    )
    adopted = _types_and_names(manual.adopted()["adopted"])
    assert ("Healthcare dataset", "dataset1") in adopted
    assert ("FHIR store", "fhirstore1") in adopted


def test_what_was_made_beside_a_stack_joins_it_after_interruptions(lab: Lab) -> None:
    manual = ManualResources(lab)
    # Without grants the adoption has one round less.
    manual.stack.configure(access="explicit", serviceAgentRoles=[])
    for number in (signal.SIGINT, signal.SIGTERM):
        _interrupt(manual, number)
    _look_without_a_stack(manual)

    assert manual.adopted()["adopted"]
    assert manual.adopted()["adopted"] == []

    manual.stack.up()
    lab.call("POST", f"v1/{manual.dataset}/dicomStores?dicomStoreId=late", {})
    lab.call("PUT", f"v1/projects/{manual.project}/topics/late", {})
    manual.stack.configure(
        dicomStores=[{"name": name} for name in ("dicomstore1", "dicomstore2", "late")],
        topics=[{"name": "late"}],
    )

    # Secrets in settings and state, which the copy has to be able to read.
    manual.stack.pulumi("config", "set", "--secret", "other:token", "x", "-s", manual.stack.name)
    _hide(manual, "dicomstore1")

    summary = manual.adopted()

    assert _types_and_names(summary["adopted"]) == [
        ("DICOM store", "late"),
        ("service", "services-pubsub"),
        ("topic", "late"),
    ]
    assert "ciphertext" in json.dumps(manual.state())
    assert "replace" not in " ".join(manual.operations(manual.stack))
    manual.stack.up()
    assert manual.stack.plan() == {}


def _interrupt(manual: ManualResources, number: signal.Signals) -> None:
    """Interrupt an adoption: it restores the state."""
    before = manual.state().get("resources", [])
    script = [str(ROOT / "scripts/adopt.py"), "--stack", manual.stack.name]
    process = subprocess.Popen(
        [sys.executable, "-u", *script, "--cwd", str(manual.lab.program)],
        cwd=ROOT,
        env={**manual.lab.environment, **OWN_PLUGIN, "LAB_DIR": str(manual.lab.folder)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any("Importing into" in line for line in process.stderr), "it never began"
    # As the terminal does it, to the engine too; the end of a job is signalled to the script alone.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    errors = process.stderr.read()

    assert process.wait(60) == ExitCode.INTERRUPTED, errors
    assert "Restoring the state" in errors
    assert manual.state().get("resources", []) == before


def _look_without_a_stack(manual: ManualResources) -> None:
    """Delete the stack, and run a dry run: it creates no stack."""
    name = manual.stack.name
    manual.stack.pulumi("stack", "rm", "--yes", "--preserve-config", name)
    settings = manual.stack.file.read_text()

    assert manual.adopted("--dry-run")["adopted"]

    assert name not in manual.stack.pulumi("stack", "ls", "--json").stdout
    assert manual.stack.file.read_text() == settings


def test_all_that_a_stack_made_comes_under_a_new_one(lab: Lab) -> None:
    name = f"local-adopt{next(_NUMBERS)}"
    everything = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", name))["config"]
    old = lab.stack(name)
    old.file.write_text(yaml.safe_dump({"config": {"gcp:project": name, **everything}}))
    old.up()
    ids = {urn: r["id"] for urn, r in old.resources().items() if r.get("custom")}
    old.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", old.name)
    script = ("--stack", old.name, "--cwd", str(lab.program), "--json")

    done = lab.script("adopt", *script)

    assert done.returncode == 0, done.stdout + done.stderr
    # Only the creation of Pub/Sub's agent returns its address: it is requested again, with its
    # grants, which are there already.
    # Objects can't be imported.
    again = {item["name"] for item in json.loads(done.stdout)["to_create"]}
    assert again == {
        "services-pubsub-agent",
        "topic-imaging-imaging-pull-dead-letter",
        "inference-heart-push-inference-heart-dead-letter",
        "inference-heart-push",
        *(f"{pipeline}.json" for pipeline in ("cohort", "features", "ingest")),
    }
    adopted = {urn: r["id"] for urn, r in old.resources().items() if r.get("custom")}
    assert adopted.items() <= ids.items()
    assert len(adopted) == len(ids) - 9
    assert set(old.plan().values()) <= {"update", "create"}
    old.up()
    assert old.plan() == {}
    old.change("destroy")
    assert not lab.exists(f"projects/{name}/locations/europe-west4/datasets/identified")
