"""The rules between folders: the contracts of import-linter in pyproject.toml, and some more."""

import ast
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = (
    *("components", "program", "policy", "engine", "emulator", "scripts", "workloads"),
    *("conformance", "environments", "pipelines", "viewer"),
)
MAX_FILES = 20
MAX_LINES = 300
DICOM = "emulator.services.healthcare.dicom"


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


@pytest.fixture(scope="module")
def sources() -> list[Path]:
    """Every Python file of the repository but for the tests."""
    listed = subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()
    files = [ROOT / name for name in listed if not name.startswith("tests/")]
    return [file for file in files if file.exists()]


def test_every_contract_holds() -> None:
    # A process of its own: the linter disables the loggers of the process that it runs in.
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-logo", "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def test_nothing_imports_the_tests(sources: list[Path]) -> None:
    wrong = [
        file.relative_to(ROOT)
        for file in sources
        for module in _imported(file)
        if module.partition(".")[0] == "tests"
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ["parsing", "pixels"])
def test_parsing_and_pixels_know_no_database(graph: grimp.ImportGraph, room: str) -> None:
    chains = graph.find_shortest_chains(f"{DICOM}.{room}", "emulator.core.database")
    assert chains == set()


def test_what_is_deployed_stands_alone(sources: list[Path]) -> None:
    """Folders of programs that run on Google Cloud: they import nothing that runs here."""
    wrong = [
        (file.relative_to(ROOT), module)
        for file in sources
        if file.relative_to(ROOT).parts[0] in {"workloads", "pipelines"}
        for module in _imported(file)
        if module.partition(".")[0] in {"emulator", "engine", "scripts"}
    ]
    assert wrong == []


def test_no_import_hides_under_type_checking(sources: list[Path]) -> None:
    emulator = [file for file in sources if file.is_relative_to(ROOT / "emulator")]
    assert [file for file in emulator if "TYPE_CHECKING" in file.read_text()] == []


def test_no_folder_has_too_many_modules(sources: list[Path]) -> None:
    counted = Counter(file.parent for file in sources)
    assert {folder: n for folder, n in counted.items() if n > MAX_FILES} == {}


def test_no_module_is_long(sources: list[Path]) -> None:
    lines = {file.relative_to(ROOT): file.read_text().count("\n") for file in sources}
    long = {file: n for file, n in lines.items() if n > MAX_LINES}
    assert long == {}
