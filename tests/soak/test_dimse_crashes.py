"""The DIMSE adapter is killed at random moments: what it acknowledged reaches the store."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE
from pynetdicom.presentation import build_context

from tests.soak.fuzzing import Target
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.dicom_files import make_dicom
from tests.support.dimse_adapter import AET, adapter
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
KILLS, SOAK_KILLS = 3, 50
MAX_SECONDS_TO_KILL = 0.4
ANSWER_SECONDS = 1
STUDY = "1.2.3.77"


class Modality:
    """A peer that sends instances one after another, and keeps the UIDs of those acknowledged."""

    def __init__(self) -> None:
        self.acknowledged: set[str] = set()
        self._number = 0

    def send_until_killed(self, running: Adapter) -> threading.Thread:
        """Send in a thread until the association breaks."""
        contexts = [build_context(SECONDARY_CAPTURE, ExplicitVRLittleEndian)]
        entity = AE(ae_title="MODALITY")
        # It waits so long for an answer that a killed process does not send.
        entity.dimse_timeout = ANSWER_SECONDS
        opened = entity.associate("127.0.0.1", running.port, contexts=contexts, ae_title=AET)
        assert opened.is_established

        def send() -> None:
            while opened.is_established:
                self._number += 1
                uid = f"{STUDY}.1.{self._number}"
                try:
                    status = opened.send_c_store(instance(uid))
                except RuntimeError:
                    return
                if status.get("Status") == 0:
                    self.acknowledged.add(uid)

        thread = threading.Thread(target=send)
        thread.start()
        return thread


def instance(uid: str) -> pydicom.Dataset:
    content = make_dicom(
        pixels=np.zeros((8, 8), dtype=np.uint8),
        StudyInstanceUID=STUDY,
        SeriesInstanceUID=f"{STUDY}.1",
        SOPInstanceUID=uid,
    )
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))


def test_no_acknowledged_instance_is_lost(
    victim: Target,
    tmp_path: Path,
    draw: random.Random,
    soak: bool,
    report: Callable[..., None],
) -> None:
    parent = f"{victim.running.url}/v1/projects/dimse-kills/locations/us-central1/datasets"
    http.post(parent, params={"datasetId": "d"}, json={}).raise_for_status()
    created = http.post(f"{parent}/d/dicomStores", params={"dicomStoreId": "s"}, json={})
    store = created.raise_for_status().json()["name"]
    options = [f"--spool={tmp_path / 'spool'}", "--calling-aet=MODALITY"]
    environment = victim.running.environment()
    modality = Modality()
    kills = SOAK_KILLS if soak else KILLS
    for _ in range(kills):
        with adapter(store, *options, environment=environment) as running:
            sending = modality.send_until_killed(running)
            threading.Event().wait(draw.uniform(0, MAX_SECONDS_TO_KILL))
            running.kill()
            sending.join()

    def missing() -> set[str]:
        web = f"{victim.running.url}/v1/{store}/dicomWeb/instances"
        answer = http.get(web, params={"limit": "50000"})
        found = answer.json() if answer.content else []
        return modality.acknowledged - {one["00080018"]["Value"][0] for one in found}

    with adapter(store, *options, environment=environment) as running:
        running.wait_for("listening")
        wait_until(lambda: not missing(), "acknowledged instances are missing")
        running.stop()
    assert modality.acknowledged
    assert list((tmp_path / "spool" / "dead").iterdir()) == []
    report(
        "kills of the DIMSE adapter", tried=kills, acknowledged=len(modality.acknowledged), lost=0
    )
