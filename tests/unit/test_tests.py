"""How the tests are built: they share modules of helpers, and never import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support import schedule

TESTS = Path(__file__).parents[1]


def _imported(file: Path) -> Iterator[tuple[str, str]]:
    """Each module that a file imports from the tests, and what it takes out of it."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.module or "", alias.name) for alias in node.names)


def _is_test(module: str) -> bool:
    last = module.rpartition(".")[2]
    return last.startswith("test_") or last == "conftest"


def test_no_test_module_and_no_conftest_is_imported() -> None:
    wrong = {
        (str(file.relative_to(TESTS)), module, name)
        for file in TESTS.rglob("*.py")
        for module, name in _imported(file)
        if module.startswith("tests.")
        and (
            _is_test(module)
            or (_is_test(name) and TESTS.parent.joinpath(*module.split("."), f"{name}.py").exists())
        )
    }
    assert wrong == set()


def test_the_longest_files_are_there() -> None:
    assert [name for name in schedule.LONGEST if not (TESTS / name).exists()] == []
