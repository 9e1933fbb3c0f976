"""Where a language or its registry can't be had, a reason says so; nothing is half installed."""

import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.clients import installing

pytestmark = pytest.mark.sockets


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Separate caches, ours and npm's."""
    folder = tmp_path / "ours"
    monkeypatch.setattr(installing, "user_cache_path", lambda _: folder)
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "npm"))
    return folder


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that no process listens on or can take."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])


def test_a_missing_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(installing.MissingError, match=r"^node is not installed$"):
        installing.node_modules()


def test_an_old_tool_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v16.20.2\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    with pytest.raises(installing.MissingError, match=r"node is older than 18: v16\.20\.2"):
        installing.node_modules()


def test_a_registry_that_is_too_slow_is_a_reason_to_skip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installing, "INSTALL_SECONDS", 0.05)
    with pytest.raises(installing.MissingError, match="the registry of sleep is too slow"):
        installing._run(["sleep", "60"], tmp_path)


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_registry_out_of_reach_is_a_reason_to_skip_and_leaves_nothing(
    cache: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{closed_port}/")
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    reason = r"the registry of npm can't be reached: .*ECONNREFUSED"
    with pytest.raises(installing.MissingError, match=reason):
        installing.node_modules()
    assert {one.name for one in (cache / "clients" / "node").iterdir()} == {"draft", "lock"}


@pytest.mark.skipif(
    not (shutil.which("mvn") and shutil.which("javac")), reason="mvn or a JDK is not installed"
)
def test_a_registry_of_maven_out_of_reach_is_one_too(
    tmp_path: Path, cache: Path, closed_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{closed_port}/"
    mirror = f"<mirror><id>m</id><mirrorOf>*</mirrorOf><url>{url}</url></mirror>"
    settings = tmp_path / "settings.xml"
    settings.write_text(f"<settings><mirrors>{mirror}</mirrors></settings>")
    pins = tmp_path / "pins"
    shutil.copytree(installing.JAVA, pins)
    (pins / ".mvn").mkdir()
    options = f"-s\n{settings}\n-Dmaven.repo.local={tmp_path / 'maven'}\n"
    (pins / ".mvn" / "maven.config").write_text(options)
    monkeypatch.setattr(installing, "JAVA", pins)
    reason = r"the registry of mvn can't be reached: .*Could not transfer"
    with pytest.raises(installing.MissingError, match=reason):
        installing.jars()
    assert {one.name for one in (cache / "clients" / "java").iterdir()} == {"draft", "lock"}


@pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")
def test_a_lock_that_is_none_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pins = tmp_path / "pins"
    shutil.copytree(installing.NODE, pins)
    (pins / "package-lock.json").write_text("no JSON")
    monkeypatch.setattr(installing, "NODE", pins)
    with pytest.raises(RuntimeError, match="can only install with an existing"):
        installing.node_modules()
