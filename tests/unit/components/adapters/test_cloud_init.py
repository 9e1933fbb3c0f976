"""The cloud-init text of an instance, parsed by what will parse it there."""

import configparser
import json
import shlex
import subprocess
from typing import Any

import pytest
import yaml

from components.adapters.cloud_init import SPOOL_DEVICE, Container, user_data

IMAGE = "europe-west4-docker.pkg.dev/my-project/adapters/dimse-adapter:1"
UNIT = "/etc/systemd/system/adapter.service"
MOUNT = "/etc/adapter/mount-spool"
ENVIRONMENT = "/etc/adapter/environment"


def written(container: Container) -> tuple[dict[str, str], dict[str, Any]]:
    """The contents of the files by path, and the whole text."""
    text = user_data(container, "dimse-ct")
    assert text.startswith("#cloud-config\n")
    body: dict[str, Any] = yaml.safe_load(text)
    assert {(item["owner"], item["permissions"]) for item in body["write_files"]} == {
        ("root", "0600")
    }
    return {item["path"]: item["content"] for item in body["write_files"]}, body


def lines(unit: str, key: str) -> list[str]:
    """The values of a key that a section may have several times."""
    found = [line.partition("=") for line in unit.replace("\\\n", "").splitlines()]
    return [value for name, _, value in found if name == key]


def words(line: str) -> list[str]:
    """The words of a command line as systemd reads them."""
    return [word.replace("$$", "$").replace("%%", "%") for word in shlex.split(line)]


def test_the_unit_starts_the_container_and_keeps_it_running() -> None:
    files, body = written(Container(IMAGE, ["--aet", "A"], 11_112, spool=True))
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.read_string(files[UNIT].replace("\\\n", ""))
    assert unit["Unit"]["Description"] == "dimse-ct"
    assert unit["Service"]["Restart"] == "always"
    assert int(unit["Service"]["TimeoutStopSec"]) > 60
    [start] = lines(files[UNIT], "ExecStart")
    assert words(start) == [
        "/usr/bin/docker",
        "run",
        "--rm",
        "--name=adapter",
        "--publish=11112:11112",
        "--volume=/mnt/disks/spool:/spool",
        IMAGE,
        "--aet",
        "A",
    ]
    assert lines(files[UNIT], "ExecStartPre") == [
        "/bin/mkdir -p /home/adapter",
        "-/usr/bin/docker rm --force adapter",
        "/usr/bin/docker-credential-gcr configure-docker --registries=europe-west4-docker.pkg.dev",
        f"/usr/bin/docker pull {IMAGE}",
        f"/bin/sh {MOUNT}",
    ]
    assert body["runcmd"] == ["systemctl daemon-reload", "systemctl start adapter.service"]


def test_the_disk_of_the_spool_is_formatted_only_if_it_is_empty() -> None:
    files, _ = written(Container(IMAGE, [], 104, spool=True))
    script = files[MOUNT]
    subprocess.run(["sh", "-n"], input=script, text=True, check=True)
    assert f"google-{SPOOL_DEVICE}\n" in script
    assert "2) mkfs.ext4" in script
    assert script.index("fsck.ext4") < script.index("\nmount ")


def test_without_a_spool_there_is_no_disk() -> None:
    files, _ = written(Container(IMAGE, [], 2575))
    assert list(files) == [UNIT]
    assert "spool" not in files[UNIT]


def test_the_environment_is_a_file_whose_lines_docker_takes_as_they_are() -> None:
    entries = json.dumps([{"name": "PACS $1", "host": "h", "port": 104}])
    files, _ = written(Container(IMAGE, [], 104, {"ENV_AETS_JSON": entries}))
    [line] = files[ENVIRONMENT].splitlines()
    assert json.loads(line.removeprefix("ENV_AETS_JSON=")) == json.loads(entries)
    assert f"--env-file={ENVIRONMENT}" in files[UNIT]


@pytest.mark.parametrize("word", ["CT 1", "100%", "$HOME", "A'B", 'A"B', "a;b", "%n", "ok-1_2.3"])
def test_arguments_reach_the_container_as_they_are(word: str) -> None:
    files, _ = written(Container(IMAGE, ["--calling-aet", word], 104))
    [start] = lines(files[UNIT], "ExecStart")
    assert words(start)[-2:] == ["--calling-aet", word]


def test_an_image_of_another_registry_needs_no_credentials() -> None:
    files, _ = written(Container("registry.example/adapters/dimse:1", [], 104))
    assert "credential" not in files[UNIT]
