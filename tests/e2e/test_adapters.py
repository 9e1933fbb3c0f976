"""A stack with adapters of both protocols: peers speak with them, and messages go to peers.

The local Google Cloud enforces IAM, so that the accounts of the adapters have their roles alone.
"""

import base64
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import generate_uid
from pynetdicom import AE, evt

from tests.support.certificates import Authority
from tests.support.hl7v2_messages import admission
from tests.support.labs import Lab, Stack
from tests.support.mllp import FakePeer
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

PROJECT = "local-adapters"
DATASET = f"projects/{PROJECT}/locations/us-central1/datasets/dataset1"
VERIFICATION, CT = "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2"
RANGES = ["10.20.0.0/16"]


@dataclass(frozen=True)
class Hospital:
    """A stack with adapters, and the peers beside it.

    Attributes:
        stack: that is up
        outputs: of the stack
        archive: UIDs of the instances that the archive has got
        his: takes messages of the store
        authority: signed the certificate of the MLLP adapter
    """

    stack: Stack
    outputs: dict[str, Any]
    archive: list[str]
    his: FakePeer
    authority: Authority

    def address(self, key: str, name: str) -> tuple[str, int]:
        """Where the adapter listens."""
        adapter = self.outputs[key][name]
        return adapter["address"], int(adapter["port"])


@pytest.fixture(scope="module")
def lab(enforcing_lab: Lab) -> Lab:
    return enforcing_lab


@pytest.fixture(scope="module")
def archive() -> Iterator[tuple[int, list[str]]]:
    """An archive that takes CT images: its port, and the UIDs that it has got."""
    got: list[str] = []

    def keep(event: evt.Event) -> int:
        got.append(str(event.dataset.SOPInstanceUID))
        return 0

    entity = AE(ae_title="ARCHIVE")
    entity.add_supported_context(CT)
    handlers: Any = [(evt.EVT_C_STORE, keep)]
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers)
    assert server
    yield server.server_address[1], got
    entity.shutdown()


@pytest.fixture(scope="module")
def hospital(
    lab: Lab, archive: tuple[int, list[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Hospital]:
    port, got = archive
    authority = Authority(tmp_path_factory.mktemp("certificates"))
    with FakePeer() as his:
        stack = lab.stack(PROJECT, **settings(port, his.port))
        files = authority.sign("adapter")
        for name, file in {"certificate": files.certificate, "key": files.key}.items():
            keep_secret(lab, name, file)
        stack.up()
        yield Hospital(stack, stack.outputs(), got, his, authority)


def settings(archive: int, his: int) -> dict[str, Any]:
    secret = f"projects/{PROJECT}/secrets/{{}}/versions/1"
    return {
        "topics": [{"name": "images"}, {"name": "orders"}],
        "dicomStores": [{"name": "ct", "notificationConfig": {"pubsubTopic": "images"}}],
        "hl7v2Stores": [{"name": "adt", "notificationConfigs": [{"pubsubTopic": "orders"}]}],
        "adapterRepository": {"name": "adapters"},
        "dimseAdapters": [
            {
                "name": "ct",
                "dicomStore": "ct",
                "aet": "ADAPTER",
                "sourceRanges": RANGES,
                "callingAets": ["CT1"],
                "aets": [{"name": "ARCHIVE", "host": "127.0.0.1", "port": archive}],
                "outgoing": {"topic": "images", "peer": "ARCHIVE"},
            }
        ],
        "mllpAdapters": [
            {
                "name": "adt",
                "hl7v2Store": "adt",
                "sourceRanges": RANGES,
                "tls": {"certificate": secret.format("certificate"), "key": secret.format("key")},
                "outgoing": {"topic": "orders", "peer": f"127.0.0.1:{his}"},
            }
        ],
    }


def keep_secret(lab: Lab, name: str, file: Path) -> None:
    """Make a secret with one version, as an administrator does before the first deployment."""
    project = f"v1/projects/{PROJECT}"
    lab.call("POST", f"{project}/services/secretmanager.googleapis.com:enable", {})
    lab.call("POST", f"{project}/secrets?secretId={name}", {"replication": {"automatic": {}}})
    payload = {"payload": {"data": base64.b64encode(file.read_bytes()).decode()}}
    lab.call("POST", f"{project}/secrets/{name}:addVersion", payload)


def test_an_image_of_a_modality_reaches_the_store_and_the_archive(hospital: Hospital) -> None:
    image = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")))
    image.SOPInstanceUID = image.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    entity = AE(ae_title="CT1")
    entity.add_requested_context(VERIFICATION)
    entity.add_requested_context(CT, image.file_meta.TransferSyntaxUID)
    host, port = hospital.address("dimseAdapters", "ct")
    association = entity.associate(host, port, ae_title="ADAPTER")
    assert association.is_established
    assert association.send_c_echo().Status == 0
    assert association.send_c_store(image).Status == 0
    association.release()
    wait_until(
        lambda: str(image.SOPInstanceUID) in hospital.archive,
        "the archive does not get the image",
        PATIENCE_SECONDS,
    )
    unknown = AE(ae_title="OTHER")
    unknown.add_requested_context(VERIFICATION)
    assert not unknown.associate(host, port, ae_title="ADAPTER").is_established


def test_a_message_is_stored_by_tls_and_sent_on(hospital: Hospital) -> None:
    context = ssl.create_default_context(cafile=str(hospital.authority.certificate))
    context.check_hostname = False  # the address is the load balancer's, of no certificate
    address = hospital.address("mllpAdapters", "adt")
    message = admission("e2e")
    with (
        socket.create_connection(address, PATIENCE_SECONDS) as plain,
        context.wrap_socket(plain) as connection,
    ):
        connection.sendall(b"\x0b" + message + b"\x1c\r")
        answer = b""
        while not answer.endswith(b"\x1c\r"):
            answer += connection.recv(4096)
    assert b"\rMSA|AA|" in answer
    wait_until(
        lambda: message in hospital.his.received, "the peer gets no message", PATIENCE_SECONDS
    )
    listed = hospital.stack.lab.call("GET", f"v1/{DATASET}/hl7V2Stores/adt/messages")
    assert len(listed["hl7V2Messages"]) == 1


def test_each_account_has_its_role_on_its_store_alone(hospital: Hospital) -> None:
    def members(resource: str) -> dict[str, list[str]]:
        policy = hospital.stack.lab.call("GET", f"v1/{resource}:getIamPolicy")
        return {binding["role"]: binding["members"] for binding in policy["bindings"]}

    def account(name: str) -> list[str]:
        return [f"serviceAccount:{name}@{PROJECT}.iam.gserviceaccount.com"]

    assert members(f"{DATASET}/dicomStores/ct") == {
        "roles/healthcare.dicomEditor": account("dimse-ct"),
        "roles/healthcare.dicomViewer": account("dimse-ct-out"),
    }
    assert members(f"{DATASET}/hl7V2Stores/adt") == {
        "roles/healthcare.hl7V2Ingest": account("mllp-adt"),
        "roles/healthcare.hl7V2Consumer": account("mllp-adt-out"),
    }
    project = hospital.stack.lab.call("POST", f"v1/projects/{PROJECT}:getIamPolicy", {})
    own = {
        binding["role"]
        for binding in project["bindings"]
        if set(binding["members"]) & {*account("dimse-ct"), *account("mllp-adt-out")}
    }
    assert own == {"roles/logging.logWriter"}


def test_a_second_up_changes_nothing(hospital: Hospital) -> None:
    assert hospital.stack.plan() == {}, hospital.stack.preview("--diff")


def test_a_teardown_leaves_nothing_and_ends_the_adapters(hospital: Hospital) -> None:
    addresses = [hospital.address("dimseAdapters", "ct"), hospital.address("mllpAdapters", "adt")]
    done: subprocess.CompletedProcess[str] = hospital.stack.lab.script(
        *("teardown", "--stack", hospital.stack.name, "--yes", "--keep-running"),
        *("--cwd", str(hospital.stack.lab.program)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing of the stack is left." in done.stdout + done.stderr
    assert "not checked" not in done.stdout
    spools = f"projects/{PROJECT}/regions/us-central1/instanceGroupManagers/dimse-ct"
    assert f"Deleted with the stack: disks of spools, with what no store has yet, of {spools}" in (
        " ".join((done.stdout + done.stderr).split())
    )
    for address in addresses:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(address, PATIENCE_SECONDS)
