"""Numbers about the instances of a store, at every level."""

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from tests.support.dicom_files import Make

STUDY, SERIES = "1.2.3", "1.2.3.4"


@pytest.fixture
def stored(
    cloud: Cloud, store: str, make: Make, incoming: Callable[[bytes], StagedFile]
) -> list[StagedFile]:
    """Two instances of one series, in the store."""
    files = [incoming(make(SOPInstanceUID=sop)) for sop in ("1.2.1", "1.2.2")]
    cloud.healthcare.dicom.contents.add(store, files, "NEARLINE")
    return files


@pytest.mark.parametrize(
    ("path", "method", "own"),
    [
        ("", "getDICOMStoreMetrics", {"name": "{store}", "studyCount": "1", "seriesCount": "1"}),
        (
            f"/dicomWeb/studies/{STUDY}",
            "getStudyMetrics",
            {"study": f"{{store}}/dicomWeb/studies/{STUDY}", "seriesCount": "1"},
        ),
        (
            f"/dicomWeb/studies/{STUDY}/series/{SERIES}",
            "getSeriesMetrics",
            {"series": f"{{store}}/dicomWeb/studies/{STUDY}/series/{SERIES}"},
        ),
    ],
)
def test_metrics_name_their_resource(
    client: TestClient,
    store: str,
    stored: list[StagedFile],
    path: str,
    method: str,
    own: dict[str, str],
) -> None:
    metrics: dict[str, Any] = client.get(f"/v1/{store}{path}:{method}").json()
    assert int(metrics.pop("structuredStorageSizeBytes")) > 0
    assert metrics == {
        "instanceCount": "2",
        "blobStorageSizeBytes": str(sum(file.record.size for file in stored)),
        **{key: value.format(store=store) for key, value in own.items()},
    }


@pytest.mark.usefixtures("stored")
def test_the_storage_of_an_instance(client: TestClient, store: str) -> None:
    name = f"{store}/dicomWeb/studies/{STUDY}/series/{SERIES}/instances/1.2.2"
    info = client.get(f"/v1/{name}:getStorageInfo").json()
    assert info["referencedResource"] == name
    assert info["blobStorageInfo"]["storageClass"] == "NEARLINE"


@pytest.mark.usefixtures("stored")
@pytest.mark.parametrize(
    ("path", "method", "uid"),
    [
        ("studies/9", "getStudyMetrics", "9"),
        (f"studies/{STUDY}/series/9.9", "getSeriesMetrics", "9.9"),
        (f"studies/{STUDY}/series/{SERIES}/instances/9.9.9", "getStorageInfo", "9.9.9"),
    ],
)
def test_a_missing_resource_is_named(
    client: TestClient, store: str, path: str, method: str, uid: str
) -> None:
    answer = client.get(f"/v1/{store}/dicomWeb/{path}:{method}")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == f"{uid} does not exist."
