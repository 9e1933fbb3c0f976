"""What people made by hand, brought under a stack by the real engine, on the local Google Cloud."""

import io
import json
import os
import signal
import subprocess
import sys
from itertools import count
from typing import Any

import httpx
import pydicom
import pytest
import yaml
from dicomweb_client.api import DICOMwebClient

from emulator.seed import dicom_file, records
from scripts.common.errors import ExitCode
from tests.e2e.labs import ROOT, Lab, Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

EVERYTHING = ROOT / "tests" / "data" / "stacks" / "everything.yaml"
ANNA = "user:anna@example.org"
SERVICES = ("healthcare", "bigquery", "storage", "pubsub", "iam", "cloudresourcemanager")
TABLE = {"schema": {"fields": [{"name": "PatientID", "type": "STRING"}]}}
ROWS = {"rows": [{"json": {"PatientID": "1"}}]}
_NUMBERS = count(1)


class ByHand:
    """A project in which somebody has made things through the APIs, and a stack that names them."""

    def __init__(self, lab: Lab, *, location: str = "us-central1", version: str = "R4") -> None:
        self.lab = lab
        self.project = f"local-adopt{next(_NUMBERS)}"
        self.place = f"projects/{self.project}/locations/{location}"
        self.dataset = f"{self.place}/datasets/dataset1"
        self._services()
        lab.call("POST", f"v1/{self.place}/datasets?datasetId=dataset1", {"timeZone": "UTC"})
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
        answer = httpx.request(method, f"{base}projects/{self.project}/{path}", json=body)
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
        script = str(ROOT / "scripts/adopt.py")
        place = ("--stack", self.stack.name, "--cwd", str(self.lab.program))
        return self.lab.python(script, *place, *arguments, check=False)

    def adopted(self, *arguments: str) -> dict[str, Any]:
        """Run the script, and have it end well; what it tells programs."""
        done = self.adopt("--json", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, Any] = json.loads(done.stdout)
        return told

    def refused(self, *arguments: str) -> list[dict[str, Any]]:
        """Run the script, and have it refuse; the conflicts."""
        done = self.adopt("--json", *arguments)
        assert done.returncode == ExitCode.REFUSED, done.stdout + done.stderr
        conflicts: list[dict[str, Any]] = json.loads(done.stdout)["error"]["conflicts"]
        return conflicts

    def state(self) -> Any:
        """The stack's state, as it is kept."""
        return json.loads(self.stack.pulumi("stack", "export", "-s", self.stack.name).stdout)

    def operations(self, stack: Stack) -> set[str]:
        """What a preview would do."""
        return set(stack.plan().values())


def _instance() -> pydicom.Dataset:
    return pydicom.dcmread(io.BytesIO(dicom_file.build(records.load()[0])))


def _kinds(things: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((thing["kind"], thing["name"]) for thing in things)


def _hide(hand: ByHand, store: str) -> None:
    """Make an output of a store a secret, as the real provider makes some of its outputs."""
    state = hand.state()
    [resource] = [r for r in state["deployment"]["resources"] if r.get("id", "").endswith(store)]
    hidden = json.dumps(resource["outputs"]["selfLink"])
    mark = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}
    resource["outputs"]["selfLink"] = {**mark, "plaintext": hidden}
    file = hand.lab.program / "hidden.json"
    file.write_text(json.dumps(state))
    hand.stack.pulumi("stack", "import", "--file", str(file), "-s", hand.stack.name)


def test_what_was_made_by_hand_is_adopted_and_stays(lab: Lab) -> None:
    hand = ByHand(lab)
    hand.grant(hand.dataset, "roles/healthcare.datasetViewer", ANNA, "user:bob@example.org")
    hand.grant(f"projects/{hand.project}", "roles/bigquery.admin", hand.agent, ANNA)
    hand.warehouse()
    hand.dicom.store_instances([_instance()])
    hand.stack.configure(
        members=[{"role": "roles/healthcare.datasetViewer", "members": [ANNA]}],
        bigqueryMembers=[{"role": "roles/bigquery.dataViewer", "members": [ANNA]}],
        timeZone="Europe/Berlin",
    )
    before, file = hand.state(), hand.stack.file.read_text()

    looked = hand.adopted("--dry-run")

    assert hand.state() == before
    assert hand.stack.file.read_text() == file
    assert _kinds(looked["adopted"]) == sorted(
        [
            ("BigQuery dataset", "dataset1"),
            ("DICOM store", "dicomstore1"),
            ("FHIR store", "fhirstore1"),
            ("Healthcare dataset", "dataset1"),
            ("bigquery.DatasetIamMember", f"roles/bigquery.dataViewer for {ANNA}"),
            ("healthcare.DatasetIamMember", f"roles/healthcare.datasetViewer for {ANNA}"),
            ("project role", f"roles/bigquery.admin for {hand.agent}"),
            ("service identity", "services-healthcare-agent"),
            *[
                ("service", f"services-{name}")
                for name in ("bigquery", "cloudresourcemanager", "healthcare", "iam", "storage")
            ],
        ]
    )
    assert ("DICOM store", "dicomstore2") in _kinds(looked["to_create"])
    [zone] = [p for u in looked["to_update"] for p in u["properties"] if p["path"] == "timeZone"]
    assert (zone["old"], zone["new"]) == ("UTC", "Europe/Berlin")

    told = hand.adopted()

    assert told["adopted"] == looked["adopted"]
    assert hand.operations(hand.stack) == {"create", "update"}
    hand.stack.up()
    assert hand.stack.plan() == {}
    # Nothing was replaced, and nobody lost anything.
    assert len(hand.dicom.search_for_instances()) == 1
    assert lab.call("GET", f"v1/{hand.dataset}")["timeZone"] == "Europe/Berlin"
    store = lab.call("GET", f"v1/{hand.dataset}/dicomStores/dicomstore1")
    assert store["labels"]["made"] == "by-hand"
    assert hand.big_query("GET", "datasets/dataset1/tables/byhand")["tableReference"]
    policy = lab.call("GET", f"v1/{hand.dataset}:getIamPolicy")
    assert {"user:bob@example.org", ANNA} <= set(policy["bindings"][0]["members"])
    again = hand.adopt()
    assert again.returncode == 0
    assert "Nothing to adopt" in again.stdout
    assert hand.stack.plan() == {}


def test_another_fhir_version_is_refused_with_the_cure(lab: Lab) -> None:
    hand = ByHand(lab, version="STU3")
    before = hand.state()

    [conflict] = hand.refused()

    assert conflict["id"] == f"{hand.dataset}/fhirStores/fhirstore1"
    assert (conflict["property"], conflict["cloud"], conflict["program"]) == (
        "version",
        "STU3",
        "R4",
    )
    assert conflict["key"] == "fhirStores[name: fhirstore1].version"
    assert hand.state() == before
    shown = hand.adopt("--dry-run")
    assert shown.returncode == ExitCode.REFUSED
    assert f"In {hand.stack.file.name}, set {conflict['key']}: STU3" in shown.stderr
    hand.stack.configure(fhirStores=[{"name": "fhirstore1", "version": "STU3"}])
    assert ("FHIR store", "fhirstore1") in _kinds(hand.adopted()["adopted"])


def test_another_location_is_refused_with_the_cure(lab: Lab) -> None:
    hand = ByHand(lab, location="europe-west4")
    before = hand.state()

    [conflict] = hand.refused("--dry-run")

    assert conflict["id"] == hand.dataset
    assert (conflict["key"], conflict["cloud"]) == ("location", "europe-west4")
    assert hand.refused() == [conflict]
    assert hand.state() == before
    beside = hand.adopted("--dry-run", "--beside")
    assert ("Healthcare dataset", "dataset1") in _kinds(beside["to_create"])
    hand.stack.configure(location="europe-west4")
    assert ("Healthcare dataset", "dataset1") in _kinds(hand.adopted()["adopted"])


def test_a_big_query_dataset_elsewhere_is_refused(lab: Lab) -> None:
    hand = ByHand(lab)
    hand.warehouse(location="EU")
    before = hand.state()

    [conflict] = hand.refused()

    assert (conflict["property"], conflict["cloud"]) == ("location", "EU")
    assert "name another bigqueryDataset" in conflict["cure"]
    assert hand.state() == before


def test_what_was_made_beside_a_stack_joins_it(lab: Lab) -> None:
    hand = ByHand(lab)
    hand.adopted()
    hand.stack.up()
    lab.call("POST", f"v1/{hand.dataset}/dicomStores?dicomStoreId=late", {})
    lab.call("PUT", f"v1/projects/{hand.project}/topics/late", {})
    hand.stack.configure(
        dicomStores=[{"name": name} for name in ("dicomstore1", "dicomstore2", "late")],
        topics=[{"name": "late"}],
    )

    # Secrets in settings and state, which the copy has to be able to read.
    hand.stack.pulumi("config", "set", "--secret", "other:token", "x", "-s", hand.stack.name)
    _hide(hand, "dicomstore1")

    told = hand.adopted()

    assert _kinds(told["adopted"]) == [
        ("DICOM store", "late"),
        ("service", "services-pubsub"),
        ("topic", "late"),
    ]
    assert "ciphertext" in json.dumps(hand.state())
    assert "replace" not in " ".join(hand.operations(hand.stack))
    hand.stack.up()
    assert hand.stack.plan() == {}


def test_a_dry_run_makes_no_stack(lab: Lab) -> None:
    hand = ByHand(lab)
    name = hand.stack.name
    hand.stack.pulumi("stack", "rm", "--yes", "--preserve-config", name)
    settings = hand.stack.file.read_text()

    assert hand.adopted("--dry-run")["adopted"]

    assert name not in hand.stack.pulumi("stack", "ls", "--json").stdout
    assert hand.stack.file.read_text() == settings
    assert hand.adopted()["adopted"]
    assert hand.adopted()["adopted"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_puts_the_state_back_and_can_be_run_again(
    lab: Lab, number: signal.Signals
) -> None:
    hand = ByHand(lab)
    before = hand.state()["deployment"].get("resources", [])
    script = [str(ROOT / "scripts/adopt.py"), "--stack", hand.stack.name]
    process = subprocess.Popen(
        [sys.executable, "-u", *script, "--cwd", str(lab.program)],
        cwd=ROOT,
        env={**lab.environment, "LAB_DIR": str(lab.folder)},
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    assert process.stderr is not None
    assert any("Importing into" in line for line in process.stderr), "it never began"
    # As the terminal does it, to the engine too; a job's end is told to the script alone.
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    said = process.stderr.read()

    assert process.wait(60) == ExitCode.INTERRUPTED, said
    assert "Putting the state back" in said
    assert hand.state()["deployment"].get("resources", []) == before
    assert hand.adopted()["adopted"]


def test_all_that_a_stack_made_comes_under_a_new_one(lab: Lab) -> None:
    name = f"local-adopt{next(_NUMBERS)}"
    everything = yaml.safe_load(EVERYTHING.read_text().replace("PROJECT", name))["config"]
    old = lab.stack(name)
    old.file.write_text(yaml.safe_dump({"config": {"gcp:project": name, **everything}}))
    old.up()
    made = {urn: r["id"] for urn, r in old.resources().items() if r.get("custom")}
    old.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", old.name)
    script = ("--stack", old.name, "--cwd", str(lab.program), "--json")

    done = lab.python(str(ROOT / "scripts/adopt.py"), *script, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    # Who Pub/Sub's agent is, only its creation tells: it is asked for again, and so are its
    # grants, which are there already.
    again = {item["name"] for item in json.loads(done.stdout)["to_create"]}
    assert again == {"services-pubsub-agent", "topic-imaging-imaging-pull-dead-letter"}
    adopted = {urn: r["id"] for urn, r in old.resources().items() if r.get("custom")}
    assert adopted.items() <= made.items()
    assert len(adopted) == len(made) - 3
    assert set(old.plan().values()) <= {"update", "create"}
    old.up()
    assert old.plan() == {}
    old.change("destroy")
    assert not lab.exists(f"projects/{name}/locations/europe-west4/datasets/identified")
