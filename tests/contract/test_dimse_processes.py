"""The DIMSE adapter's spool, TLS, outgoing side and errors, each with processes of its own."""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.uid import ExplicitVRLittleEndian
from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.presentation import build_context

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.certificates import Authority
from tests.support.dicom_files import make_dicom
from tests.support.dimse_adapter import AET, adapter
from tests.support.waiting import wait_until
from workloads.common.spool import SpoolError
from workloads.common.subscription import SubscriptionError
from workloads.common.tls import TlsError
from workloads.dimse.errors import UsageError
from workloads.dimse.run import Options, run
from workloads.dimse.sop_classes import VERIFICATION

pytestmark = pytest.mark.sockets
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
PEER = "ARCHIVE"


def dataset(number: int, **elements: Any) -> pydicom.Dataset:
    """An instance with a number, of a study that all share."""
    content = make_dicom(
        pixels=np.full((4, 4), number % 256, dtype=np.uint8),
        **{"PatientID": "P7", "SOPInstanceUID": f"1.2.3.4.{number}", **elements},
    )
    return pydicom.dcmread(pydicom.filebase.DicomBytesIO(content))


@pytest.fixture
def store(emulator: ServerInfo, project: str) -> str:
    """An empty store that publishes to the topic `t`."""
    api = f"{emulator.url}/v1/projects/{project}"
    parent = f"{api}/locations/us-central1/datasets"
    http.put(f"{api}/topics/topic").raise_for_status()
    http.post(parent, params={"datasetId": "d"}, json={}).raise_for_status()
    body = {"notificationConfigs": [{"pubsubTopic": f"projects/{project}/topics/topic"}]}
    answer = http.post(f"{parent}/d/dicomStores", params={"dicomStoreId": "s"}, json=body)
    return str(answer.raise_for_status().json()["name"])


def stored(emulator: ServerInfo, store: str) -> set[str]:
    answer = http.get(f"{emulator.url}/v1/{store}/dicomWeb/instances", params={"limit": "5000"})
    return {one["00080018"]["Value"][0] for one in (answer.json() if answer.content else [])}


def associate(running: Adapter, uid: str, **more: Any) -> Association:
    entity = AE(ae_title="MODALITY")
    contexts = [build_context(uid, ExplicitVRLittleEndian)]
    return entity.associate("127.0.0.1", running.port, contexts=contexts, ae_title=AET, **more)


def send(running: Adapter, *numbers: int) -> set[str]:
    """Send instances; return the UIDs of those that were acknowledged."""
    opened = associate(running, SECONDARY_CAPTURE)
    acknowledged = set()
    for number in numbers:
        one = dataset(number)
        if opened.is_established and opened.send_c_store(one).get("Status") == 0:
            acknowledged.add(str(one.SOPInstanceUID))
    if opened.is_established:
        opened.release()
    return acknowledged


def test_what_was_acknowledged_survives_a_crash(
    emulator: ServerInfo, store: str, tmp_path: Path
) -> None:
    spool = f"--spool={tmp_path / 'spool'}"
    # Nothing listens on the discard port: the store is unavailable.
    unreachable = emulator.environment() | {
        "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": "http://127.0.0.1:9/v1/"
    }
    with adapter(store, spool, environment=unreachable) as running:
        acknowledged = send(running, 1, 2, 3)
        running.wait_for("delivery failed")
        running.kill()
    with adapter(store, spool, environment=emulator.environment()) as running:
        acknowledged |= send(running, 4)
        wait_until(lambda: stored(emulator, store) >= acknowledged, "instances are missing")
        changed = dataset(1, PatientID="Q8")
        opened = associate(running, SECONDARY_CAPTURE)
        assert opened.send_c_store(changed).Status == 0
        mislabeled = dataset(5)
        del mislabeled.StudyInstanceUID
        assert opened.send_c_store(mislabeled).ErrorComment == "StudyInstanceUID is missing"
        opened.release()
        assert running.wait_for("dead letter")["instance"] == "1.2.3.4.1"
        running.stop()
    counters = running.counters
    assert len(acknowledged) == 4
    assert (counters["spooled"], counters["delivered"], counters["dead_letters"]) == (2, 4, 1)
    [report] = (tmp_path / "spool" / "dead").glob("*.json")
    assert json.loads(report.read_text())["reason"].startswith("already exists")
    assert "Q8" not in str(running.lines)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


def test_tls_with_certificates_of_both_sides(
    emulator: ServerInfo, store: str, authority: Authority, tmp_path: Path
) -> None:
    own = authority.sign("adapter")
    options = (
        f"--tls-certificate={own.certificate}",
        f"--tls-key={own.key}",
        f"--tls-ca={authority.certificate}",
    )
    known, stranger = authority.sign("peer"), Authority(tmp_path).sign("stranger")
    with adapter(store, *options, environment=emulator.environment()) as running:
        silent = associate_by_socket(running)
        trusting = ssl.create_default_context(cafile=str(authority.certificate))
        trusting.load_cert_chain(known.certificate, known.key)
        opened = associate(running, VERIFICATION, tls_args=(trusting, "127.0.0.1"))
        assert opened.send_c_echo().Status == 0
        opened.release()
        other = ssl.create_default_context(cafile=str(authority.certificate))
        other.load_cert_chain(stranger.certificate, stranger.key)
        assert not associate(running, VERIFICATION, tls_args=(other, "127.0.0.1")).is_established
        running.wait_for("TLS failed", reason="CERTIFICATE_VERIFY_FAILED")
        assert not associate(running, VERIFICATION).is_established
        running.wait_for("TLS failed", 2)
        silent.close()
        running.stop()


def associate_by_socket(running: Adapter) -> Any:
    """A client that connects and sends nothing: it must not keep others from it."""
    import socket

    return socket.create_connection(("127.0.0.1", running.port))


@pytest.fixture
def archive() -> Iterator[tuple[int, list[str], list[int]]]:
    """A peer that keeps the UIDs of what it gets, and answers with the statuses of a list."""
    got: list[str] = []
    statuses: list[int] = []

    def keep(event: evt.Event) -> int:
        status = statuses.pop(0) if statuses else 0
        if status == 0:
            got.append(str(event.dataset.SOPInstanceUID))
        return status

    entity = AE(ae_title=PEER)
    entity.add_supported_context(SECONDARY_CAPTURE)
    handlers: Any = [(evt.EVT_C_STORE, keep)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server
    yield server.server_address[1], got, statuses
    entity.shutdown()


def test_notified_instances_are_sent_to_the_peer(
    emulator: ServerInfo,
    project: str,
    store: str,
    archive: tuple[int, list[str], list[int]],
    tmp_path: Path,
) -> None:
    port, got, statuses = archive
    api = f"{emulator.url}/v1/projects/{project}"
    body = {"topic": f"projects/{project}/topics/topic"}
    http.put(f"{api}/subscriptions/sub", json=body).raise_for_status()
    policy: dict[str, Any] = {"policy": {"bindings": [publisher(emulator, project)]}}
    http.post(f"{api}/topics/topic:setIamPolicy", json=policy).raise_for_status()
    web = f"{emulator.url}/v1/{store}/dicomWeb/studies"
    unsupported = "1.2.840.10008.5.1.4.1.1.2"  # CT, which the peer does not take
    classes = {3: unsupported}
    peer = [{"name": PEER, "host": "127.0.0.1", "port": port}]
    # Unavailable, then refused permanently, then taken.
    statuses += [0xA700, 0xC000]
    with adapter(
        store,
        "--outgoing",
        f"--subscription=projects/{project}/subscriptions/sub",
        f"--peer={PEER}",
        f"--aet-dictionary-inline={json.dumps(peer)}",
        f"--spool={tmp_path / 'spool'}",
        "--delivery-threads=1",
        environment=emulator.environment(),
    ) as running:
        running.wait_for("receiving notifications")
        for number in (1, 2, 3):
            post(web, number, SOPClassUID=classes.get(number, SECONDARY_CAPTURE))
        wait_until(lambda: got, "the peer gets no instance")
        http.delete(f"{web}/1.2.3/series/1.2.3.4/instances/1.2.3.4.2").raise_for_status()
        gone = f"{store}/dicomWeb/studies/1.2.3/series/1.2.3.4/instances/1.2.3.4.404"
        message = {"messages": [{"data": base64.b64encode(gone.encode()).decode()}]}
        http.post(f"{api}/topics/topic:publish", json=message).raise_for_status()
        running.wait_for("instance is no longer in the store")
        running.wait_for("dead letter", 2)
        running.stop()
    counters = running.counters
    assert got == ["1.2.3.4.2"]
    assert (counters["notifications"], counters["skipped_notifications"]) == (5, 1)
    assert (counters["sent"], counters["gone"], counters["dead_letters"]) == (1, 1, 2)
    reasons = [json.loads(one.read_text()) for one in (tmp_path / "spool/dead").glob("*.json")]
    assert {one["attributes"]["instance"]: one["reason"] for one in reasons} == {
        "1.2.3.4.1": "the peer answers C000",
        "1.2.3.4.3": f"{PEER} does not accept the SOP class {unsupported}",
    }


def publisher(emulator: ServerInfo, project: str) -> dict[str, Any]:
    number = http.get(f"{emulator.url}/v1/projects/{project}").json()["projectNumber"]
    agent = f"serviceAccount:service-{number}@gcp-sa-healthcare.iam.gserviceaccount.com"
    return {"role": "roles/pubsub.publisher", "members": [agent]}


def post(web: str, number: int, **elements: Any) -> None:
    content = make_dicom(
        pixels=np.zeros((4, 4), dtype=np.uint8), SOPInstanceUID=f"1.2.3.4.{number}", **elements
    )
    body = b"--b\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n--b--\r\n"
    headers = {"Content-Type": 'multipart/related; type="application/dicom"; boundary=b'}
    http.post(web, content=body, headers=headers).raise_for_status()


def options(store: str, **changed: Any) -> Options:
    defaults: dict[str, Any] = {
        "aet": AET,
        "dicomweb_store": store,
        "port": 0,
        "host": "127.0.0.1",
        "aet_dictionary": None,
        "aet_dictionary_inline": "",
        "calling_aets": [],
        "sop_classes": [],
        "spool": None,
        "delivery_threads": 1,
        "max_associations": 2,
        "max_instance_bytes": 1000,
        "tls_certificate": None,
        "tls_key": None,
        "tls_ca": None,
        "outgoing": False,
        "subscription": "",
        "peer": "",
        "counters_seconds": 60,
    }
    return Options(**defaults | changed)


def test_options_that_do_not_work_have_a_clear_error(
    emulator: ServerInfo, project: str, store: str, authority: Authority, tmp_path: Path
) -> None:
    port = emulator.ports.api
    own, other = authority.sign("one"), authority.sign("other")
    broken = tmp_path / "broken.pem"
    broken.write_text("no certificate")
    dictionary = tmp_path / "aets.json"
    dictionary.write_text(json.dumps([{"name": PEER, "host": "h", "Port": 1}]))
    used = tmp_path / "file"
    used.touch()
    one = json.dumps([{"name": PEER, "host": "h", "port": 1}])
    sending = {
        "outgoing": True,
        "peer": PEER,
        "aet_dictionary_inline": one,
        "spool": tmp_path / "s",
    }
    cases: list[tuple[dict[str, Any], str]] = [
        ({"port": port}, f"can't listen on 127.0.0.1:{port}: Address already in use"),
        ({"dicomweb_store": store + "x"}, "does not exist"),
        ({"dicomweb_store": "s"}, "'s' is not a valid DICOM store"),
        ({"aet": "A" * 17}, "is not a valid AE title"),
        ({"calling_aets": ["A\\B"]}, "is not a valid AE title"),
        ({"aet_dictionary": dictionary}, "entry 1 has the unknown key 'Port'"),
        ({"aet_dictionary": tmp_path / "no"}, "can't be read: No such file or directory"),
        ({"tls_certificate": broken}, "needs both --tls-certificate and --tls-key"),
        (
            {"tls_certificate": broken, "tls_key": broken},
            f"{broken} and {broken} can't be used for TLS",
        ),
        (
            {"tls_certificate": own.certificate, "tls_key": other.key},
            "can't be used for TLS: key values mismatch",
        ),
        (
            {"tls_ca": tmp_path / "no.pem"},
            f"{tmp_path / 'no.pem'} can't be used for TLS: No such file",
        ),
        ({"spool": used}, "can't be used as a spool"),
        ({**sending, "peer": "OTHER"}, "--peer 'OTHER' is not in the AET dictionary. It has: ARCH"),
        ({**sending, "subscription": "s"}, "'s' is not a valid subscription"),
        (
            {**sending, "subscription": f"projects/{project}/subscriptions/none"},
            "subscriptions/none can't be used: 404",
        ),
    ]
    for changed, message in cases:
        with pytest.raises((UsageError, SpoolError, SubscriptionError, TlsError)) as caught:
            run(options(store, **changed), threading.Event())
        assert message in str(caught.value), changed


def test_the_command_ends_with_a_usage_error(emulator: ServerInfo, store: str) -> None:
    with adapter(store + "x", environment=emulator.environment()) as running:
        assert f"The DICOM store {store}x does not exist" in running.wait_for_error(2)
