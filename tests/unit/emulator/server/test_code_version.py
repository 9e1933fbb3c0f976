"""The version of the code: the same for the same files, another after any change."""

from pathlib import Path

import pytest

import emulator
from emulator.server.code_version import code_version


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two files that stands in for the emulator."""
    (tmp_path / "core").mkdir()
    (tmp_path / "__init__.py").write_text("")
    (tmp_path / "core" / "rest.py").write_text("A = 1\n")
    monkeypatch.setattr(emulator, "__file__", str(tmp_path / "__init__.py"))
    return tmp_path


def test_the_same_files_have_the_same_version(package: Path) -> None:
    version = code_version()
    (package / "core" / "rest.py").touch()
    (package / "core" / "rest.pyc").write_bytes(b"compiled")
    assert code_version() == version


@pytest.mark.parametrize("change", ["content", "name", "new"])
def test_any_change_makes_another_version(package: Path, change: str) -> None:
    version = code_version()
    file = package / "core" / "rest.py"
    if change == "content":
        file.write_text("A = 2\n")
    elif change == "name":
        file.rename(package / "rest.py")
    else:
        (package / "new.py").write_text("")
    assert code_version() != version
