"""The members of a stack under `--enforce-iam`: each may do what its roles allow, and no more.

Each answer of a service is compared with that of `access.py` about the same member.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pydicom
import pytest
import requests
from dicomweb_client import DICOMwebClient
from google.api_core.exceptions import Forbidden
from google.cloud import bigquery
from google.cloud.storage import Client
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError
from pydicom.data import get_testdata_file

from tests.support.labs import Lab, Stack
from tests.support.program_host import ProgramHost
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

PROJECT = "local-access"
BUCKET = "access-incoming"
LOCATION = f"projects/{PROJECT}/locations/us-central1"
PATIENTS = f"{LOCATION}/datasets/dataset1/dicomStores/ct"
DEIDENTIFIED = f"{LOCATION}/datasets/deidentified/dicomStores/ct"
RADIOLOGIST, RESEARCHER = "user:radiologist@example.com", "user:researcher@example.com"
TRAINEE, FELLOW = "user:trainee@example.com", "user:fellow@example.com"
ADMIN, AUDITOR = "user:admin@example.com", "user:auditor@example.com"
IMPORTER = f"serviceAccount:importer@{PROJECT}.iam.gserviceaccount.com"
VIEWER = "roles/healthcare.dicomViewer"
IMAGE = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
STUDY = IMAGE.StudyInstanceUID


def binding(role: str, *members: str, before: str = "") -> dict[str, Any]:
    condition = {"title": "until", "expression": f'request.time < timestamp("{before}")'}
    return {"role": role, "members": [*members], **({"condition": condition} if before else {})}


@dataclass(frozen=True)
class Hospital:
    """A stack with members, and the clients of each."""

    lab: Lab
    stack: Stack

    def credentials(self, member: str) -> Credentials:
        return Credentials(f"local:{member}")  # type: ignore[no-untyped-call]

    def api(self, name: str, version: str, member: str) -> Any:
        """Google's API client, as a member."""
        endpoint = self.root if name != "logging" else f"{self.root}/"
        return build(
            name,
            version,
            credentials=self.credentials(member),
            client_options={"api_endpoint": endpoint},
            static_discovery=True,
            cache_discovery=False,
        )

    @property
    def root(self) -> str:
        return self.lab.environment["STORAGE_EMULATOR_HOST"]

    def stores(self, member: str) -> Any:
        api = self.api("healthcare", "v1", member)
        return api.projects().locations().datasets().dicomStores()

    def dicom_web(self, store: str, member: str) -> DICOMwebClient:
        session = requests.Session()
        session.headers["Authorization"] = f"Bearer local:{member}"
        return DICOMwebClient(f"{self.root}/v1/{store}/dicomWeb", session=session)

    def import_files(self, member: str) -> dict[str, Any]:
        """Import the bucket as a member; the operation's end."""
        body = {"gcsSource": {"uri": f"gs://{BUCKET}/*.dcm"}}
        name = self.stores(member).import_(name=PATIENTS, body=body).execute()["name"]
        operations = self.api("healthcare", "v1", member).projects().locations().datasets()

        def ended() -> dict[str, Any]:
            found: dict[str, Any] = operations.operations().get(name=name).execute()
            return found if found.get("done") else {}

        return wait_until(ended, f"{name} has not ended")

    def entries(self, member: str, principal: str) -> list[dict[str, Any]]:
        """Entries about a principal that a member finds in the log of data accesses."""
        wanted = 'log_id("cloudaudit.googleapis.com/data_access")'
        wanted += f' AND protoPayload.authenticationInfo.principalEmail="{principal}"'
        body = {"resourceNames": [f"projects/{PROJECT}"], "filter": wanted}
        found = self.api("logging", "v2", member).entries().list(body=body).execute()
        return [entry["protoPayload"] for entry in found.get("entries", [])]

    def may(self, member: str, permission: str, resource: str) -> tuple[int, Any]:
        """The exit code of `access.py`, and its answer."""
        flags = ("--stack", PROJECT, "--check", member, permission, "--resource", resource)
        done = self.lab.script("access", *flags, "--json")
        assert done.returncode in (0, 1), done.stderr
        return done.returncode, json.loads(done.stdout)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory: pytest.TempPathFactory, host: ProgramHost) -> Iterator[Hospital]:
    lab = Lab(tmp_path_factory.mktemp("enforced"), host)
    try:
        lab.start("--enforce-iam")
        yield _deployed(lab)
    finally:
        lab.stop()


def _deployed(lab: Lab) -> Hospital:
    stack = lab.stack(
        PROJECT,
        access="least-privilege",
        importBuckets=[BUCKET],
        auditLogs=["DATA_READ", "DATA_WRITE"],
        # An operation belongs to the dataset: a role on the store does not show it.
        members=[binding("roles/healthcare.datasetViewer", IMPORTER)],
        dicomStores=[
            {
                "name": "ct",
                "members": [
                    binding(VIEWER, RADIOLOGIST),
                    binding("roles/healthcare.dicomEditor", IMPORTER),
                    binding("roles/healthcare.dicomStoreAdmin", ADMIN),
                ],
            }
        ],
        fhirStores=[],
        hl7v2Stores=[],
        datasets=[
            {
                "name": "deidentified",
                "dicomStores": [{"name": "ct"}],
                "members": [binding(VIEWER, RESEARCHER)],
            }
        ],
        projectMembers=[
            binding(VIEWER, TRAINEE, before="2020-01-01T00:00:00Z"),
            binding(VIEWER, FELLOW, before="2999-01-01T00:00:00Z"),
            binding("roles/logging.privateLogViewer", AUDITOR),
        ],
    )
    hospital = Hospital(lab, stack)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in lab.environment.items():
            patch.setenv(name, value)
        bucket = Client(project=PROJECT).create_bucket(BUCKET)
    bucket.blob("1.dcm").upload_from_filename(str(get_testdata_file("CT_small.dcm")))
    stack.up()
    operation = hospital.import_files(IMPORTER)
    assert operation["metadata"]["counter"] == {"success": "1"}
    owner = hospital.dicom_web(DEIDENTIFIED, "user:you@example.com")
    owner.store_instances([IMAGE])
    return hospital


def refused(call: Any) -> dict[str, Any]:
    """The error of a call of Google's API client that is refused."""
    with pytest.raises(HttpError) as caught:
        call.execute()
    assert caught.value.status_code == 403
    error: dict[str, Any] = json.loads(caught.value.content)["error"]
    return error


def refusal(permission: str, resource: str) -> dict[str, Any]:
    """The error of the Healthcare API, as Google has it."""
    host = "//healthcare.googleapis.com"
    return {
        "code": 403,
        "message": f"Permission '{permission}' denied on resource '{host}/{resource}'"
        " (or it may not exist).",
        "status": "PERMISSION_DENIED",
        "details": [
            {
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "IAM_PERMISSION_DENIED",
                "domain": "iam.googleapis.com",
                "metadata": {"permission": permission, "resource": resource},
            }
        ],
    }


def refused_web(call: Any) -> dict[str, Any]:
    """The error of a call of the DICOMweb client that is refused."""
    with pytest.raises(requests.HTTPError) as caught:
        call()
    answer = caught.value.response
    assert answer is not None
    assert answer.status_code == 403
    error: dict[str, Any] = answer.json()["error"]
    return error


def test_the_radiologist_reads_and_can_not_delete(hospital: Hospital) -> None:
    web = hospital.dicom_web(PATIENTS, RADIOLOGIST)
    [instance] = web.retrieve_study(STUDY)
    assert instance.PatientID == IMAGE.PatientID
    delete = "healthcare.dicomStores.dicomWebDelete"
    assert refused_web(lambda: web.delete_study(STUDY)) == refusal(delete, PATIENTS)
    call = hospital.stores(RADIOLOGIST).delete(name=PATIENTS)
    assert refused(call) == refusal("healthcare.dicomStores.delete", PATIENTS)
    assert hospital.may(RADIOLOGIST, "healthcare.dicomStores.dicomWebRead", PATIENTS)[0] == 0
    assert hospital.may(RADIOLOGIST, delete, PATIENTS)[0] == 1


def test_the_researcher_sees_the_deidentified_dataset_only(hospital: Hospital) -> None:
    read = "healthcare.dicomStores.dicomWebRead"
    assert len(hospital.dicom_web(DEIDENTIFIED, RESEARCHER).retrieve_study(STUDY)) == 1
    patients = hospital.dicom_web(PATIENTS, RESEARCHER)
    assert refused_web(lambda: patients.retrieve_study(STUDY)) == refusal(read, PATIENTS)
    datasets = hospital.api("healthcare", "v1", RESEARCHER).projects().locations().datasets()
    listing = refusal("healthcare.datasets.list", LOCATION)
    assert refused(datasets.list(parent=LOCATION)) == listing
    found = datasets.dicomStores().list(parent=f"{LOCATION}/datasets/deidentified").execute()
    assert [store["name"] for store in found["dicomStores"]] == [DEIDENTIFIED]
    codes = [hospital.may(RESEARCHER, read, store)[0] for store in (DEIDENTIFIED, PATIENTS)]
    assert codes == [0, 1]


def test_the_service_agent_reads_the_bucket_for_who_may_import(hospital: Hospital) -> None:
    permission = "healthcare.dicomStores.import"
    body = {"gcsSource": {"uri": f"gs://{BUCKET}/*.dcm"}}
    for member in (RADIOLOGIST, ADMIN):
        call = hospital.stores(member).import_(name=PATIENTS, body=body)
        assert refused(call) == refusal(permission, PATIENTS)
        assert hospital.may(member, permission, PATIENTS)[0] == 1
    assert hospital.may(IMPORTER, permission, PATIENTS)[0] == 0
    agent = f"serviceAccount:{hospital.stack.outputs()['serviceAgent']}"
    codes = [
        hospital.may(member, "storage.objects.get", f"gs://{BUCKET}/1.dcm")[0]
        for member in (agent, IMPORTER)
    ]
    assert codes == [0, 1]


def test_other_services_refuse_in_their_own_words(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in hospital.lab.environment.items():
        monkeypatch.setenv(name, value)
    credentials = hospital.credentials(IMPORTER)
    blob = Client(PROJECT, credentials).bucket(BUCKET).blob("1.dcm")
    with pytest.raises(Forbidden, match=r"importer@.* does not have storage\.objects\.get access"):
        blob.download_as_bytes()
    with pytest.raises(Forbidden) as caught:
        bigquery.Client(PROJECT, credentials).get_dataset("dataset1")
    assert caught.value.errors[0]["reason"] == "accessDenied"
    assert f"Access Denied: Dataset {PROJECT}:dataset1" in caught.value.message
    topics = hospital.api("pubsub", "v1", RADIOLOGIST).projects().topics()
    error = refused(topics.create(name=f"projects/{PROJECT}/topics/x", body={}))
    assert error["message"] == "User not authorized to perform this action."
    assert error["status"] == "PERMISSION_DENIED"


def test_a_condition_that_has_expired_grants_nothing(hospital: Hospital) -> None:
    read = "healthcare.dicomStores.dicomWebRead"
    assert len(hospital.dicom_web(PATIENTS, FELLOW).retrieve_study(STUDY)) == 1
    web = hospital.dicom_web(PATIENTS, TRAINEE)
    assert refused_web(lambda: web.retrieve_study(STUDY)) == refusal(read, PATIENTS)
    answers = [hospital.may(member, read, PATIENTS) for member in (FELLOW, TRAINEE)]
    assert [(code, answer["by"][0]["holds"]) for code, answer in answers] == [(0, "yes"), (1, "no")]


def test_the_auditor_finds_who_read_and_who_was_refused(hospital: Hospital) -> None:
    hospital.dicom_web(PATIENTS, RADIOLOGIST).retrieve_study(STUDY)
    refused_web(lambda: hospital.dicom_web(PATIENTS, RESEARCHER).retrieve_study(STUDY))
    method = "google.cloud.healthcare.v1.dicom.dicomweb.DicomWebService.RetrieveStudy"
    for member, is_granted in ((RADIOLOGIST, True), (RESEARCHER, False)):
        entries = hospital.entries(AUDITOR, member.partition(":")[2])
        found = [
            entry
            for entry in entries
            if entry["methodName"] == method and entry["resourceName"].startswith(PATIENTS)
        ]
        assert found[-1]["resourceName"] == f"{PATIENTS}/dicomWeb/studies/{STUDY}"
        [authorization] = found[-1]["authorizationInfo"]
        assert authorization.get("granted", False) is is_granted
        assert authorization["permission"] == "healthcare.dicomStores.dicomWebRead"
        assert found[-1].get("status", {}).get("code", 0) == (0 if is_granted else 7)
    body = {"resourceNames": [f"projects/{PROJECT}"]}
    denied = refused(hospital.api("logging", "v2", RADIOLOGIST).entries().list(body=body))
    assert denied["details"][0]["metadata"]["permission"] == "logging.logEntries.list"


def test_the_stack_is_destroyed_whole(hospital: Hospital) -> None:
    hospital.stack.change("destroy")
    assert hospital.stack.resources() == {}
