"""Where a stack lives, and the environment that leads there."""

import base64
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from emulator.server import lifecycle
from emulator.server.errors import EmulatorError
from engine import gcp_plugin, pulumi_cli, stack_environment
from engine.errors import EngineError
from engine.loopback import is_loopback
from engine.pulumi_cli import EngineInfo
from engine.versions import HOST_PYTHON

ENGINE = EngineInfo("v3.258.0", "go-build", Path("/engines/bin"))
ENDPOINT = "http://127.0.0.1:1234/v1beta1/"


class FakeRunning:
    def environment(self) -> dict[str, str]:
        return {"GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": ENDPOINT}


@pytest.fixture(autouse=True)
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A separate lab with an engine; nothing is started."""
    folder = tmp_path / "lab"
    for name in list(os.environ):
        if name.startswith(("PULUMI_", "GOOGLE_", "BIGQUERY_", "STORAGE_", "PUBSUB_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LAB_DIR", str(folder))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    monkeypatch.setattr(pulumi_cli, "obtain", lambda report: ENGINE)
    return folder


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The state folders for which the local Google Cloud was started."""
    started: list[Path] = []

    def start(state: Path, *, report: Any) -> FakeRunning:
        started.append(state)
        return FakeRunning()

    monkeypatch.setattr(lifecycle, "start", start)
    return started


@pytest.mark.parametrize("stack", ["local", "local-", "local-test1"])
def test_local_stacks(stack: str) -> None:
    assert stack_environment.is_local(stack)


@pytest.mark.parametrize("stack", ["dev", "localhost", "Local", "my-local", "", "localx"])
def test_other_stacks(stack: str) -> None:
    assert not stack_environment.is_local(stack)


def test_the_environment_of_a_local_stack(lab: Path, started: list[Path]) -> None:
    prepared = stack_environment.prepare("local-a", print)
    assert started == [lab / "emulator"]
    assert prepared.engine == ENGINE
    assert prepared.gcp_plugin == "stand-in"
    assert prepared.environment == {
        "PATH": f"/engines/bin:{Path(sys.executable).parent}:/usr/bin:/bin",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        HOST_PYTHON: sys.executable,
        "LAB_DIR": str(lab),
        "PULUMI_HOME": str(lab / "pulumi/home"),
        "PULUMI_BACKEND_URL": f"file://{lab}/pulumi/state?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": "local",
        "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT": ENDPOINT,
    }
    assert (lab / "pulumi/state").is_dir()


def test_google_cloud_is_left_as_the_user_has_it(lab: Path, started: list[Path]) -> None:
    prepared = stack_environment.prepare("dev", print)
    assert prepared.gcp_plugin == "real"
    assert set(prepared.environment) == {"PATH", "PULUMI_SKIP_UPDATE_CHECK", HOST_PYTHON}
    assert started == []
    assert not lab.exists()


def test_preparing_twice_gives_the_same(
    started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = stack_environment.prepare("local", print).environment
    for name, value in first.items():
        monkeypatch.setenv(name, value)
    assert stack_environment.prepare("local", print).environment == first


def test_the_private_home_is_not_taken_for_the_users(
    lab: Path, started: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: dict[str, str] = {}

    def choose(home: Path, engine: Any, environment: dict[str, str], report: Any) -> str:
        given.update(environment)
        return "real"

    monkeypatch.setattr(gcp_plugin, "choose", choose)
    monkeypatch.setenv("PULUMI_HOME", str(lab / "pulumi/home"))
    stack_environment.prepare("local", print)
    assert "PULUMI_HOME" not in given
    monkeypatch.setenv("PULUMI_HOME", "/own")
    stack_environment.prepare("local", print)
    assert given["PULUMI_HOME"] == "/own"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", ENDPOINT),
        ("GOOGLE_STORAGE_CUSTOM_ENDPOINT", "http://localhost:1/storage/v1/"),
        ("GOOGLE_BIG_QUERY_CUSTOM_ENDPOINT", "http://[::1]:1/bigquery/v2/"),
        ("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:1"),
        ("STORAGE_EMULATOR_HOST", "127.0.0.2:1"),
        ("PUBSUB_EMULATOR_HOST", "localhost:8085"),
    ],
)
def test_a_real_stack_never_goes_to_local_endpoints(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(EngineError) as failure:
        stack_environment.prepare("dev", print)
    assert str(failure.value) == (
        f"Stack 'dev' is on Google Cloud, but {name}={value} belongs to the local one. Use a "
        "shell without the local Google Cloud's variables, or a stack named `local` or `local-...`."
    )


@pytest.mark.parametrize("name", ["PULUMI_HOME", "PULUMI_BACKEND_URL"])
def test_a_real_stack_never_sees_the_stand_in_or_local_state(
    started: list[Path], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, stack_environment.prepare("local", print).environment[name])
    with pytest.raises(EngineError, match=f"{name}=.* belongs to the local one"):
        stack_environment.prepare("dev", print)


def test_a_real_stack_may_have_other_endpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "https://private.example/v1/")
    monkeypatch.setenv("PULUMI_HOME", "/own")
    monkeypatch.setenv("PULUMI_BACKEND_URL", "gs://state")
    assert stack_environment.prepare("dev", print).gcp_plugin == "real"


def test_a_local_cloud_that_does_not_start_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def start(state: Path, *, report: Any) -> None:
        raise EmulatorError("port 8080 is in use")

    monkeypatch.setattr(lifecycle, "start", start)
    with pytest.raises(EngineError) as failure:
        stack_environment.prepare("local", print)
    assert str(failure.value) == "The local Google Cloud does not start: port 8080 is in use"


def test_leaving_stops_the_local_cloud_only(lab: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[Path] = []
    monkeypatch.setattr(lifecycle, "stop", stopped.append)
    stack_environment.stop("dev")
    assert stopped == []
    stack_environment.stop("local")
    assert stopped == [lab / "emulator"]


@pytest.mark.parametrize("address", ["", "http://", "nonsense", "http://10.0.0.1/", "[bad"])
def test_what_is_not_this_machine(address: str) -> None:
    assert not is_loopback(address)


def opens(salt: str, message: str, passphrase: str) -> str:
    """Decrypt as the engine's passphrase secrets do: PBKDF2 with SHA-256, AES-256-GCM."""
    key = hashlib.pbkdf2_hmac(
        "sha256", passphrase.encode(), base64.b64decode(salt), 1_000_000, dklen=32
    )
    _, nonce, text = message.split(":")
    return AESGCM(key).decrypt(base64.b64decode(nonce), base64.b64decode(text), None).decode()


def test_the_salt_of_the_local_stack_fits_its_passphrase() -> None:
    # Otherwise every `pulumi` on the stack would rewrite the file.
    file = stack_environment.ROOT / "Pulumi.local.yaml"
    lines = [line for line in file.read_text().splitlines() if line.startswith("encryptionsalt: ")]
    assert len(lines) == 1
    _, salt, message = lines[0].split("v1:", 2)
    assert opens(salt.strip(":"), f"v1:{message}", stack_environment.PASSPHRASE) == "pulumi"
