"""Rollbacks of FHIR stores under Google's own client."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support.fhir_resources import observation, patient
from tests.support.fhir_ward import Ward, decoded
from tests.support.import_export import refused

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin")
    return Ward(emulator, project)


def now() -> str:
    return datetime.now(UTC).isoformat()


def delete(ward: Ward, path: str) -> None:
    ward.fhir.delete(name=ward.name(path)).execute()


def content(resource: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in resource.items() if key != "meta"}


def test_a_rollback_reverts_changes_since_a_time(ward: Ward) -> None:
    kept = ward.put(patient("kept", gender="male"))
    gone = ward.put(observation("Patient/kept", "gone"))
    moment = now()
    for gender in ("female", "other"):
        ward.put(patient("kept", gender=gender))
    delete(ward, "Observation/gone")
    ward.put(patient("new"))

    wanted = ["Observation/gone", "Patient/kept", "Patient/new"]
    assert ward.rollback(moment) == wanted
    assert ward.read("Patient/kept")["gender"] == "other"
    assert ward.rollback(moment, type=["Observation"], changeType="UPDATE", force=True) == []
    assert ward.rollback(moment, changeType="UPDATE", force=True) == ["Patient/kept"]
    restored = ward.read("Patient/kept")
    assert content(restored) == content(kept)
    assert restored["meta"]["versionId"] != kept["meta"]["versionId"]
    assert (ward.has("Observation/gone"), ward.has("Patient/new")) == (False, True)
    assert ward.rollback(moment, force=True, excludeRollbacks=True) == wanted
    assert ward.read("Patient/kept") == restored
    assert content(ward.read("Observation/gone")) == content(gone)
    assert not ward.has("Patient/new")
    assert len(decoded(ward.fhir.history(name=ward.name("Patient/kept")))["entry"]) == 4


def test_a_rollback_of_operations_files_and_metadata(ward: Ward) -> None:
    ward.put(patient("a", gender="male"))
    moment = now()
    wrong = {"tag": [{"system": "urn:s", "code": "wrong"}]}
    ward.put(patient("tagged", meta=wrong))
    ward.write("in", patient("a", gender="female"), patient("imported"))
    operation = ward.import_("in", "RESOURCE")["name"].rpartition("/")[2]
    ward.put(patient("listed"))
    ward.put(patient("other"))

    chosen = {"filteringFields": {"operationIds": [operation]}}
    assert ward.rollback(moment, force=True, **chosen) == ["Patient/a", "Patient/imported"]
    # The import overwrote the version before, which the history does not have.
    assert ward.read("Patient/a")["gender"] == "male"
    tagged = {"metadataFilter": 'tag("urn:s") = "wrong"'}
    assert ward.rollback(moment, force=True, filteringFields=tagged) == ["Patient/tagged"]
    ward.write("names", "Patient/listed", "Patient/none")
    names = f"gs://{ward.bucket.name}/names"
    assert ward.rollback(moment, force=True, inputGcsObject=names) == ["Patient/listed"]
    left = [ward.has(f"Patient/{id_}") for id_ in ("imported", "tagged", "listed", "other")]
    assert left == [False, False, False, True]


def test_a_rollback_does_not_need_the_history(ward: Ward) -> None:
    ward.put(patient("purged", active=True))
    moment = now()
    ward.put(patient("purged", active=False))
    ward.fhir.Resource_purge(name=ward.name("Patient/purged")).execute()
    ward.bulk_delete(type="Patient")
    assert ward.rollback(moment, force=True) == ["Patient/purged"]
    assert ward.read("Patient/purged")["active"] is True


def test_a_rollback_that_can_not_be_done_is_refused(ward: Ward, grant: Callable[..., None]) -> None:
    bucket, recent = {"resultGcsBucket": ward.bucket.name}, now()
    old = (datetime.now(UTC) - timedelta(days=22)).isoformat()

    def roll_back(**body: Any) -> tuple[int, str]:
        return refused(ward.stores.rollback(name=ward.store, body=body).execute)

    for body, culprit in (
        ({}, "rollback_time is required"),
        ({"rollbackTime": "x", **bucket}, "rollback_time is required"),
        ({"rollbackTime": old, **bucket}, "is not within the last 21 days"),
        ({"rollbackTime": recent}, "result_gcs_bucket is required"),
        ({"rollbackTime": recent, "type": ["Nothing"], **bucket}, "Nothing"),
        (
            {"rollbackTime": recent, "filteringFields": {"metadataFilter": "a:b"}, **bucket},
            "the operators of a are",
        ),
    ):
        code, message = roll_back(**body)
        assert (code, culprit in message) == (400, True), message
    grant()
    code, message = roll_back(rollbackTime=recent, **bucket)
    assert (code, "storage.objects.create" in message) == (403, True)
