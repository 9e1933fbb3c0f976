"""Finding the engine, and the order of the ways to obtain one."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from engine import download, gobuild, pulumi_cli
from engine.errors import EngineError
from engine.versions import MINIMUM_PULUMI, PULUMI

Command = Callable[..., Path]


def official(command: Command, version: str = PULUMI) -> Path:
    """An engine as its archive unpacks: the language host is beside it."""
    command("pulumi-language-python", "exit 0")
    return command("pulumi", f'test "$1" = version && echo v{version}')


def puts(folder: Path, obtained: list[str], name: str) -> None:
    """The behaviour of a way to obtain the engine."""
    obtained.append(name)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/pulumi").write_text("#!/bin/sh\n")
    (folder / "bin/pulumi").chmod(0o755)


@pytest.fixture
def obtained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways that were gone; each of them works."""
    obtained: list[str] = []
    monkeypatch.setattr(download, "install", lambda d, _: puts(d, obtained, "download"))
    monkeypatch.setattr(gobuild, "install", lambda d, _, __: puts(d, obtained, "go-build"))
    return obtained


def fails(message: str) -> Callable[..., None]:
    def install(*_: Any) -> None:
        raise EngineError(message)

    return install


def test_an_engine_on_path_is_used(command: Command, path: str, obtained: list[str]) -> None:
    pulumi = official(command, "3.300.1")
    found = pulumi_cli.obtain(print, path)
    assert found == pulumi_cli.EngineInfo("v3.300.1", "path", pulumi.parent)
    assert obtained == []


def test_the_oldest_engine_that_works_is_used(command: Command, path: str) -> None:
    official(command, MINIMUM_PULUMI)
    found = pulumi_cli.find(path)
    assert found is not None
    assert found.version == f"v{MINIMUM_PULUMI}"


def test_the_host_may_be_elsewhere_on_path(command: Command, path: str, tmp_path: Path) -> None:
    command("pulumi", f"echo v{PULUMI}")
    command("pulumi-language-python", "exit 0", folder="other")
    found = pulumi_cli.find(f"{path}:{tmp_path / 'other'}")
    assert found is not None
    assert found.source == "path"


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("echo v3.100.0", f"it is 3.100.0, and {MINIMUM_PULUMI} or newer is needed"),
        (f"echo v{PULUMI}", "it has no pulumi-language-python beside it or on PATH"),
        ("echo hello", "`pulumi version` fails"),
        ("exit 1", "`pulumi version` fails"),
    ],
)
def test_an_engine_that_does_not_do_is_passed_over_and_named(
    command: Command, path: str, obtained: list[str], script: str, why: str
) -> None:
    pulumi = command("pulumi", script)
    messages: list[str] = []
    assert pulumi_cli.obtain(messages.append, path).source == "download"
    assert messages[0] == f"{pulumi} is not used: {why}"


def test_the_kept_engine_is_used_again(kept: Path, path: str, obtained: list[str]) -> None:
    info = pulumi_cli.EngineInfo(f"v{PULUMI}", "go-build", kept / "bin")
    assert pulumi_cli.find(path) == info
    assert pulumi_cli.obtain(print, path) == info
    assert obtained == []


@pytest.mark.parametrize(("source", "whole_is_used"), [("download", True), ("go-build", False)])
def test_a_build_with_patches_comes_before_one_without(
    cache: Path, kept: Path, command: Command, path: str, source: str, whole_is_used: bool
) -> None:
    (kept / "engine.json").write_text(json.dumps({"source": source}))
    built = cache / f"{PULUMI}-{gobuild.digest()}"
    command("pulumi", f"echo v{PULUMI}", folder=str((built / "bin").resolve()))
    (built / "engine.json").write_text('{"source": "go-build"}')
    found = pulumi_cli.find(path)
    assert found is not None
    assert found.path == (kept if whole_is_used else built) / "bin"


def test_the_kept_engine_on_path_keeps_its_source(kept: Path, command: Command) -> None:
    command("pulumi-language-python", "exit 0", folder=str(kept / "bin"))
    found = pulumi_cli.find(str(kept / "bin"))
    assert found is not None
    assert found.source == "go-build"


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"source": "elsewhere"}'])
def test_a_broken_record_is_no_engine(kept: Path, path: str, record: str) -> None:
    (kept / "engine.json").write_text(record)
    assert pulumi_cli.find(path) is None


def test_a_kept_folder_without_its_command_is_no_engine(kept: Path, path: str) -> None:
    (kept / "bin/pulumi").unlink()
    assert pulumi_cli.find(path) is None


def test_the_download_comes_before_the_build(cache: Path, path: str, obtained: list[str]) -> None:
    found = pulumi_cli.obtain(print, path)
    assert found == pulumi_cli.EngineInfo(f"v{PULUMI}", "download", cache / PULUMI / "bin")
    assert obtained == ["download"]
    assert json.loads((cache / PULUMI / "engine.json").read_text()) == {"source": "download"}


def test_the_build_comes_when_the_download_fails(
    cache: Path, path: str, obtained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "install", fails("no network"))
    found = pulumi_cli.obtain(print, path)
    folder = cache / f"{PULUMI}-{gobuild.digest()}"
    assert found == pulumi_cli.EngineInfo(f"v{PULUMI}", "go-build", folder / "bin")
    assert pulumi_cli.obtain(print, path) == found
    assert obtained == ["go-build"]


def test_a_build_with_other_patches_is_not_used(
    path: str, obtained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "install", fails("no network"))
    first = pulumi_cli.obtain(print, path)
    monkeypatch.setattr(gobuild, "digest", lambda: "other")
    assert pulumi_cli.find(path) is None
    second = pulumi_cli.obtain(print, path)
    assert second.path != first.path
    assert obtained == ["go-build", "go-build"]
    assert first.path.exists(), "another clone may use it"


def test_no_engine_and_no_go(cache: Path, path: str) -> None:
    with pytest.raises(EngineError) as failure:
        pulumi_cli.obtain(print, path)
    message = str(failure.value)
    assert message.startswith("There is no Pulumi engine on PATH, and none could be obtained:")
    assert "  - the official download is out of reach (get.pulumi.com)" in message
    assert "  - it can't be built from source: there is no Go on PATH; none could be " in message
    assert message.endswith(
        "Install Pulumi (https://www.pulumi.com/docs/install/), or Go 1.26 or newer "
        "(https://go.dev/dl/), and try again."
    )
    assert [file.name for file in cache.iterdir()] == [f"{PULUMI}.lock"]


def test_a_partial_engine_is_never_installed(
    cache: Path, path: str, obtained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path, *_: Any) -> None:
        puts(folder, obtained, "half")
        assert [file.name for file in cache.iterdir() if (file / "engine.json").exists()] == []
        assert folder.name == f"{PULUMI}.draft"
        raise KeyboardInterrupt

    monkeypatch.setattr(gobuild, "install", interrupted)
    monkeypatch.setattr(download, "install", fails("no network"))
    with pytest.raises(KeyboardInterrupt):
        pulumi_cli.obtain(print, path)
    assert pulumi_cli.find(path) is None
    monkeypatch.setattr(gobuild, "install", lambda d, _, __: puts(d, obtained, "whole"))
    assert pulumi_cli.obtain(print, path).source == "go-build"
    assert obtained == ["half", "whole"]
    assert {file.name for file in cache.iterdir()} == {
        f"{PULUMI}-{gobuild.digest()}",
        f"{PULUMI}.lock",
    }


def test_two_at_once_obtain_one(cache: Path, path: str, obtained: list[str]) -> None:
    messages: list[str] = []
    waiting = threading.Event()

    def report(text: str) -> None:
        messages.append(text)
        waiting.set()

    cache.mkdir()
    with FileLock(cache / f"{PULUMI}.lock"):
        second = threading.Thread(target=pulumi_cli.obtain, args=(report, path))
        second.start()
        assert waiting.wait(10)
        # What the first process does meanwhile:
        puts(cache / PULUMI, obtained, "first")
        (cache / PULUMI / "engine.json").write_text('{"source": "go-build"}')
    second.join(10)
    assert not second.is_alive()
    assert obtained == ["first"]
    assert messages == ["another process is obtaining the engine: waiting for it ..."]
