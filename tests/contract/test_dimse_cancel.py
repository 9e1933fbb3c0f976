"""Requests to the DIMSE adapter that their peer cancels (C-CANCEL)."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pynetdicom import build_role, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.dicom_files import make_dicom
from tests.support.dimse_adapter import adapter
from tests.support.dimse_peers import PEER, SECONDARY_CAPTURE, association, destination
from tests.support.waiting import wait_until
from workloads.dimse.sop_classes import STUDY_ROOT

pytestmark = pytest.mark.sockets
STUDY, INSTANCES = "1.2.826.79", 8
SEARCHES = 30
CANCELLED = 0xFE00


@pytest.fixture
def store(emulator: ServerInfo, project: str) -> str:
    """A store with a study."""
    parent = f"{emulator.url}/v1/projects/{project}/locations/us-central1/datasets"
    http.post(parent, params={"datasetId": "d"}, json={}).raise_for_status()
    created = http.post(f"{parent}/d/dicomStores", params={"dicomStoreId": "s"}, json={})
    name = str(created.raise_for_status().json()["name"])
    for number in range(INSTANCES):
        content = make_dicom(
            pixels=np.zeros((4, 4), dtype=np.uint8),
            StudyInstanceUID=STUDY,
            SOPInstanceUID=f"{STUDY}.1.{number}",
        )
        url = f"{emulator.url}/v1/{name}/dicomWeb/studies"
        headers = {"Content-Type": "application/dicom"}
        http.post(url, content=content, headers=headers).raise_for_status()
    return name


class Cancelling:
    """A peer that cancels its request once it has got one result."""

    def __init__(self) -> None:
        self.received = 0
        self._cancel: Callable[[], None] = lambda: None

    def count(self, _: object = None) -> None:
        self.received += 1
        if self.received == 1:
            self._cancel()

    def ask(
        self,
        running: Adapter,
        model: str,
        request: Callable[[Association], Iterable[tuple[Dataset, Dataset | None]]],
        *contexts: Any,
        **more: Any,
    ) -> Dataset:
        """Return the last response to a request, which is cancelled.

        The cancellation and the next results pass each other: the request is repeated until the
        cancellation is first.
        """

        def attempt() -> Dataset:
            self.received = 0
            with association(running, build_context(model), *contexts, **more) as opened:
                self._cancel = lambda: opened.send_c_cancel(1, query_model=model)
                last = Dataset()
                for status, identifier in request(opened):
                    last = status
                    if identifier is not None and "StudyInstanceUID" in identifier:
                        self.count()
            return last if last.Status != 0 else Dataset()

        return wait_until(attempt, "no request is cancelled")


def studies(*uids: str) -> Dataset:
    """An identifier at the STUDY level."""
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = list(uids)
    return identifier


def test_a_search_is_cancelled(emulator: ServerInfo, store: str) -> None:
    # The adapter searches for each of these by a call of its own.
    peer, asked = Cancelling(), studies(*[STUDY] * SEARCHES)
    with adapter(store, environment=emulator.environment()) as running:
        last = peer.ask(
            running, STUDY_ROOT[0], lambda opened: opened.send_c_find(asked, STUDY_ROOT[0])
        )
        assert last.Status == CANCELLED
        assert 1 <= peer.received < SEARCHES
        logged = running.wait_for("C-FIND cancelled", peer=PEER)
        assert logged["matches"] == peer.received
        with association(running, build_context(STUDY_ROOT[0])) as opened:
            again = list(opened.send_c_find(studies(STUDY), STUDY_ROOT[0]))
        assert [status.Status for status, _ in again] == [0xFF00, 0]


def test_a_retrieval_to_the_peer_itself_is_cancelled(emulator: ServerInfo, store: str) -> None:
    peer, asked = Cancelling(), studies(STUDY)

    def keep(_: evt.Event) -> int:
        peer.count()
        return 0

    with adapter(store, environment=emulator.environment()) as running:
        last = peer.ask(
            running,
            STUDY_ROOT[2],
            lambda opened: opened.send_c_get(asked, STUDY_ROOT[2]),
            build_context(SECONDARY_CAPTURE),
            ext_neg=[build_role(SECONDARY_CAPTURE, scp_role=True)],
            evt_handlers=[(evt.EVT_C_STORE, keep)],
        )
        assert last.Status == CANCELLED
        assert last.NumberOfCompletedSuboperations == peer.received
        assert last.NumberOfRemainingSuboperations == INSTANCES - peer.received > 0
        running.wait_for("C-GET cancelled", peer=PEER)


def test_a_retrieval_to_another_peer_is_cancelled(emulator: ServerInfo, store: str) -> None:
    peer, asked = Cancelling(), studies(STUDY)
    with destination(peer.count) as (port, got):
        dictionary = json.dumps([{"name": PEER, "host": "127.0.0.1", "port": port}])
        with adapter(
            store, f"--aet-dictionary-inline={dictionary}", environment=emulator.environment()
        ) as running:
            last = peer.ask(
                running,
                STUDY_ROOT[1],
                lambda opened: opened.send_c_move(asked, PEER, STUDY_ROOT[1]),
            )
            assert last.Status == CANCELLED
            assert last.NumberOfCompletedSuboperations == peer.received
            assert last.NumberOfRemainingSuboperations == INSTANCES - peer.received > 0
            running.wait_for("C-MOVE cancelled", peer=PEER)
    assert {one.StudyInstanceUID for one in got} == {STUDY}
