"""The images of the workloads: what their programs import is pinned, and copied."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("lock", "extras"),
    [
        ("requirements.txt", ["adapters"]),
        ("gateway/requirements.txt", ["gateway"]),
        ("inference/requirements.txt", ["inference"]),
        ("inference/requirements-onnx.txt", ["inference", "onnx"]),
    ],
)
def test_the_lock_of_an_image_has_all_that_its_extras_name(lock: str, extras: list[str]) -> None:
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    pinned = _pins(ROOT / "workloads" / lock)
    wanted = {re.split(r"[\[>=]", one)[0] for extra in extras for one in known[extra]}
    assert wanted - {name for name, _ in pinned} == set(), "run make lock"
    assert pinned - _pins(ROOT / "requirements.txt") == set()


def _pins(lock: Path) -> set[tuple[str, str]]:
    """Return name and version of each pin; a package may have one for each Python."""
    return set(re.findall(r"^([\w-]+)==(\S+)", lock.read_text(), re.MULTILINE))


def test_an_image_copies_what_exists_and_its_own_package() -> None:
    files = sorted((ROOT / "workloads").glob("*/Dockerfile"))
    assert files
    for file in files:
        copied = re.findall(r"^COPY (\S+) (\S+)$", file.read_text(), re.MULTILINE)
        assert all((ROOT / source).exists() for source, _ in copied)
        own = {"workloads/common", f"workloads/{file.parent.name}", "workloads/__init__.py"}
        assert own <= {source for source, _ in copied}
