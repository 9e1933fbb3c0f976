"""Finding the engine, and the order of the ways to obtain one."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from engine import cli, download, gobuild
from engine.errors import EngineError
from engine.versions import MINIMUM_PULUMI, PULUMI

Command = Callable[..., Path]


def official(command: Command, version: str = PULUMI) -> Path:
    """An engine as its archive unpacks: the language host is beside it."""
    command("pulumi-language-python", "exit 0")
    return command("pulumi", f'test "$1" = version && echo v{version}')


def puts(folder: Path, made: list[str], name: str) -> None:
    """What a way to obtain the engine does."""
    made.append(name)
    (folder / "bin").mkdir(parents=True)
    (folder / "bin/pulumi").write_text("#!/bin/sh\n")
    (folder / "bin/pulumi").chmod(0o755)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ways that were gone; each of them works."""
    made: list[str] = []
    monkeypatch.setattr(download, "install", lambda d, _: puts(d, made, "download"))
    monkeypatch.setattr(gobuild, "install", lambda d, _, __: puts(d, made, "go-build"))
    return made


def fails(message: str) -> Callable[..., None]:
    def install(*_: Any) -> None:
        raise EngineError(message)

    return install


def test_an_engine_on_path_is_used(command: Command, path: str, made: list[str]) -> None:
    pulumi = official(command, "3.300.1")
    found = cli.obtain(print, path)
    assert found == cli.EngineInfo("v3.300.1", "path", pulumi.parent)
    assert made == []


def test_the_oldest_engine_that_works_is_used(command: Command, path: str) -> None:
    official(command, MINIMUM_PULUMI)
    found = cli.find(path)
    assert found is not None
    assert found.version == f"v{MINIMUM_PULUMI}"


def test_the_host_may_be_elsewhere_on_path(command: Command, path: str, tmp_path: Path) -> None:
    command("pulumi", f"echo v{PULUMI}")
    command("pulumi-language-python", "exit 0", folder="other")
    found = cli.find(f"{path}:{tmp_path / 'other'}")
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
    command: Command, path: str, made: list[str], script: str, why: str
) -> None:
    pulumi = command("pulumi", script)
    said: list[str] = []
    assert cli.obtain(said.append, path).source == "download"
    assert said[0] == f"{pulumi} is not used: {why}"


def test_the_kept_engine_is_used_again(kept: Path, path: str, made: list[str]) -> None:
    info = cli.EngineInfo(f"v{PULUMI}", "go-build", kept / "bin")
    assert cli.find(path) == info
    assert cli.obtain(print, path) == info
    assert made == []


def test_the_kept_engine_on_path_keeps_its_source(kept: Path, command: Command) -> None:
    command("pulumi-language-python", "exit 0", folder=str(kept / "bin"))
    found = cli.find(str(kept / "bin"))
    assert found is not None
    assert found.source == "go-build"


@pytest.mark.parametrize("record", ["", "[]", "{}", '{"source": "elsewhere"}'])
def test_a_broken_record_is_no_engine(kept: Path, path: str, record: str) -> None:
    (kept / "engine.json").write_text(record)
    assert cli.find(path) is None


def test_a_kept_folder_without_its_command_is_no_engine(kept: Path, path: str) -> None:
    (kept / "bin/pulumi").unlink()
    assert cli.find(path) is None


def test_the_download_comes_before_the_build(cache: Path, path: str, made: list[str]) -> None:
    found = cli.obtain(print, path)
    assert found == cli.EngineInfo(f"v{PULUMI}", "download", cache / PULUMI / "bin")
    assert made == ["download"]
    assert json.loads((cache / PULUMI / "engine.json").read_text()) == {"source": "download"}


def test_the_build_comes_when_the_download_fails(
    path: str, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(download, "install", fails("no network"))
    assert cli.obtain(print, path).source == "go-build"
    assert made == ["go-build"]


def test_no_engine_and_no_go(cache: Path, path: str) -> None:
    with pytest.raises(EngineError) as failure:
        cli.obtain(print, path)
    message = str(failure.value)
    assert message.startswith("There is no Pulumi engine on PATH, and none could be obtained:")
    assert "  - the official download is out of reach (get.pulumi.com)" in message
    assert "  - it can't be built from source: there is no Go on PATH; none could be " in message
    assert message.endswith(
        "Install Pulumi (https://www.pulumi.com/docs/install/), or Go 1.26 or newer "
        "(https://go.dev/dl/), and try again."
    )
    assert [file.name for file in cache.iterdir()] == [f"{PULUMI}.lock"]


def test_what_is_half_done_is_never_in_place(
    cache: Path, path: str, made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(folder: Path, *_: Any) -> None:
        puts(folder, made, "half")
        assert not (cache / PULUMI).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr(gobuild, "install", interrupted)
    monkeypatch.setattr(download, "install", fails("no network"))
    with pytest.raises(KeyboardInterrupt):
        cli.obtain(print, path)
    assert cli.find(path) is None
    monkeypatch.setattr(gobuild, "install", lambda d, _, __: puts(d, made, "whole"))
    assert cli.obtain(print, path).source == "go-build"
    assert made == ["half", "whole"]
    assert {file.name for file in cache.iterdir()} == {PULUMI, f"{PULUMI}.lock"}


def test_two_at_once_obtain_one(cache: Path, path: str, made: list[str]) -> None:
    said: list[str] = []
    waiting = threading.Event()

    def report(text: str) -> None:
        said.append(text)
        waiting.set()

    cache.mkdir()
    with FileLock(cache / f"{PULUMI}.lock"):
        second = threading.Thread(target=cli.obtain, args=(report, path))
        second.start()
        assert waiting.wait(10)
        # What the first process does meanwhile:
        puts(cache / PULUMI, made, "first")
        (cache / PULUMI / "engine.json").write_text('{"source": "go-build"}')
    second.join(10)
    assert not second.is_alive()
    assert made == ["first"]
    assert said == ["another process is obtaining the engine: waiting for it ..."]
