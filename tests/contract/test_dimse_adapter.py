"""The DIMSE adapter between DCMTK, or pynetdicom, and a DICOM store."""

import io
import json
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import JPEGBaseline8Bit, generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.presentation import build_context

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.dicom_files import make_dicom
from tests.support.dimse_adapter import AET, adapter, dcmtk
from tests.support.dimse_peers import PEER, SECONDARY_CAPTURE, association, destination
from tests.support.waiting import wait_until
from workloads.dimse import server
from workloads.dimse.sop_classes import (
    STORAGE_COMMITMENT,
    STORAGE_COMMITMENT_INSTANCE,
    STUDY_ROOT,
    VERIFICATION,
)

pytestmark = pytest.mark.sockets
HAS_DCMTK = shutil.which("storescu") is not None
needs_dcmtk = pytest.mark.skipif(not HAS_DCMTK, reason="DCMTK is not installed")
MAX_ASSOCIATIONS = 8
NAMES = {"1": "Amber^Ada", "2": "Birch^Bo", "3": "Amberley^Cy"}


def instance(patient: str, number: int, **elements: Any) -> bytes:
    """An instance of a patient's study; every second one is in a second series."""
    study = f"1.2.826.77.{patient}"
    series = f"{study}.{number % 2 + 1}"
    return make_dicom(
        pixels=np.arange(64, dtype=np.uint8).reshape(8, 8),
        **{
            "PatientID": f"P{patient}",
            "PatientName": NAMES[patient],
            "StudyInstanceUID": study,
            "SeriesInstanceUID": series,
            "SOPInstanceUID": f"{series}.{number}",
            "StudyDate": f"2024010{patient}",
            "StudyDescription": f"Study of {patient}",
            "Modality": "CR" if patient == "2" else "CT",
            "InstanceNumber": number,
            **elements,
        },
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of three patients: four instances, two and one."""
    folder = tmp_path_factory.mktemp("files")
    for patient, number in (("1", 4), ("2", 2), ("3", 1)):
        for index in range(1, number + 1):
            (folder / f"{patient}-{index}.dcm").write_bytes(instance(patient, index))
    return folder


def new_store(emulator: ServerInfo, name: str) -> str:
    """A DICOM store in a project of its own."""
    services = {"serviceIds": ["healthcare.googleapis.com", "pubsub.googleapis.com"]}
    project = f"dimse-{name}"
    api = f"{emulator.url}/v1/projects/{project}"
    http.post(f"{api}/services:batchEnable", json=services).raise_for_status()
    parent = f"{api}/locations/us-central1/datasets"
    http.post(parent, params={"datasetId": "d"}, json={}).raise_for_status()
    stores = http.post(f"{parent}/d/dicomStores", params={"dicomStoreId": "s"}, json={})
    return str(stores.raise_for_status().json()["name"])


@pytest.fixture(scope="module")
def peer() -> Iterator[tuple[int, list[Dataset]]]:
    with destination() as listening:
        yield listening


@pytest.fixture(scope="module")
def store(emulator: ServerInfo) -> str:
    return new_store(emulator, "served")


@pytest.fixture(scope="module")
def served(
    emulator: ServerInfo,
    store: str,
    files: Path,
    peer: tuple[int, list[Dataset]],
) -> Iterator[Adapter]:
    """An adapter of a store that a peer has filled through it."""
    dictionary = [
        {"name": PEER, "host": "127.0.0.1", "port": peer[0]},
        {"name": "CLOSED", "host": "127.0.0.1", "port": 9},
    ]
    allowed = [f"--calling-aet={name}" for name in (PEER, "OTHER")]
    with adapter(
        store,
        f"--aet-dictionary-inline={json.dumps(dictionary)}",
        *allowed,
        "--max-instance-bytes=100000",
        f"--max-associations={MAX_ASSOCIATIONS}",
        environment=emulator.environment(),
    ) as running:
        fill(running, files)
        yield running
        running.stop()
        assert running.counters["stored"] >= 7
        log = str(running.lines)
        assert not any(name.split("^")[0] in log for name in NAMES.values())
        assert "P1" not in log


def titles(calling: str = PEER, called: str = AET) -> tuple[str, ...]:
    return ("-aet", calling, "-aec", called)


def address(running: Adapter) -> tuple[str, str]:
    return "127.0.0.1", str(running.port)


def fill(running: Adapter, files: Path) -> None:
    """Send files by DCMTK, or by pynetdicom where that is not installed."""
    if HAS_DCMTK:
        sent = dcmtk("storescu", *titles(), *address(running), "+sd", str(files))
        assert sent.returncode == 0, sent.stderr
        return
    with association(running, build_context(SECONDARY_CAPTURE)) as opened:
        for file in files.iterdir():
            assert opened.send_c_store(file).Status == 0


def stored(emulator: ServerInfo, store: str) -> set[str]:
    url = f"{emulator.url}/v1/{store}/dicomWeb/instances"
    answer = http.get(url, params={"limit": "5000"})
    return {one["00080018"]["Value"][0] for one in (answer.json() if answer.content else [])}


def c_find(running: Adapter, level: str, **keys: Any) -> list[tuple[int, Dataset | None]]:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(identifier, keyword, value)
    with association(running, build_context(STUDY_ROOT[0])) as opened:
        found = [(status, match) for status, match in opened.send_c_find(identifier, STUDY_ROOT[0])]
    comments = [str(status.get("ErrorComment", "")) for status, _ in found]
    assert all(len(comment) <= 64 for comment in comments)
    return [(int(status.Status), match or status) for status, match in found]


@needs_dcmtk
def test_dcmtk_stores_and_verifies(
    served: Adapter, emulator: ServerInfo, store: str, files: Path
) -> None:
    assert dcmtk("echoscu", *titles(), *address(served)).returncode == 0
    expected = {pydicom.dcmread(file).SOPInstanceUID for file in files.iterdir()}
    assert expected <= stored(emulator, store)


@needs_dcmtk
def test_dcmtk_finds_studies_series_and_images(served: Adapter) -> None:
    def printed(*keys: str, level: str) -> str:
        asked = [part for key in (f"QueryRetrieveLevel={level}", *keys) for part in ("-k", key)]
        result = dcmtk("findscu", "-v", "-S", *titles(), *address(served), *asked)
        assert result.returncode == 0, result.stderr
        return result.stdout + result.stderr

    studies = printed("PatientID=P1", "StudyInstanceUID", "PatientName", level="STUDY")
    assert "[1.2.826.77.1 " in studies or "[1.2.826.77.1]" in studies
    assert "Amber^Ada" in studies
    assert "1.2.826.77.2" not in studies
    series = printed("StudyInstanceUID=1.2.826.77.1", "SeriesInstanceUID", level="SERIES")
    assert "1.2.826.77.1.1" in series
    assert "1.2.826.77.1.2" in series
    images = printed("SeriesInstanceUID=1.2.826.77.1.1", "SOPInstanceUID", level="IMAGE")
    assert "1.2.826.77.1.1.2" in images
    assert "1.2.826.77.1.1.4" in images


@pytest.mark.parametrize(
    ("keys", "status", "patients"),
    [
        ({"StudyDate": "20240102-"}, 0xFF00, {"P2", "P3"}),
        ({"PatientName": "Amber*"}, 0xFF01, {"P1", "P3"}),
        ({"StudyDescription": "Study of 2"}, 0xFF01, {"P2"}),
        ({"ModalitiesInStudy": "CR"}, 0xFF00, {"P2"}),
        ({"StudyInstanceUID": ["1.2.826.77.1", "1.2.826.77.3"]}, 0xFF00, {"P1", "P3"}),
        ({"PatientID": "nowhere"}, 0xFF00, set()),
    ],
)
def test_matches_and_what_the_store_does_not_search(
    served: Adapter, keys: dict[str, Any], status: int, patients: set[str]
) -> None:
    *found, last = c_find(served, "STUDY", **{"PatientID": "", **keys})
    assert last[0] == 0
    assert {match.PatientID for _, match in found if match} == patients
    assert all(code == status for code, _ in found)


@pytest.mark.parametrize(
    ("level", "keys", "comment"),
    [
        ("PATIENT", {}, "QueryRetrieveLevel is not one of STUDY, SERIES, IMAGE"),
        (
            "STUDY",
            {
                "RequestAttributesSequence": [
                    pydicom.Dataset.from_json({"00400007": {"vr": "LO", "Value": ["x"]}})
                ]
            },
            "RequestAttributesSequence: sequence matching not supported",
        ),
    ],
)
def test_refused_queries_have_their_reason(
    served: Adapter, level: str, keys: dict[str, Any], comment: str
) -> None:
    [(status, answer)] = c_find(served, level, **keys)
    assert status == 0xA900
    assert answer
    assert answer.ErrorComment == comment


def test_a_match_has_the_keys_asked_for(served: Adapter) -> None:
    (_, match), _ = c_find(
        served,
        "SERIES",
        SeriesInstanceUID="1.2.826.77.2.1",
        Modality="",
        RetrieveAETitle="",
        PerformedStationName="",
    )
    assert match
    del match.SpecificCharacterSet
    assert {element.keyword: element.value for element in match} == {
        "QueryRetrieveLevel": "SERIES",
        "RetrieveAETitle": AET,
        "Modality": "CR",
        "SeriesInstanceUID": "1.2.826.77.2.1",
        "PerformedStationName": "",
    }


@needs_dcmtk
def test_dcmtk_gets_a_study(served: Adapter, tmp_path: Path) -> None:
    keys = ("-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=1.2.826.77.1")
    got = dcmtk("getscu", "-S", *titles(), *address(served), "-od", str(tmp_path), *keys)
    assert got.returncode == 0, got.stderr
    files = [pydicom.dcmread(file) for file in tmp_path.iterdir()]
    assert sorted(one.InstanceNumber for one in files) == [1, 2, 3, 4]
    assert {bytes(one.PixelData) for one in files} == {bytes(range(64))}


@needs_dcmtk
def test_dcmtk_moves_a_series(served: Adapter, peer: tuple[int, list[Dataset]]) -> None:
    peer[1].clear()
    keys = [
        part
        for key in (
            "QueryRetrieveLevel=SERIES",
            "StudyInstanceUID=1.2.826.77.1",
            "SeriesInstanceUID=1.2.826.77.1.2",
        )
        for part in ("-k", key)
    ]
    moved = dcmtk("movescu", "-S", *titles(), "-aem", PEER, *address(served), *keys)
    assert moved.returncode == 0, moved.stderr
    assert sorted(one.SOPInstanceUID for one in peer[1]) == [
        "1.2.826.77.1.2.1",
        "1.2.826.77.1.2.3",
    ]


@pytest.mark.parametrize(
    ("to", "study", "status", "comment"),
    [
        ("NOWHERE", "1.2.826.77.1", 0xA801, "NOWHERE is not in the AET dictionary"),
        ("CLOSED", "1.2.826.77.1", 0xA801, "no association with CLOSED could be opened"),
        (PEER, "", 0xA900, "StudyInstanceUID is required at STUDY level"),
    ],
)
def test_refused_moves_have_their_reason(
    served: Adapter, to: str, study: str, status: int, comment: str
) -> None:
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = study
    with association(served, build_context(STUDY_ROOT[1])) as opened:
        [(answer, _)] = list(opened.send_c_move(identifier, to, STUDY_ROOT[1]))
    assert (answer.Status, answer.ErrorComment) == (status, comment)


def test_compressed_instances_are_decoded_for_a_peer_that_needs_it(
    served: Adapter, emulator: ServerInfo, store: str, peer: tuple[int, list[Dataset]]
) -> None:
    dataset = pydicom.dcmread(str(pydicom.data.get_testdata_file("SC_rgb_jpeg_dcmtk.dcm")))
    dataset.StudyInstanceUID = "1.2.826.77.9"
    syntax = dataset.file_meta.TransferSyntaxUID
    assert syntax == JPEGBaseline8Bit
    with association(served, build_context(SECONDARY_CAPTURE, syntax)) as opened:
        assert opened.send_c_store(dataset).Status == 0
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = "1.2.826.77.9"
    peer[1].clear()
    with association(served, build_context(STUDY_ROOT[1])) as opened:
        *_, (answer, _) = opened.send_c_move(identifier, PEER, STUDY_ROOT[1])
    assert answer.Status == 0
    assert not peer[1][0].file_meta.TransferSyntaxUID.is_compressed

    as_stored: list[Dataset] = []

    def keep(event: evt.Event) -> int:
        as_stored.append(event.file_meta)
        return 0

    contexts = build_context(STUDY_ROOT[2]), build_context(SECONDARY_CAPTURE, syntax)
    roles = [build_role(SECONDARY_CAPTURE, scp_role=True)]
    handlers = [(evt.EVT_C_STORE, keep)]
    with association(served, *contexts, ext_neg=roles, evt_handlers=handlers) as opened:
        *_, (answer, _) = opened.send_c_get(identifier, STUDY_ROOT[2])
    assert answer.Status == 0
    assert [meta.TransferSyntaxUID for meta in as_stored] == [syntax]


def test_refused_instances_have_their_reason(served: Adapter) -> None:
    other = pydicom.dcmread(io.BytesIO(instance("1", 1, PatientName="Changed")))
    large = pydicom.dcmread(io.BytesIO(instance("1", 7)))
    large.PixelData = bytes(200_000)
    nameless = pydicom.dcmread(io.BytesIO(instance("1", 8)))
    del nameless.StudyInstanceUID
    with association(served, build_context(SECONDARY_CAPTURE)) as opened:
        answers = [opened.send_c_store(one) for one in (other, large, nameless)]
    assert [answer.Status for answer in answers] == [0x0111, 0xA700, 0xC000]
    comments = [answer.ErrorComment for answer in answers]
    assert comments[0].startswith("already exists")
    assert comments[1].endswith("the limit is 100000")
    assert "StudyInstanceUID" in comments[2]


@pytest.mark.parametrize("held", ["dictionary", "association"])
def test_commitment_is_answered_from_the_store(
    served: Adapter, peer: tuple[int, list[Dataset]], held: str
) -> None:
    request = Dataset()
    request.TransactionUID = generate_uid()
    request.ReferencedSOPSequence = []
    for uid in ("1.2.826.77.1.2.1", "1.2.826.77.404"):
        item = Dataset()
        item.ReferencedSOPClassUID = SECONDARY_CAPTURE
        item.ReferencedSOPInstanceUID = uid
        request.ReferencedSOPSequence.append(item)
    peer[1].clear()
    here: list[Dataset] = []

    def keep(event: evt.Event) -> tuple[int, None]:
        result = event.event_information
        result.EventTypeID = event.event_type
        here.append(result)
        return 0, None

    calling = PEER if held == "dictionary" else "OTHER"
    handlers = [(evt.EVT_N_EVENT_REPORT, keep)]
    context = build_context(STORAGE_COMMITMENT)
    with association(served, context, calling=calling, evt_handlers=handlers) as opened:
        answer, _ = opened.send_n_action(
            request, 1, STORAGE_COMMITMENT, STORAGE_COMMITMENT_INSTANCE
        )
        assert answer.Status == 0
        got = peer[1] if held == "dictionary" else here
        wait_until(lambda: got, "no result of the commitment")
    [result] = got
    assert (result.TransactionUID, result.EventTypeID) == (request.TransactionUID, 2)
    [kept], [failed] = result.ReferencedSOPSequence, result.FailedSOPSequence
    assert kept.ReferencedSOPInstanceUID == "1.2.826.77.1.2.1"
    assert (failed.ReferencedSOPInstanceUID, failed.FailureReason) == ("1.2.826.77.404", 0x0112)


@pytest.mark.parametrize(
    ("calling", "called", "diagnostic", "reason"),
    [
        ("STRANGER", AET, 3, "its title is not one of --calling-aet"),
        (PEER, "WRONG", 7, f"it called WRONG, and this is {AET}"),
    ],
)
def test_titles_that_are_not_known_are_rejected(
    served: Adapter, calling: str, called: str, diagnostic: int, reason: str
) -> None:
    asked = {"message": "association rejected", "peer": calling, "reason": reason}
    before = len(served.entries(**asked))
    context = build_context(VERIFICATION)
    with association(served, context, calling=calling, called=called) as refused:
        assert refused.is_rejected
        assert refused.acceptor.primitive
        assert refused.acceptor.primitive.diagnostic == diagnostic
    served.wait_for(number=before + 1, **asked)


def test_bytes_that_are_not_dicom_end_the_connection(served: Adapter) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 10) as client:
        host, port = client.getsockname()
        client.sendall(b"GET / HTTP/1.1\r\n\r\n")
        rest = b""
        while chunk := client.recv(100):
            rest += chunk
    assert rest[:1] == b"\x07"  # A-ABORT
    address = f"{host}:{port}"
    served.wait_for("the connection does not speak DICOM", address=address)


def is_admitted(running: Adapter) -> bool:
    with association(running, build_context(VERIFICATION)) as opened:
        return opened.is_established


def test_health_checks_leave_their_place_to_associations(served: Adapter) -> None:
    """Before the time-out of a request, until which pynetdicom would count their connections."""
    for _ in range(MAX_ASSOCIATIONS + 1):
        socket.create_connection(("127.0.0.1", served.port), 10).close()
    wait_until(
        lambda: is_admitted(served), "no association is admitted", server.ACSE_TIMEOUT_SECONDS / 2
    )


def test_verification_needs_no_other_context(served: Adapter) -> None:
    with association(served, build_context(VERIFICATION)) as opened:
        assert opened.send_c_echo().Status == 0


def test_more_associations_than_the_limit_are_rejected(served: Adapter) -> None:
    entity = AE(ae_title=PEER)
    contexts = [build_context(VERIFICATION)]
    opened = [
        entity.associate("127.0.0.1", served.port, contexts=contexts, ae_title=AET)
        for _ in range(MAX_ASSOCIATIONS + 1)
    ]
    established = [one for one in opened if one.is_established]
    rejected = [one for one in opened if one.is_rejected]
    for one in established:
        one.release()
    assert len(established) <= MAX_ASSOCIATIONS
    assert opened[-1] in rejected
    assert len(established) + len(rejected) == len(opened)
    wait_until(lambda: is_admitted(served), "none is admitted after the others have ended")
