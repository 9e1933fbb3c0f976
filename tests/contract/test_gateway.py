"""The gateway before the emulator: who gets through, what comes back, and attacks."""

import io
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt
import pydicom
import pytest

from emulator.seed import dicom_file, records
from emulator.server.server_file import ServerInfo
from emulator.services.run.serving.iap.tokens import IapTokens, claims_of
from tests.support import http
from tests.support.adapters import Adapter
from tests.support.identity_provider import AUDIENCE, HEADER, IdentityProvider

pytestmark = pytest.mark.sockets

PROJECT = "gateway-project"
DATASET = f"projects/{PROJECT}/locations/us-central1/datasets/d"
OURS, OTHER, FHIR = (
    f"{DATASET}/dicomStores/s",
    f"{DATASET}/dicomStores/s2",
    f"{DATASET}/fhirStores/f",
)
ANA, BO = "ana@example.org", "bo@example.org"
ORIGIN = "https://viewer.example.org"
NAME = "Sorrel^Secret"
IDLE_SECONDS = 1
MAX_BODY_BYTES = 2 << 20
DICOM = {"Content-Type": "application/dicom"}


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    """An identity provider."""
    provider = IdentityProvider()
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def stores(emulator: ServerInfo) -> str:
    """Two DICOM stores and a FHIR store; the root of the API."""
    project = f"{emulator.url}/v1/projects/{PROJECT}"
    enabled = {"serviceIds": ["healthcare.googleapis.com"]}
    http.post(f"{project}/services:batchEnable", json=enabled).raise_for_status()
    datasets = f"{project}/locations/us-central1/datasets"
    http.post(f"{datasets}?datasetId=d", json={}).raise_for_status()
    for store in ("s", "s2"):
        http.post(f"{datasets}/d/dicomStores?dicomStoreId={store}", json={}).raise_for_status()
    body = {"version": "R4", "enableUpdateCreate": True}
    http.post(f"{datasets}/d/fhirStores?fhirStoreId=f", json=body).raise_for_status()
    return f"{emulator.url}/v1"


@pytest.fixture(scope="module")
def gateway(emulator: ServerInfo, stores: str, provider: IdentityProvider) -> Iterator[Adapter]:
    """A gateway to the first DICOM store, where Ana may write, and to the FHIR store."""
    settings = {
        "grants": [
            _grant(OURS, "dicomViewer", "domain:example.org"),
            _grant(OURS, "dicomEditor", f"user:{ANA}"),
            _grant(FHIR, "fhirResourceEditor", f"user:{ANA}"),
        ],
        "identity": {"iapAudience": AUDIENCE},
        "origins": [ORIGIN],
        "limits": {"idleSeconds": IDLE_SECONDS, "bodyBytes": MAX_BODY_BYTES},
    }
    environment = {
        **emulator.environment(),
        "GATEWAY_SETTINGS": json.dumps(settings),
        "IAP_KEYS_URL": provider.url,
    }
    running = Adapter("workloads.gateway", "--port", "0", environment=environment)
    yield running
    running.stop()


@pytest.fixture
def client(gateway: Adapter) -> Iterator[httpx.Client]:
    """A client without identity."""
    with httpx.Client(base_url=f"http://127.0.0.1:{gateway.port}/v1/", timeout=60) as client:
        yield client


def _grant(store: str, role: str, member: str) -> dict[str, Any]:
    return {"store": store, "role": f"roles/healthcare.{role}", "members": [member]}


def _file() -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(dicom_file.build(records.load()[0])))
    dataset.PatientName = NAME
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


def _exchange(port: int, *parts: bytes) -> bytes:
    """Send bytes as they are; return all that comes until the gateway closes the connection."""
    with socket.create_connection(("127.0.0.1", port), 30) as connection:
        out = b""
        try:
            for part in parts:
                connection.sendall(part)
            while chunk := connection.recv(65_536):
                out += chunk
        except ConnectionError:  # it closed the connection before it read everything
            pass
        return out


def test_images_go_in_and_come_back_as_they_are(
    gateway: Adapter, client: httpx.Client, provider: IdentityProvider, stores: str
) -> None:
    content = _file()
    uid = pydicom.dcmread(io.BytesIO(content)).StudyInstanceUID
    studies = f"{OURS}/dicomWeb/studies"
    stored = client.post(studies, content=content, headers=provider.headers(ANA) | DICOM)
    assert stored.status_code == 200
    # The address in the answer leads back through the gateway.
    assert f"http://127.0.0.1:{gateway.port}/v1/{studies}/{uid}" in stored.text
    assert "http://127.0.0.1" not in stored.text.replace(f"http://127.0.0.1:{gateway.port}/", "")

    headers = provider.headers(BO)
    found = client.get(studies, params={"PatientName": NAME}, headers=headers)
    direct_text = http.get(f"{stores}/{studies}").text
    assert found.json() == json.loads(direct_text.replace(stores, str(client.base_url)[:-1]))
    whole = client.get(f"{studies}/{uid}", headers=headers)
    direct = http.get(f"{stores}/{studies}/{uid}")
    assert (whole.status_code, len(whole.content)) == (200, len(direct.content))
    assert _file() in whole.content
    refused = client.delete(f"{studies}/{uid}", headers=headers)
    assert refused.status_code == 403
    assert refused.json()["error"] == {
        "code": 403,
        "message": f"{BO} may not write in {OURS}.",
        "status": "PERMISSION_DENIED",
    }

    line = gateway.wait_for("request", caller=BO, status=403)
    assert line["path"] == f"/v1/{studies}/{uid}"
    assert (line["method"], line["store"]) == ("DELETE", OURS)
    everything = json.dumps(gateway.lines)
    assert "Secret" not in everything
    assert headers[HEADER] not in everything


def test_the_links_of_pages_lead_back_through_the_gateway(
    client: httpx.Client, provider: IdentityProvider
) -> None:
    headers = provider.headers(ANA)
    for number in range(3):
        body = {"resourceType": "Patient", "id": f"p{number}"}
        put = client.put(f"{FHIR}/fhir/Patient/p{number}", json=body, headers=headers)
        assert put.headers["location"].startswith(
            f"{client.base_url}{FHIR}/fhir/Patient/p{number}/"
        )
    page = client.get(f"{FHIR}/fhir/Patient", params={"_count": 2}, headers=headers).json()
    seen = [entry["resource"]["id"] for entry in page["entry"]]
    links = {link["relation"]: link["url"] for link in page["link"]}
    assert links["next"].startswith(str(client.base_url))
    rest = client.get(links["next"], headers=headers).json()
    seen += [entry["resource"]["id"] for entry in rest["entry"]]
    assert sorted(seen) == ["p0", "p1", "p2"]


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"exp": int(time.time()) - 60}, "has expired"),
        ({"exp": None}, "not valid for this gateway"),
        ({"aud": "/projects/2/locations/us-central1/services/gateway"}, "not valid for this"),
        ({"iss": "https://accounts.google.com"}, "not valid for this gateway"),
        ({"iat": int(time.time()) + 86_400}, "not valid for this gateway"),
        ({"email": None}, "not valid for this gateway"),
        ({"email": ["a@b.c"]}, "no email address"),
        ({"kid": "two"}, "signed by none of the provider's keys"),
        ({"signer": IapTokens()}, "not valid for this gateway"),
    ],
)
def test_forged_and_expired_tokens_are_refused(
    client: httpx.Client, provider: IdentityProvider, claims: dict[str, Any], words: str
) -> None:
    token = provider.token(**{"email": ANA, **claims})
    answer = client.get(f"{OURS}/dicomWeb/studies", headers={HEADER: token})
    assert answer.status_code == 401
    assert words in answer.json()["error"]["message"]


def test_other_algorithms_and_other_headers_are_no_identity(
    client: httpx.Client, provider: IdentityProvider
) -> None:
    studies = f"{OURS}/dicomWeb/studies"
    claims, kid = claims_of(ANA, AUDIENCE), {"kid": provider.tokens.key_id}
    for token in (
        jwt.encode(claims, "", "none", kid),
        jwt.encode(claims, "of the attacker, and long enough for it", "HS256", kid),
        "x",
        "x" * 10_000,
        "",
    ):
        assert client.get(studies, headers={HEADER: token}).status_code == 401
    good = provider.token(ANA)
    for headers in (
        {"Authorization": f"Bearer {good}"},
        {"X-Goog-Authenticated-User-Email": f"accounts.google.com:{ANA}"},
        {"Cookie": f"GCP_IAAP_AUTH_TOKEN={good}"},
    ):
        assert client.get(studies, headers=headers).status_code == 401
    twice = [(HEADER, good), (HEADER, good)]
    assert client.get(studies, headers=twice).status_code == 401


def test_invented_key_ids_do_not_make_the_gateway_ask_for_keys(
    client: httpx.Client, provider: IdentityProvider
) -> None:
    client.get(f"{OURS}/dicomWeb/studies", headers=provider.headers(ANA))
    before = provider.fetches
    for number in range(20):
        token = provider.token(ANA, kid=f"invented-{number}")
        client.get(f"{OURS}/dicomWeb/studies", headers={HEADER: token})
    assert provider.fetches <= before + 1


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/{OTHER}/dicomWeb/studies",
        f"/v1/{OURS}/dicomWeb/../../s2/dicomWeb/studies",
        f"/v1/{OURS}/dicomWeb/..%2f..%2fs2/dicomWeb/studies",
        f"/v1/{OURS}/dicomWeb/%2e%2e/%2e%2e/s2/dicomWeb/studies",
        f"/v1/{OURS}/dicomWeb/studies/%00",
        f"/v1/{OURS}/dicomWeb/studies?access_token=x",
        f"/v1/{OURS}:getIamPolicy",
        f"/v1/{DATASET}",
        "/_emulator/state",
        "http://169.254.169.254/computeMetadata/v1/",
        "*",
    ],
)
def test_path_tricks_reach_nothing(gateway: Adapter, provider: IdentityProvider, path: str) -> None:
    head = f"GET {path} HTTP/1.1\r\nHost: gateway\r\n{HEADER}: {provider.token(ANA)}\r\n"
    answer = _exchange(gateway.port, f"{head}Connection: close\r\n\r\n".encode())
    assert answer.split(b" ", 2)[1] in {b"400", b"404"}
    assert b"dicomWeb/studies" not in answer


@pytest.mark.parametrize(
    "smuggled",
    [
        "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Transfer-Encoding: xchunked\r\n",
        "Transfer-Encoding : chunked\r\n",
        "Content-Length: -1\r\n",
        "Content-Type: application/dicom\r\nContent-Type: text/plain\r\nContent-Length: 1\r\n",
        "Content-Encoding: gzip\r\nContent-Length: 1\r\n",
        "X: y\r\n Content-Length: 5\r\n",
    ],
)
def test_smuggled_headers_are_refused(
    gateway: Adapter, provider: IdentityProvider, smuggled: str
) -> None:
    """No second request comes out of the body of the first."""
    head = (
        f"POST /v1/{OURS}/dicomWeb/studies HTTP/1.1\r\nHost: gateway\r\n"
        f"{HEADER}: {provider.token(ANA)}\r\n{smuggled}Connection: close\r\n\r\n"
    )
    second = f"GET /v1/{OURS}/dicomWeb/studies HTTP/1.1\r\nHost: gateway\r\n\r\n"
    answer = _exchange(gateway.port, head.encode(), b"0\r\n\r\n", second.encode())
    assert not answer or answer.startswith(b"HTTP/1.1 400")
    assert answer.count(b"HTTP/1.1 ") <= 1


def test_the_identity_of_a_caller_does_not_reach_the_api(
    client: httpx.Client, provider: IdentityProvider
) -> None:
    headers = {
        **provider.headers(BO),
        "Authorization": "Bearer of-the-caller",
        "X-HTTP-Method-Override": "DELETE",
        "X-Goog-User-Project": "other",
    }
    answer = client.get(f"{OURS}/dicomWeb/studies", headers=headers)
    assert answer.status_code in {200, 204}
    assert "of-the-caller" not in answer.text


def test_long_bodies_and_slow_ones_are_refused_and_store_nothing(
    gateway: Adapter, client: httpx.Client, provider: IdentityProvider, stores: str
) -> None:
    studies = f"{FHIR}/fhir/Binary"
    headers = provider.headers(ANA) | {"Content-Type": "application/fhir+json"}
    declared = client.post(studies, content=b"x" * (MAX_BODY_BYTES + 1), headers=headers)
    assert declared.status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 65_536

    assert client.post(studies, content=chunks(), headers=headers).status_code == 413
    head = (
        f"POST /v1/{studies} HTTP/1.1\r\nHost: gateway\r\n{HEADER}: {provider.token(ANA)}\r\n"
        "Content-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n"
    )
    assert b" 408 " in _exchange(gateway.port, head.encode(), b"{")
    assert http.get(f"{stores}/{studies}").json().get("entry", []) == []


def test_a_header_without_end_is_cut(gateway: Adapter) -> None:
    with socket.create_connection(("127.0.0.1", gateway.port), 30) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\n")
        try:
            for _ in range(200):
                connection.sendall(b"X: " + b"y" * 1_000 + b"\r\n")
            assert b"400" in connection.recv(1_000)
        except ConnectionError:
            pass


def test_pages_elsewhere_read_by_cors_alone_and_change_nothing(
    client: httpx.Client, provider: IdentityProvider
) -> None:
    studies = f"{OURS}/dicomWeb/studies"
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}
    allowed = client.options(studies, headers=asked)
    assert allowed.headers["access-control-allow-origin"] == ORIGIN
    other = client.options(studies, headers=asked | {"Origin": "https://evil.example"})
    assert (other.status_code, "access-control-allow-origin" in other.headers) == (400, False)
    forged = provider.headers(ANA) | {"Origin": "https://evil.example"} | DICOM
    assert client.post(studies, content=b"x", headers=forged).status_code == 403


def test_a_caller_that_sends_too_much_waits(
    emulator: ServerInfo, stores: str, provider: IdentityProvider
) -> None:
    settings = {
        "grants": [_grant(OURS, "dicomViewer", "allAuthenticatedUsers")],
        "identity": {"issuer": "https://idp", "audience": "gateway", "keysUrl": provider.url},
        "limits": {"requestsPerMinute": 2},
    }
    environment = {**emulator.environment(), "GATEWAY_SETTINGS": json.dumps(settings)}
    running = Adapter("workloads.gateway", "--port", "0", environment=environment)
    url = f"http://127.0.0.1:{running.port}/v1/{OURS}/dicomWeb/studies"
    good: dict[str, Any] = {"iss": "https://idp", "aud": "gateway", "email_verified": True}

    def code(**claims: Any) -> httpx.Response:
        token = provider.token(**good | claims)
        return httpx.get(url, headers={"Authorization": f"Bearer {token}"})

    answers = [code(email=ANA) for _ in range(3)]
    assert [answer.status_code for answer in answers][2] == 429
    assert int(answers[2].headers["retry-after"]) in range(1, 31)
    assert code(email=BO).status_code in {200, 204}
    assert code(email=BO, email_verified=False).status_code == 401
    assert httpx.get(url).headers["www-authenticate"] == "Bearer"
    running.stop()
