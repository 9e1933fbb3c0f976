"""Google's lab GSP615 as a person types it, in `gcloud`, `bq` and `curl`, command after command.

The one change to them is the address: `$HEALTHCARE` stands for `https://healthcare.googleapis.com`.
Where `gcloud` or `bq` is not installed, the API call that it makes takes its place.
"""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed"),
]

VARIABLES = """\
export PROJECT_ID=`gcloud config get-value project`
export REGION=us-central1
export DATASET_ID=dataset1
export FHIR_STORE_ID=fhirstore1
export DICOM_STORE_ID=dicomstore1
export HL7_STORE_ID=hl7v2store1
export PROJECT_NUMBER=`gcloud projects describe $PROJECT_ID --format="value(projectNumber)"`
"""
ROLES = [
    "bigquery.admin",
    "storage.objectAdmin",
    "healthcare.datasetAdmin",
    "healthcare.dicomStoreAdmin",
]
SOURCE = "gs://gcs-public-data--healthcare-nih-chest-xray/dicom/000000*.dcm"
PATIENT_88 = "SELECT StudyDescription FROM dataset1.dicomstore1 WHERE PatientID='88'"
NO_FINDING = "SELECT PatientID FROM dataset1.dicomstore1 WHERE StudyDescription='No Finding'"
TOKEN = '"Authorization: Bearer "$(gcloud auth print-access-token)'
STORES = (
    '"$HEALTHCARE/v1beta1/projects/$PROJECT_ID/locations/$REGION/datasets/$DATASET_ID/dicomStores'
)
"""The beginning of an address that the lab's curl commands call; the command closes the quote."""
CREATE_WITH_CURL = f"""\
curl -X POST \\
    -H {TOKEN} \\
    -H "Content-Type: application/json; charset=utf-8" \\
    {STORES}?dicomStoreId=dicomstore2"
"""
EXPORT_WITH_CURL = f"""\
curl -X POST \\
    -H {TOKEN} \\
    -H "Content-Type: application/json; charset=utf-8" \\
    --data "{{
      'bigqueryDestination': {{
        'tableUri': 'bq://$PROJECT_ID.$DATASET_ID.$DICOM_STORE_ID'
      }}
    }}" {STORES}/$DICOM_STORE_ID:export"
"""

SHELL_FUNCTIONS = """\
gcloud() {
    case "$1" in
        config) echo $CLOUDSDK_CORE_PROJECT ;;
        auth) cat $CLOUDSDK_AUTH_ACCESS_TOKEN_FILE ;;
        *) echo unknown ;;
    esac
}
"""
"""As much of `gcloud` as the variables and the curl commands need, where it is not installed."""

Instead = Callable[[], Any]


class Terminal:
    """A shell on a project, with the lab's variables and separate settings of `gcloud`."""

    def __init__(self, running: ServerInfo, project: str, folder: Path) -> None:
        self.root = running.url
        self.project = project
        self.dataset = f"projects/{project}/locations/us-central1/datasets/dataset1"
        self._environment = {
            **os.environ,
            "CLOUDSDK_CONFIG": str(folder),
            "CLOUDSDK_CORE_PROJECT": project,
            "HEALTHCARE": running.url,
        }
        self._functions = "" if shutil.which("gcloud") else SHELL_FUNCTIONS
        names = re.findall(r"export (\w+)=", VARIABLES)
        values = self.run(VARIABLES + "".join(f"echo ${name}\n" for name in names))[0].splitlines()
        self._environment |= dict(zip(names, values, strict=True))

    def run(self, command: str) -> tuple[str, str]:
        """Run a command as it is typed; its output and its messages."""
        done = subprocess.run(
            ["bash", "-c", self._functions + command],
            env=self._environment, capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout, done.stderr

    def or_call(self, command: str, instead: Instead) -> tuple[str, str] | None:
        """Run a command, or make its call where its program is not installed."""
        if shutil.which(command.split()[0]):
            return self.run(command)
        instead()
        return None

    def curl(self, command: str) -> Any:
        """Run a curl command; the JSON that it prints."""
        return json.loads(self.run(command)[0])

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API; the JSON of the answer."""
        answer = http.request(method, f"{self.root}/{path}", json=body)
        return answer.raise_for_status().json()

    def wait(self, name: str) -> dict[str, Any]:
        """Ask for an operation until it is done."""

        def look() -> dict[str, Any]:
            operation: dict[str, Any] = self.call("GET", f"v1/{name}")
            return operation if operation.get("done") else {}

        return wait_until(look, f"{name} does not end")


@pytest.fixture
def terminal(emulator: ServerInfo, tmp_path_factory: pytest.TempPathFactory) -> Terminal:
    """A terminal on a project where nothing is enabled."""
    return Terminal(emulator, "gsp615", tmp_path_factory.mktemp("gcloud"))


def test_the_lab_word_for_word(terminal: Terminal) -> None:
    prepare(terminal)
    grant_roles(terminal)
    create_stores(terminal)
    import_images(terminal)
    export_metadata(terminal)
    ask(terminal)


def prepare(terminal: Terminal) -> None:
    """Enable the API and create the dataset, as the lab does in the console."""
    services = f"v1/projects/{terminal.project}/services"
    terminal.or_call(
        "gcloud services enable healthcare.googleapis.com",
        lambda: terminal.call("POST", f"{services}/healthcare.googleapis.com:enable", {}),
    )
    parent, _, dataset_id = terminal.dataset.rpartition("/")
    terminal.or_call(
        "gcloud healthcare datasets create $DATASET_ID --location=$REGION",
        lambda: terminal.call("POST", f"v1/{parent}?datasetId={dataset_id}", {}),
    )
    assert terminal.call("GET", f"v1/{terminal.dataset}")["name"] == terminal.dataset


def grant_roles(terminal: Terminal) -> None:
    project = f"v1/projects/{terminal.project}"
    number = terminal.call("GET", project)["projectNumber"]
    member = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"

    def add_binding(role: str) -> None:
        policy = terminal.call("POST", f"{project}:getIamPolicy", {})
        policy["bindings"].append({"role": role, "members": [member]})
        terminal.call("POST", f"{project}:setIamPolicy", {"policy": policy})

    for role in ROLES:
        terminal.or_call(
            "gcloud projects add-iam-policy-binding $PROJECT_ID --member="
            "serviceAccount:service-$PROJECT_NUMBER@gcp-sa-healthcare.iam.gserviceaccount.com"
            f" --role=roles/{role}",
            partial(add_binding, f"roles/{role}"),
        )
    bindings = terminal.call("POST", f"{project}:getIamPolicy", {})["bindings"]
    granted = {one["role"] for one in bindings if member in one["members"]}
    assert granted == {f"roles/{role}" for role in ROLES}


def create_stores(terminal: Terminal) -> None:
    stores = f"v1beta1/{terminal.dataset}/dicomStores"
    terminal.or_call(
        "gcloud beta healthcare dicom-stores create $DICOM_STORE_ID"
        " --dataset=$DATASET_ID --location=$REGION",
        lambda: terminal.call("POST", f"{stores}?dicomStoreId=dicomstore1", {}),
    )
    assert terminal.curl(CREATE_WITH_CURL)["name"] == f"{terminal.dataset}/dicomStores/dicomstore2"
    names = [one["name"].rpartition("/")[2] for one in terminal.call("GET", stores)["dicomStores"]]
    assert names == ["dicomstore1", "dicomstore2"]


def import_images(terminal: Terminal) -> None:
    store = f"v1beta1/{terminal.dataset}/dicomStores/dicomstore1"
    begun: list[str] = []

    def begin() -> None:
        begun.append(
            terminal.call("POST", f"{store}:import", {"gcsSource": {"uri": SOURCE}})["name"]
        )

    printed = terminal.or_call(
        "gcloud beta healthcare dicom-stores import gcs $DICOM_STORE_ID --dataset=$DATASET_ID"
        f" --location=$REGION --gcs-uri={SOURCE}",
        begin,
    )
    if printed:
        begun += re.findall(r"projects/\S+/operations/\d+", "".join(printed))
    name = begun[0]
    assert "error" not in terminal.wait(name)
    described = terminal.or_call(
        f"gcloud beta healthcare operations describe {name.rpartition('/')[2]}"
        " --dataset=$DATASET_ID --location=$REGION",
        lambda: None,
    )
    if described:
        assert "done: true" in described[0]
        assert "success: '405'" in described[0]
    assert terminal.call("GET", f"v1/{name}")["metadata"]["counter"] == {"success": "405"}


def export_metadata(terminal: Terminal) -> None:
    datasets = f"bigquery/v2/projects/{terminal.project}/datasets"
    body = {
        "datasetReference": {"datasetId": "dataset1"},
        "location": "us-central1",
        "description": "DICOM",
    }
    terminal.or_call(
        "bq mk --dataset --location=$REGION --description DICOM $PROJECT_ID:$DATASET_ID",
        lambda: terminal.call("POST", datasets, body),
    )
    created = terminal.call("GET", f"{datasets}/dataset1")
    assert (created["description"], created["location"]) == ("DICOM", "us-central1")
    assert "error" not in terminal.wait(terminal.curl(EXPORT_WITH_CURL)["name"])
    table = terminal.call("GET", f"{datasets}/dataset1/tables/dicomstore1")
    assert table["numRows"] == "405"


def ask(terminal: Terminal) -> None:
    """The lab's queries, in the console's GoogleSQL and as `bq` sends them without a flag."""
    assert rows(terminal, PATIENT_88, "--use_legacy_sql=false") == [
        {"StudyDescription": "Cardiomegaly|Effusion"}
    ]
    assert len(rows(terminal, NO_FINDING)) == 151


def rows(terminal: Terminal, sql: str, *flags: str) -> list[dict[str, str]]:
    """The rows of a query, by the names of their columns."""
    found: list[dict[str, str]] = []

    def query() -> None:
        path = f"bigquery/v2/projects/{terminal.project}/queries"
        answer = terminal.call("POST", path, {"query": sql, "useLegacySql": not flags})
        names = [field["name"] for field in answer["schema"]["fields"]]
        values = ([cell["v"] for cell in row["f"]] for row in answer["rows"])
        found.extend(dict(zip(names, row, strict=True)) for row in values)

    command = f'bq query --format=json --max_rows=1000 {" ".join(flags)} "{sql}"'
    if printed := terminal.or_call(command, query):
        found.extend(json.loads(printed[0]))
    return found


@pytest.mark.skipif(not shutil.which("gcloud"), reason="gcloud is not installed")
def test_both_ways_to_an_access_token(terminal: Terminal) -> None:
    for command in ("auth", "auth application-default"):
        assert terminal.run(f"gcloud {command} print-access-token")[0].strip() == "local"


def test_the_lab_without_gcloud_and_bq(
    emulator: ServerInfo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    which = shutil.which
    monkeypatch.setattr(
        shutil, "which", lambda name: None if name in ("gcloud", "bq") else which(name)
    )
    test_the_lab_word_for_word(Terminal(emulator, "gsp615-curl", tmp_path))
