"""The official download: bounded, and its failures told."""

import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from engine import download
from engine.errors import EngineError
from engine.versions import PULUMI

_REACHABLE = download.reachable


@pytest.fixture
def online(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "reachable", lambda: True)


def test_without_network_nothing_is_started(tmp_path: Path) -> None:
    with pytest.raises(EngineError, match="the official download is out of reach"):
        download.install(tmp_path, pytest.fail)


def test_no_answer_is_out_of_reach(monkeypatch: pytest.MonkeyPatch) -> None:
    limits: list[float] = []

    def refuse(url: str, timeout: float) -> Any:
        limits.append(timeout)
        raise urllib.error.URLError("no such host")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)
    assert _REACHABLE() is False
    assert limits == [download.PROBE_SECONDS]


@pytest.mark.usefixtures("online")
def test_the_installer_gets_the_folder_and_the_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "import sys, pathlib; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    monkeypatch.setattr(download, "_INSTALL", script)
    messages: list[str] = []
    download.install(tmp_path / "engine", messages.append)
    assert (tmp_path / "engine").read_text() == PULUMI
    assert messages == [f"downloading the Pulumi engine {PULUMI} (about 100 MB) ..."]


@pytest.mark.usefixtures("online")
def test_the_installer_failing_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_INSTALL", "raise SystemExit('404 for this version')")
    with pytest.raises(EngineError, match="the official installer failed: 404 for this version"):
        download.install(tmp_path, lambda _: None)


@pytest.mark.usefixtures("online")
def test_the_download_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "_INSTALL", "import time; time.sleep(60)")
    monkeypatch.setattr(download, "DOWNLOAD_SECONDS", 0.2)
    with pytest.raises(EngineError, match="the download took over 0 s"):
        download.install(tmp_path, lambda _: None)
