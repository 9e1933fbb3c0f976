"""How HAPI FHIR is had."""

from pathlib import Path

import pytest

from benchmarks.fhir import hapi


def test_a_machine_without_maven_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("java", "javac"):
        (tmp_path / tool).touch(mode=0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(hapi.HapiError, match="there is no mvn"), hapi.running(tmp_path / "data"):
        pass
    assert not (tmp_path / "data").exists()


def test_a_failed_command_is_reported_with_its_output() -> None:
    with pytest.raises(hapi.HapiError, match="sh failed: no such registry"):
        hapi._run(["sh", "-c", "echo no such registry >&2; exit 1"])
