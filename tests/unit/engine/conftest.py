"""A user of one's own: an empty cache, an empty HOME, commands that are small shell scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import cli, download
from engine.versions import PULUMI

Command = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache of engines, empty; no network; no Go wheel; a HOME of one's own."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(cli, "cache_dir", lambda: folder)
    monkeypatch.setattr(download, "reachable", lambda: False)
    for name, value in (("HOME", "home"), ("UV_CACHE_DIR", "uv"), ("UV_TOOL_DIR", "uv-tools")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Makes a command: `command("pulumi", "echo v3.258.0")` in the folder `bin`."""

    def make(name: str, script: str, folder: str = "bin") -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return make


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the commands of the test and nothing else."""
    return str(tmp_path / "bin")


@pytest.fixture
def kept(cache: Path, command: Command) -> Path:
    """An engine that was built before."""
    folder = cache / PULUMI
    command("pulumi", f"echo v{PULUMI}", folder=str((folder / "bin").resolve()))
    (folder / "engine.json").write_text('{"source": "go-build"}')
    return folder
