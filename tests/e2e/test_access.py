"""The members of a stack under `--enforce-iam`: each may do what its roles allow, and no more.

Each answer of a service is compared with that of `access.py` about the same member.
"""

from collections.abc import Iterator
from typing import Any

import pydicom
import pytest
from google.api_core.exceptions import Forbidden
from google.cloud import bigquery
from google.cloud.storage import Client
from pydicom.data import get_testdata_file

from tests.support.hospital import Hospital, refusal, refused, refused_web
from tests.support.labs import Lab
from tests.support.program_host import ProgramHost

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
NURSE = "user:nurse@example.com"
VIEWER = "roles/healthcare.dicomViewer"
CUSTOM = f"projects/{PROJECT}/roles/searcher"
SEARCH = ["healthcare.dicomStores.dicomWebRead"]
IMAGE = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
STUDY = IMAGE.StudyInstanceUID


def binding(role: str, *members: str, before: str = "") -> dict[str, Any]:
    condition = {"title": "until", "expression": f'request.time < timestamp("{before}")'}
    return {"role": role, "members": [*members], **({"condition": condition} if before else {})}


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
                    binding(CUSTOM, NURSE),
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
    role = {"roleId": "searcher", "role": {"title": "s", "includedPermissions": SEARCH}}
    lab.call("POST", f"v1/projects/{PROJECT}/roles", role)
    stack.up()
    operation = hospital.import_files(IMPORTER, PATIENTS, f"gs://{BUCKET}/*.dcm")
    assert operation["metadata"]["counter"] == {"success": "1"}
    owner = hospital.dicom_web(DEIDENTIFIED, "user:you@example.com")
    owner.store_instances([IMAGE])
    return hospital


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


def test_a_custom_role_grants_what_it_lists(hospital: Hospital) -> None:
    web = hospital.dicom_web(PATIENTS, NURSE)
    assert len(web.search_for_studies()) == 1
    delete = "healthcare.dicomStores.dicomWebDelete"
    assert refused_web(lambda: web.delete_study(STUDY)) == refusal(delete, PATIENTS)
    answers = [hospital.may(NURSE, each, PATIENTS) for each in (*SEARCH, delete)]
    assert [code for code, _ in answers] == [0, 1]
    assert [grant["role"] for grant in answers[0][1]["by"]] == [CUSTOM]


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
