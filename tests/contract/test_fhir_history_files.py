"""All versions of FHIR resources in files: exportHistory, and importHistory into another store."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.fhir_resources import observation, patient
from tests.support.fhir_ward import Ward, decoded

pytestmark = pytest.mark.sockets


@pytest.fixture
def ward(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> Ward:
    grant("roles/storage.objectAdmin")
    ward = Ward(emulator, project)
    for gender in ("male", "female", "other"):
        ward.put(patient("a", gender=gender))
    ward.put(patient("b"))
    ward.put(observation("Patient/b", "gone"))
    ward.fhir.delete(name=ward.name("Observation/gone")).execute()
    return ward


def exported(ward: Ward, folder: str, **more: Any) -> dict[str, list[Any]]:
    """The bundles of each object of an export, by the type in its name."""
    destination = {"uriPrefix": f"gs://{ward.bucket.name}/{folder}"}
    done = ward.preview("exportHistory", gcsDestination=destination, **more)
    assert "response" in done, done
    number = done["name"].rpartition("/")[2]
    names = [blob.name for blob in ward.bucket.list_blobs(prefix=f"{folder}/{number}_history_")]
    return {
        name.rpartition("_")[2]: [json.loads(line) for line in ward.lines(name)] for name in names
    }


def history(ward: Ward, path: str) -> list[tuple[str, str]]:
    """The method and the time of each version of a resource."""
    found = decoded(ward.fhir.history(name=ward.name(path)))["entry"]
    return [(one["request"]["method"], one["response"]["lastModified"]) for one in found]


def test_an_export_has_a_bundle_of_versions_for_each_resource(ward: Ward) -> None:
    bundles = exported(ward, "out")
    assert [len(one["entry"]) for one in bundles["Patient"]] == [3, 1]
    first = bundles["Patient"][0]
    assert (first["resourceType"], first["type"]) == ("Bundle", "history")
    assert [one["resource"]["gender"] for one in first["entry"]] == ["other", "female", "male"]
    [removed] = bundles["Observation"]
    assert [one["request"]["method"] for one in removed["entry"]] == ["DELETE", "PUT"]
    assert "resource" not in removed["entry"][0]

    assert [*exported(ward, "types", _type="Patient")] == ["Patient"]
    limited = exported(ward, "limited", maxResourceVersions="2")
    assert [len(one["entry"]) for one in limited["Patient"]] == [2, 1]
    since = ward.read("Patient/b")["meta"]["lastUpdated"]
    later = exported(ward, "since", _since=since)
    assert [one["entry"][0]["resource"]["id"] for one in later["Patient"]] == ["b"]


def test_what_was_exported_can_be_imported_elsewhere(ward: Ward) -> None:
    exported(ward, "out")
    before = {path: history(ward, path) for path in ("Patient/a", "Observation/gone")}
    dataset = ward.store.partition("/fhirStores/")[0]
    body = {"version": "R4", "enableHistoryModifications": True}
    url = f"{ward.root}/v1beta1/{dataset}/fhirStores?fhirStoreId=copies"
    ward.store = http.post(url, json=body).raise_for_status().json()["name"]

    source = {"uri": f"gs://{ward.bucket.name}/out/*"}
    for _ in range(2):  # the second one changes nothing
        done = ward.preview("importHistory", gcsSource=source)
        assert done["metadata"]["counter"] == {"success": "6"}
        assert {path: history(ward, path) for path in before} == before
    assert ward.read("Patient/a")["gender"] == "other"
    assert not ward.has("Observation/gone")


def test_entries_that_are_no_versions_are_logged(ward: Ward) -> None:
    mask = "enableHistoryModifications"
    url = f"{ward.root}/v1beta1/{ward.store}"
    http.request("PATCH", f"{url}?updateMask={mask}", json={mask: True}).raise_for_status()
    wrong = {"resource": patient("new")}
    ward.write("in", *({"resourceType": "Bundle", "type": "history", "entry": [wrong] * 3},) * 2)
    source = {"uri": f"gs://{ward.bucket.name}/in"}
    done = ward.preview("importHistory", gcsSource=source, maxErrorCount="-1")
    assert done["metadata"]["counter"] == {"failure": "6"}
    assert f"{source['uri']}:2 Bundle.entry[1]" in ward.logged(done)
    done = ward.preview("importHistory", gcsSource=source, maxErrorCount="2")
    assert (done["error"]["code"], done["metadata"]["counter"]) == (1, {"failure": "2"})


def test_a_history_that_can_not_be_moved_is_refused(ward: Ward) -> None:
    def refused(verb: str, **body: Any) -> tuple[int, str]:
        answer = http.post(f"{ward.root}/v1beta1/{ward.store}:{verb}", json=body)
        return answer.status_code, answer.json()["error"]["message"]

    folder = {"uriPrefix": f"gs://{ward.bucket.name}/out"}
    for verb, body, culprit in (
        ("importHistory", {}, "enable_history_modifications"),
        ("exportHistory", {}, "gcs_destination"),
        ("exportHistory", {"gcsDestination": folder, "_type": "None"}, "None"),
        ("exportHistory", {"gcsDestination": folder, "maxResourceVersions": "-1"}, "-1"),
    ):
        code, message = refused(verb, **body)
        assert (code, culprit in message) == (400, True), message
    answer = http.post(f"{ward.root}/v1/{ward.store}:exportHistory", json={})
    assert answer.status_code == 404
