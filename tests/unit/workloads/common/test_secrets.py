"""Certificates and keys that are versions of secrets, and errors where they can't be read."""

import base64
import ssl
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from json import dumps
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from tests.support.certificates import Authority
from workloads.common import google, secrets, tls
from workloads.common.secrets import SecretError
from workloads.common.tls import TlsError

NAME = "projects/p/secrets/key/versions/1"
Answer = tuple[int, Any]


class SecretManager:
    """Answers `:access` by name, and keeps what was asked for."""

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.asked: list[tuple[str, str]] = []
        parent = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                name = self.path.removeprefix("/v1/").removesuffix(":access")
                parent.asked.append((name, self.headers["Authorization"]))
                answers = parent.answers.get(name, [(404, {"error": {"status": "NOT_FOUND"}})])
                status, body = answers.pop(0) if len(answers) > 1 else answers[0]
                content = body if isinstance(body, bytes) else dumps(body).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def keep(self, name: str, content: bytes) -> Path:
        """Keep a version, and return its name as an option has it."""
        self.answers[name] = [(200, {"payload": {"data": base64.b64encode(content).decode()}})]
        return Path(name)


@pytest.fixture
def manager(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretManager]:
    """A Secret Manager at the endpoint of the environment."""
    manager = SecretManager()
    thread = Thread(target=manager.server.serve_forever, args=(0.01,))
    thread.start()
    root = f"http://127.0.0.1:{manager.server.server_port}/v1/"
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", root)
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")
    yield manager
    manager.server.shutdown()
    thread.join()
    manager.server.server_close()


def test_a_version_is_read_with_the_account_of_the_workload(manager: SecretManager) -> None:
    assert secrets.read(manager.keep(NAME, b"\x00key")) == b"\x00key"
    assert manager.asked == [(NAME, "Bearer token")]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (NAME, True),
        ("projects/p/secrets/key/versions/latest", True),
        ("projects/p/locations/europe-west4/secrets/key/versions/1", True),
        ("projects/p/secrets/key", False),
        ("/projects/p/secrets/key/versions/1", False),
        ("key.pem", False),
    ],
)
def test_names_of_versions(name: str, expected: bool) -> None:
    assert secrets.is_version(Path(name)) is expected


def test_secrets_of_a_location_have_an_endpoint_of_their_own() -> None:
    assert google.secret_manager_root(None) == "https://secretmanager.googleapis.com/"
    regional = google.secret_manager_root("europe-west4")
    assert regional == "https://secretmanager.europe-west4.rep.googleapis.com/"


def refused(code: int, status: str, message: str = "", **more: Any) -> Answer:
    return code, {"error": {"code": code, "status": status, "message": message, **more}}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            refused(403, "PERMISSION_DENIED"),
            "the account of this workload may not. Grant it roles/secretmanager.secretAccessor on"
            " projects/p/secrets/key.",
        ),
        (
            refused(403, "PERMISSION_DENIED", details=[{"reason": "SERVICE_DISABLED"}]),
            "the Secret Manager API is not enabled. Run `gcloud services enable"
            " secretmanager.googleapis.com --project=p`.",
        ),
        (
            refused(404, "NOT_FOUND"),
            "it does not exist. Name a version that projects/p/secrets/key has.",
        ),
        (
            refused(400, "FAILED_PRECONDITION"),
            "it is disabled or destroyed. Enable it, or add a version and name that one.",
        ),
        (refused(400, "INVALID_ARGUMENT", "No"), "Secret Manager answers 400 No."),
        ((418, b"tea"), "Secret Manager answers 418."),
    ],
)
def test_a_version_that_can_not_be_read(manager: SecretManager, answer: Answer, words: str) -> None:
    manager.answers[NAME] = [answer]
    with pytest.raises(SecretError) as error:
        secrets.read(Path(NAME))
    assert str(error.value) == f"{NAME} can't be read: {words}"
    assert len(manager.asked) == 1


def test_a_failure_that_passes_is_retried(
    manager: SecretManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secrets, "BACKOFF_SECONDS", 0)
    version = manager.keep(NAME, b"key")
    manager.answers[NAME].insert(0, (503, b""))
    assert secrets.read(version) == b"key"
    manager.answers[NAME] = [(503, b"")]
    manager.asked.clear()
    with pytest.raises(SecretError, match="Secret Manager answers 503"):
        secrets.read(version)
    assert len(manager.asked) == secrets.ATTEMPTS


def test_no_answer_is_an_error(monkeypatch: pytest.MonkeyPatch, manager: SecretManager) -> None:
    monkeypatch.setattr(secrets, "BACKOFF_SECONDS", 0)
    monkeypatch.setenv("GOOGLE_SECRET_MANAGER_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1/")
    with pytest.raises(SecretError, match="can't be read: ConnectionError"):
        secrets.read(Path(NAME))


@pytest.fixture
def kept(manager: SecretManager, tmp_path: Path) -> Callable[[str], tuple[Path, Path, Path]]:
    """A function that keeps a certificate, its key and its authority, and returns their names."""
    authority = Authority(tmp_path)

    def keep(name: str) -> tuple[Path, Path, Path]:
        pair = authority.sign(name)
        files = {"crt": pair.certificate, "key": pair.key, "ca": authority.certificate}
        crt, key, ca = (
            manager.keep(f"projects/p/secrets/{name}-{part}/versions/1", file.read_bytes())
            for part, file in files.items()
        )
        return crt, key, ca

    return keep


def test_contexts_of_secrets_speak_tls(kept: Callable[[str], tuple[Path, Path, Path]]) -> None:
    certificate, key, authority = kept("server")
    server = tls.server_context(certificate, key, authority)
    client = tls.client_context(authority, *kept("client")[:2])
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = (
        client.wrap_bio(to_client, to_server, server_hostname="localhost"),
        server.wrap_bio(to_server, to_client, server_side=True),
    )
    done: set[ssl.SSLObject] = set()
    for _ in range(4):
        for side in sides:
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
            done.add(side)
    assert done == {*sides}
    shown = sides[1].getpeercert()
    assert shown is not None
    assert shown["subject"] == ((("commonName", "client"),),)


def test_no_file_of_a_key_is_left(
    kept: Callable[[str], tuple[Path, Path, Path]],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    certificate, key, _ = kept("server")
    folder = tmp_path / "memory"
    folder.mkdir()
    monkeypatch.setattr(tls, "_MEMORY", folder)
    tls.server_context(certificate, key, None)
    assert list(folder.iterdir()) == []


def test_contents_that_do_not_fit_are_named_by_their_secrets(
    manager: SecretManager, kept: Callable[[str], tuple[Path, Path, Path]]
) -> None:
    certificate, _, authority = kept("server")
    other = kept("other")[1]
    with pytest.raises(TlsError, match=f"{certificate} and {other} can't be used for TLS: key val"):
        tls.server_context(certificate, other, authority)
    wrong = manager.keep("projects/p/secrets/wrong/versions/1", b"no certificate")
    with pytest.raises(TlsError, match=f"{wrong} can't be used for TLS"):
        tls.client_context(wrong)
