"""The real gcp plugin wherever there is one, the stand-in only in the private PULUMI_HOME."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import download, gcp_plugin
from engine.gcp_plugin import BINARY, FOLDER
from engine.pulumi_cli import EngineInfo

Command = Callable[..., Path]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "lab/pulumi/home"


@pytest.fixture
def binary(home: Path) -> Path:
    """Where the engine looks for the plugin."""
    return home / "plugins" / FOLDER / BINARY


@pytest.fixture
def engine(command: Command) -> EngineInfo:
    """An engine that installs the plugin when asked to."""
    pulumi = command(
        "pulumi",
        f'echo "$@" >> "$0.asked"; mkdir -p "$PULUMI_HOME/plugins/{FOLDER}" && '
        f'echo downloaded > "$PULUMI_HOME/plugins/{FOLDER}/{BINARY}"',
        folder="engine",
    )
    return EngineInfo("v3.258.0", "go-build", pulumi.parent)


@pytest.fixture
def choose(home: Path, engine: EngineInfo, path: str) -> Callable[..., str]:
    def choose(**environment: str) -> str:
        return gcp_plugin.choose(
            home, engine, {"PATH": f"{path}:/usr/bin:/bin", **environment}, lambda _: None
        )

    return choose


def install(folder: Path) -> Path:
    """A real plugin, as the engine of a user unpacks it."""
    plugin = folder / "plugins" / FOLDER
    plugin.mkdir(parents=True)
    (plugin / BINARY).write_text("real")
    (plugin / "PulumiPlugin.yaml").write_text("runtime: go\n")
    return plugin


def test_offline_the_stand_in_is_put_into_the_private_home(
    choose: Callable[..., str], binary: Path, home: Path, tmp_path: Path
) -> None:
    assert choose() == "stand-in"
    assert os.access(binary, os.X_OK)
    assert f"exec {sys.executable} -P -m engine.standin" in binary.read_text()
    elsewhere = [file for file in tmp_path.rglob(BINARY) if not file.is_relative_to(home)]
    assert elsewhere == []


def test_the_stand_in_starts_from_any_folder(
    choose: Callable[..., str], binary: Path, tmp_path: Path
) -> None:
    choose()
    # An `engine` of the user's own must not be taken for ours.
    (tmp_path / "engine/standin").mkdir(parents=True, exist_ok=True)
    (tmp_path / "engine/standin/__main__.py").write_text("raise SystemExit('the wrong one')")
    process = subprocess.Popen(
        [binary], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
    finally:
        process.kill()
        process.communicate()


def test_a_plugin_on_path_comes_first(
    choose: Callable[..., str], binary: Path, command: Command
) -> None:
    assert choose() == "stand-in"
    command(BINARY, "exit 0")
    assert choose() == "real"
    assert not binary.exists(), "the stand-in would hide nothing, but must not stay"


def test_a_plugin_of_the_users_own_engine_is_used(
    choose: Callable[..., str], binary: Path, tmp_path: Path
) -> None:
    assert choose() == "stand-in"
    installed = install(tmp_path / "home/.pulumi")
    assert choose() == "real"
    assert binary.read_text() == "real"
    assert not binary.parent.is_symlink(), "the engine passes over a link to a folder"
    assert (binary.parent / "PulumiPlugin.yaml").exists()
    assert (installed / BINARY).read_text() == "real"


def test_a_plugin_in_the_users_pulumi_home_is_used(
    choose: Callable[..., str], binary: Path, tmp_path: Path
) -> None:
    install(tmp_path / "own")
    assert choose(PULUMI_HOME=str(tmp_path / "own")) == "real"
    assert binary.read_text() == "real"


def test_the_stand_in_replaces_a_deleted_plugin(
    choose: Callable[..., str], binary: Path, tmp_path: Path
) -> None:
    installed = install(tmp_path / "home/.pulumi")
    assert choose() == "real"
    (installed / BINARY).unlink()
    (installed / "PulumiPlugin.yaml").unlink()
    installed.rmdir()
    assert choose() == "stand-in"
    assert "engine.standin" in binary.read_text()


def test_a_plugin_that_is_still_unpacked_is_none(
    choose: Callable[..., str], tmp_path: Path
) -> None:
    installed = install(tmp_path / "home/.pulumi")
    installed.with_name(f"{FOLDER}.partial").touch()
    assert choose() == "stand-in"


def test_the_plugin_of_another_version_is_none(choose: Callable[..., str], tmp_path: Path) -> None:
    installed = install(tmp_path / "home/.pulumi")
    installed.rename(installed.with_name("resource-gcp-v9.0.0"))
    assert choose() == "stand-in"


def test_where_it_can_be_had_it_is_downloaded_once(
    choose: Callable[..., str],
    binary: Path,
    engine: EngineInfo,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert choose() == "stand-in"
    (binary.parents[1] / f"{FOLDER}.unreachable").unlink()
    monkeypatch.setattr(download, "reachable", lambda: True)
    assert choose() == "real"
    assert binary.read_text() == "downloaded\n"
    assert choose() == "real"
    asked = (engine.path / "pulumi.asked").read_text().splitlines()
    assert asked == ["plugin install resource gcp 10.2.0"]
    install(tmp_path / "home/.pulumi")
    assert choose() == "real"
    assert binary.read_text() == "downloaded\n"


def test_a_failed_download_is_not_tried_again_for_a_day(
    home: Path, command: Command, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = command("pulumi", 'echo x >> "$0.asked"; exit 1', folder="engine")
    asked = pulumi.with_name("pulumi.asked")
    monkeypatch.setattr(download, "reachable", lambda: True)
    engine, messages = EngineInfo("v3.258.0", "path", pulumi.parent), list[str]()
    for _ in range(2):
        assert gcp_plugin.choose(home, engine, {"PATH": path}, messages.append) == "stand-in"
    assert asked.read_text() == "x\n"
    assert "the gcp plugin can't be downloaded" in messages[1]
    yesterday = time.time() - gcp_plugin.TRY_AGAIN_SECONDS - 1
    os.utime(home / "plugins" / f"{FOLDER}.unreachable", (yesterday, yesterday))
    assert gcp_plugin.choose(home, engine, {"PATH": path}, messages.append) == "stand-in"
    assert asked.read_text() == "x\nx\n"
