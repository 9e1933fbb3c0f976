"""The environment of a container's process."""

from pathlib import Path

import pytest

from emulator.services.containers.environment import environment, mapped
from emulator.services.containers.models import Container, Logs

LOGS = Logs("global", {}, "out", "err")
ENDPOINTS = {
    "GOOGLE_PUBSUB_CUSTOM_ENDPOINT": "http://127.0.0.1:1/v1/",
    "GOOGLE_OAUTH_ACCESS_TOKEN": "local",
    "GOOGLE_APPLICATION_CREDENTIALS": "/owner.json",
    "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": "/token",
    "GOOGLE_CLOUD_PROJECT": "local-project",
}


def container(**fields: object) -> Container:
    return Container("c", "p1", "image", LOGS, **fields)  # type: ignore[arg-type]


def test_a_container_with_an_account_has_no_credentials_of_the_owner(tmp_path: Path) -> None:
    found = environment(container(), ENDPOINTS, tmp_path, tmp_path / "key.json")
    assert found["GOOGLE_PUBSUB_CUSTOM_ENDPOINT"] == "http://127.0.0.1:1/v1/"
    assert found["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "key.json")
    assert "GOOGLE_OAUTH_ACCESS_TOKEN" not in found
    assert "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE" not in found
    assert found["GOOGLE_CLOUD_PROJECT"] == "p1"


def test_a_container_without_an_account_is_the_owner(tmp_path: Path) -> None:
    found = environment(container(), ENDPOINTS, tmp_path, None)
    assert found["GOOGLE_OAUTH_ACCESS_TOKEN"] == "local"
    assert found["GOOGLE_APPLICATION_CREDENTIALS"] == "/owner.json"


def test_variables_of_the_emulator_are_not_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PASSWORD_OF_THE_USER", "secret")
    found = environment(container(environment={"PORT": "8080"}), {}, tmp_path, None)
    assert "PASSWORD_OF_THE_USER" not in found
    assert found["PORT"] == "8080"
    assert found["HOME"] == str(tmp_path)


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/spool", "/state/a"),
        ("/spool/x", "/state/a/x"),
        ("--spool=/spool", "--spool=/state/a"),
        ("--spool=/spool/x", "--spool=/state/a/x"),
        ("/spool/deep/x", "/state/b/x"),
        ("/spooler", "/spooler"),
        ("/other=/spool", "/other=/state/a"),
        ("projects/p", "projects/p"),
    ],
)
def test_the_paths_of_volumes_become_folders(word: str, expected: str) -> None:
    volumes = {"/spool": Path("/state/a"), "/spool/deep": Path("/state/b")}
    assert mapped(word, volumes) == expected
