"""The texts that instances start with, and the command lines in them."""

import base64
import gzip

import pytest

from components.adapters.cloud_init import Container, user_data
from emulator.services.compute.running import cloud_init, docker_run
from emulator.services.compute.running.cloud_init import CloudInitError

HEAD = "#cloud-config\n"


def unit(text: str, start: str = "- systemctl start a.service") -> str:
    lines = "".join(f"    {line}\n" for line in text.splitlines())
    path = "/etc/systemd/system/a.service"
    return f"{HEAD}write_files:\n- path: {path}\n  content: |\n{lines}runcmd:\n{start}\n"


def commands(text: str) -> list[list[str]]:
    return [list(command.words) for command in cloud_init.parse(text).commands]


def test_the_text_of_the_components_is_understood() -> None:
    container = Container(
        image="registry.example/mllp-adapter:1",
        arguments=["--hl7v2-store", "projects/p/s", "--spool", "/spool", "50% $5"],
        port=2575,
        environment={"LEVEL": "info"},
        spool=True,
    )
    parsed = cloud_init.parse(user_data(container, "An adapter"))
    [command] = parsed.commands
    assert command.is_restarted
    run = docker_run.parse(command.words, parsed.files)
    assert run is not None
    assert run.image == container.image
    assert list(run.args) == list(container.arguments)
    assert run.environment == {"LEVEL": "info"}
    assert run.volumes == {"/spool": "/mnt/disks/spool"}
    assert run.ports == {2575: 2575}


@pytest.mark.parametrize(
    "start",
    [
        "- systemctl start a",
        "- [systemctl, start, a.service]",
        "- systemctl daemon-reload && systemctl enable --now a.service",
        "- systemctl restart b.service a.service",
    ],
)
def test_a_unit_runs_if_something_starts_it(start: str) -> None:
    assert commands(unit("[Service]\nExecStart=/bin/a", start)) == [["/bin/a"]]


def test_a_unit_that_nothing_starts_does_not_run() -> None:
    assert commands(unit("[Service]\nExecStart=/bin/a", "- systemctl daemon-reload")) == []


def test_units_have_variables_and_long_lines() -> None:
    text = (
        "[Service]\n# ExecStart=/bin/no\nEnvironment=A=1 'B=two words'\nEnvironment=C=3\n"
        'ExecStart=-/bin/a ${A} $C "${B}" \\\n  $$D %%i\nRestart=no'
    )
    [command] = cloud_init.parse(unit(text)).commands
    assert list(command.words) == ["/bin/a", "1", "3", "two words", "$D", "%i"]
    assert not command.is_restarted


def test_a_unit_reads_a_file_of_variables() -> None:
    text = unit("[Service]\nEnvironmentFile=-/etc/a.env\nExecStart=/bin/a ${A}")
    more = "- path: /etc/a.env\n  content: |\n    # a\n    A='x'\n"
    assert commands(text.replace("write_files:\n", f"write_files:\n{more}")) == [["/bin/a", "x"]]


def test_an_empty_option_drops_the_ones_before() -> None:
    assert commands(unit("[Service]\nExecStart=/bin/a\nExecStart=\nExecStart=/bin/b")) == [
        ["/bin/b"]
    ]


def test_contents_may_be_encoded() -> None:
    packed = base64.b64encode(gzip.compress(b"text")).decode()
    entry = f"write_files:\n- {{path: /a, encoding: gz+b64, content: {packed}}}\n"
    assert cloud_init.parse(HEAD + entry).files == {"/a": b"text"}
    with pytest.raises(CloudInitError, match="The content of /a is not valid"):
        cloud_init.parse(HEAD + entry.replace(packed, "aGVsbG8="))


def test_docker_may_run_without_a_unit() -> None:
    text = f"{HEAD}runcmd:\n- docker run -d --restart=always a b\n- [echo, x]\n"
    [command] = cloud_init.parse(text).commands
    run = docker_run.parse(command.words, {})
    assert run is not None
    assert (run.image, list(run.args), run.is_restarted) == ("a", ["b"], True)


@pytest.mark.parametrize(
    "text",
    [
        "mounts:\n- [/dev/disk/by-id/google-spool, /mnt/disks/s, ext4]\n",
        "bootcmd:\n- mount -o nosuid /dev/disk/by-id/google-spool /mnt/disks/s\n",
        "runcmd:\n- [mount, /dev/disk/by-id/scsi-0Google_PersistentDisk_spool, /mnt/disks/s]\n",
    ],
)
def test_mounted_disks(text: str) -> None:
    assert cloud_init.parse(HEAD + text).mounts == {"spool": "/mnt/disks/s"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "does not begin with #cloud-config"),
        (f"{HEAD}- a", "is not a mapping"),
        (f"{HEAD}a: [", "is not valid YAML"),
    ],
)
def test_a_text_that_is_not_valid(text: str, reason: str) -> None:
    with pytest.raises(CloudInitError, match=reason):
        cloud_init.parse(text)


def test_options_of_docker_run() -> None:
    words = (
        "/usr/bin/docker run --rm -it -e A=1 --env=B=2=3 -eC=4 --env-file /a.env --network host"
        " -p 127.0.0.1:80:8080/tcp -p 90:90 -v /host/:/inside/:ro"
        " --mount type=bind,source=/x,target=/y --entrypoint python -u 1000 image:1 --flag -e x"
    )
    run = docker_run.parse(words.split(), {"/a.env": b"F=file\n"})
    assert run is not None
    assert run.environment == {"A": "1", "B": "2=3", "C": "4", "F": "file"}
    assert run.ports == {80: 8080, 90: 90}
    assert run.volumes == {"/inside": "/host", "/y": "/x"}
    assert (run.image, list(run.entry_point)) == ("image:1", ["python"])
    assert list(run.args) == ["--flag", "-e", "x"]


@pytest.mark.parametrize("command", ["docker pull a", "echo run", "docker"])
def test_other_commands_run_nothing(command: str) -> None:
    assert docker_run.parse(command.split(), {}) is None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("docker run --rm", "names no image"),
        ("docker run -v", "has no value"),
        ("docker run -v /a image", "is not a volume"),
        ("docker run -p http image", "is not a port"),
        ("docker run --mount type=tmpfs,target=/a image", "is not a mount"),
    ],
)
def test_a_command_line_that_is_not_valid(command: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        docker_run.parse(command.split(), {})
