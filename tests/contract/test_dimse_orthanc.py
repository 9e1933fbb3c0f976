"""Orthanc, an archive of hospitals, as the peer of the DIMSE adapter."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from benchmarks import orthanc
from emulator.core.processes.ports import free_port
from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.dicom_files import make_dicom
from tests.support.dimse_adapter import AET, adapter
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [
    pytest.mark.sockets,
    pytest.mark.skipif(orthanc.why_not() is not None, reason=str(orthanc.why_not())),
]
TITLE = "ORTHANC"
STUDY = "1.2.826.78"


def new_store(emulator: ServerInfo, project: str) -> str:
    parent = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(parent, params={"datasetId": "d"}, json={}).raise_for_status()
    answer = http.post(f"{parent}/d/dicomStores", params={"dicomStoreId": "s"}, json={})
    return str(answer.raise_for_status().json()["name"])


def test_orthanc_stores_finds_moves_and_asks_for_commitment(
    emulator: ServerInfo, project: str, tmp_path: Path
) -> None:
    store, port = new_store(emulator, project), free_port()
    dictionary = json.dumps([{"name": TITLE, "host": "127.0.0.1", "port": port}])
    settings = {
        "DicomServerEnabled": True,
        "DicomPort": port,
        "DicomAet": TITLE,
        "DicomCheckModalityHost": False,
        "DicomAlwaysAllowStore": True,
    }
    with (
        adapter(
            store, f"--aet-dictionary-inline={dictionary}", environment=emulator.environment()
        ) as running,
        orthanc.running(tmp_path / "orthanc", **settings) as url,
        httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False) as client,
    ):
        post = _poster(client)
        modality = {"AET": AET, "Host": "127.0.0.1", "Port": running.port}
        client.put("/modalities/adapter", json=modality).raise_for_status()
        post("/modalities/adapter/echo", {})
        content = make_dicom(
            pixels=np.zeros((4, 4), dtype=np.uint8), StudyInstanceUID=STUDY, PatientName="Elm^Eva"
        )
        created = client.post("/instances", content=content).raise_for_status().json()
        sent = post(
            "/modalities/adapter/store",
            {"Resources": [created["ID"]], "StorageCommitment": True},
        )
        assert sent["FailedInstancesCount"] == 0
        client.delete(f"/instances/{created['ID']}").raise_for_status()

        query = post(
            "/modalities/adapter/query", {"Level": "Study", "Query": {"StudyInstanceUID": STUDY}}
        )["ID"]
        found = client.get(f"/queries/{query}/answers/0/content?simplify").json()
        assert found["StudyInstanceUID"] == STUDY
        post(f"/queries/{query}/retrieve", {"TargetAet": TITLE})
        [back] = client.get("/instances").raise_for_status().json()
        tags = client.get(f"/instances/{back}/simplified-tags").json()
        assert tags["PatientName"] == "Elm^Eva"

        transaction = sent["StorageCommitmentTransactionUID"]
        running.wait_for("storage commitment answered")
        report = client.get(f"/storage-commitment/{transaction}").raise_for_status().json()
        assert (report["Status"], report["Failures"]) == ("Success", [])
        running.stop()


def _poster(client: httpx.Client) -> Callable[[str, dict[str, Any]], Any]:
    def post(path: str, body: dict[str, Any]) -> Any:
        answer = client.post(path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    return post
