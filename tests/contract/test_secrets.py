"""Secrets, repositories and service accounts under Google's client; certificates of an adapter."""

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import google_crc32c
import pytest
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.certificates import Authority
from tests.support.hl7v2_messages import admission
from tests.support.import_export import healthcare
from tests.support.mllp import exchange
from tests.support.waiting import wait_until
from workloads.common import tls
from workloads.mllp import acknowledgement

pytestmark = pytest.mark.sockets
APIS = ("secretmanager", "artifactregistry")
AUTOMATIC: dict[str, Any] = {"replication": {"automatic": {}}}


@pytest.fixture
def parent(emulator: ServerInfo, project: str) -> str:
    """The project, which has enabled the APIs."""
    for api in APIS:
        url = f"{emulator.url}/v1/projects/{project}/services/{api}.googleapis.com:enable"
        http.post(url, json={}).raise_for_status()
    return f"projects/{project}"


def client(emulator: ServerInfo, api: str) -> Any:
    options = {"api_endpoint": emulator.url}
    return build(api, "v1", client_options=options, static_discovery=True).projects()


@pytest.fixture
def secrets(emulator: ServerInfo) -> Any:
    return client(emulator, "secretmanager").secrets()


def add(secrets: Any, secret: str, content: bytes) -> str:
    """Add a version with its checksum; return its name."""
    data = base64.b64encode(content).decode()
    payload = {"data": data, "dataCrc32c": str(google_crc32c.value(content))}
    added = secrets.addVersion(parent=secret, body={"payload": payload}).execute()
    assert added["clientSpecifiedPayloadChecksum"] is True
    return str(added["name"])


def test_a_secret_and_its_versions(secrets: Any, parent: str) -> None:
    secret = secrets.create(parent=parent, secretId="tls", body=AUTOMATIC).execute()["name"]
    first, second = (add(secrets, secret, content) for content in (b"one", b"two"))
    versions = secrets.versions()
    accessed = versions.access(name=f"{parent}/secrets/tls/versions/latest").execute()
    assert (accessed["name"], base64.b64decode(accessed["payload"]["data"])) == (second, b"two")
    versions.disable(name=second, body={}).execute()
    with pytest.raises(HttpError, match=r"/versions/2\] is in DISABLED state"):
        versions.access(name=f"{secret}/versions/latest").execute()
    versions.destroy(name=second, body={}).execute()
    listed = versions.list(parent=secret, filter="state:ENABLED").execute()["versions"]
    assert [one["name"] for one in listed] == [first]
    secrets.delete(name=secret).execute()
    with pytest.raises(HttpError, match="not found"):
        versions.access(name=first).execute()


def test_a_repository_by_operations(emulator: ServerInfo, parent: str) -> None:
    locations = client(emulator, "artifactregistry").locations()
    repositories = locations.repositories()
    where = f"{parent}/locations/europe-west4"
    begun = repositories.create(parent=where, repositoryId="images", body={"format": "DOCKER"})

    def done(operation: Any) -> Any:
        call = locations.operations().get(name=operation["name"])
        wait_until(lambda: call.execute().get("done"), "the operation does not end")
        return call.execute()["response"]

    created = done(begun.execute())
    assert created["name"] == f"{where}/repositories/images"
    assert repositories.dockerImages().list(parent=created["name"]).execute() == {}
    done(repositories.delete(name=created["name"]).execute())
    assert repositories.list(parent=where).execute() == {}


def test_a_service_account_gets_a_role_on_a_secret_and_a_key(
    emulator: ServerInfo, secrets: Any, parent: str
) -> None:
    accounts = client(emulator, "iam").serviceAccounts()
    account = accounts.create(name=parent, body={"accountId": "adapter"}).execute()
    member = f"serviceAccount:{account['email']}"
    secret = secrets.create(parent=parent, secretId="tls", body=AUTOMATIC).execute()["name"]
    add(secrets, secret, b"key")
    binding = {"role": "roles/secretmanager.secretAccessor", "members": [member]}
    policy = {"policy": {"bindings": [binding]}}
    secrets.setIamPolicy(resource=secret, body=policy).execute()
    assert secrets.getIamPolicy(resource=secret).execute()["bindings"] == [binding]
    key = accounts.keys().create(name=account["name"], body={}).execute()
    file = json.loads(base64.b64decode(key["privateKeyData"]))
    assert file["client_email"] == account["email"]
    accounts.delete(name=account["name"]).execute()
    with pytest.raises(HttpError, match="Unknown service account"):
        accounts.get(name=account["name"]).execute()


@pytest.fixture
def store(emulator: ServerInfo, parent: str) -> str:
    """An HL7v2 store."""
    datasets = healthcare(emulator).projects().locations().datasets()
    where = f"{parent}/locations/us-central1"
    datasets.create(parent=where, datasetId="d", body={}).execute()
    body = {"parserConfig": {"version": "V2"}}
    created = datasets.hl7V2Stores().create(
        parent=f"{where}/datasets/d", hl7V2StoreId="hl7", body=body
    )
    return str(created.execute()["name"])


@pytest.fixture
def start(emulator: ServerInfo) -> Iterator[Callable[..., Adapter]]:
    """A function that starts the MLLP adapter, which is stopped at the end."""
    started: list[Adapter] = []

    def start(*arguments: str) -> Adapter:
        started.append(Adapter("workloads.mllp", *arguments, environment=emulator.environment()))
        return started[-1]

    yield start
    for adapter in started:
        adapter.kill()


def test_an_adapter_takes_its_certificate_from_secrets(
    secrets: Any, parent: str, store: str, start: Callable[..., Adapter], tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    pair = authority.sign("server")
    for id_, file in (("cert", pair.certificate), ("key", pair.key)):
        secrets.create(parent=parent, secretId=id_, body=AUTOMATIC).execute()
        add(secrets, f"{parent}/secrets/{id_}", file.read_bytes())
    options = [
        *("--port", "0", "--hl7v2-store", store),
        *("--tls-cert", f"{parent}/secrets/cert/versions/latest"),
        *("--tls-key", f"{parent}/secrets/key/versions/1"),
    ]
    adapter = start(*options)
    [answer] = exchange(
        adapter.port, [admission("1")], tls=tls.client_context(authority.certificate)
    )
    parsed = acknowledgement.parse(answer)
    assert parsed is not None
    assert parsed.code == "AA"
    adapter.stop()
    assert "BEGIN" not in str(adapter.lines)
    secrets.versions().disable(name=f"{parent}/secrets/key/versions/1", body={}).execute()
    message = start(*options).wait_for_error(1)
    assert f"{parent}/secrets/key/versions/1 can't be read: it is disabled or" in message
