"""Compute Engine in process; its instances are processes, of a program that takes no time."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.services.compute.running import health
from emulator.services.compute.service import API
from tests.support.compute_requests import PROJECT, Json, Send, sender, url

PROGRAM = '''
"""Answers each connection with its arguments, its greeting, a count that it keeps, the client."""
import os, pathlib, socket, sys
port, spool = int(sys.argv[1]), pathlib.Path(sys.argv[2])
server = socket.create_server((os.environ["HOST"], port))
print("listening", flush=True)
while True:
    connection, client = server.accept()
    word = connection.recv(100)
    if word == b"key":
        connection.sendall(os.environ["GOOGLE_APPLICATION_CREDENTIALS"].encode() or b"none")
    elif word == b"count":
        file = spool / "count"
        number = int(file.read_text()) + 1 if file.exists() else 1
        file.write_text(str(number))
        greeting = os.environ.get("GREETING", "")
        connection.sendall(f"{greeting} {number} {client[0]} {os.getpid()}".encode())
    connection.close()
'''


@pytest.fixture
def begin(
    open_cloud: Callable[..., Cloud], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Cloud]:
    """Opens the state as each start of the emulator does; `program` is an image that runs."""
    monkeypatch.setattr(health, "UNSETTLED_SECONDS", 0.02)
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)

    def begin() -> Cloud:
        cloud = open_cloud(images={"program": str(program)})
        cloud.service_usage.services.enable(PROJECT, [API])
        return cloud

    return begin


@pytest.fixture
def compute_client(begin: Callable[[], Cloud]) -> Iterator[TestClient]:
    with TestClient(create_app(begin()), "http://127.0.0.1") as client:
        yield client


@pytest.fixture
def send(compute_client: TestClient) -> Send:
    """Sends a request about the project, which has to succeed."""
    return sender(compute_client)


@pytest.fixture
def refused(compute_client: TestClient) -> Callable[..., Json]:
    """Sends a request that is refused; returns the error."""

    def refused(method: str, path: str, body: Json | None = None) -> Json:
        answer = compute_client.request(method, url(path), json=body)
        assert answer.status_code >= 400, answer.text
        error: Json = answer.json()["error"]
        assert error["code"] == answer.status_code
        return error

    return refused
