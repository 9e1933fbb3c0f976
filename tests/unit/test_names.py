"""The names of variables, functions and classes are terms of the field, as CONTRIBUTING.md says."""

import ast
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

BANNED = {
    "anew": "again",
    "fate": "outcome, result",
    "kind": "resource_type, media_type, info_type, store_type, vr",
    "made": "created, the resource's name",
    "mend": "fix, repair, recover",
    "place": "location, path, index, environment",
    "said": "message, reason, output",
    "settle": "fsync, recover, wait",
    "tell": "report, publish",
    "told": "messages, summary, outcome",
    "twin": "copy, backend_resource",
    "whoever": "caller, client",
}
"""Words with several meanings, or private ones, that are no name by themselves -> what to write."""

IN_TESTS = {
    *("anew", "cure", "cured", "heed", "mend", "mended", "nobody", "said", "settle", "settled"),
    *("somebody", "tell", "tells", "told", "twin", "twins", "whoever"),
}
"""Words that are not in the name of a test either, which is a sentence."""

ALLOWED = {("scripts/preview/model.py", "kind")}
"""Fields of another party's format: `PropertyDiff.kind` of Pulumi."""


def _defined(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the line and the name of each definition."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.lineno, node.name
            case ast.arg():
                yield node.lineno, node.arg
            case ast.Name(ctx=ast.Store()):
                yield node.lineno, node.id
            case ast.Attribute(ctx=ast.Store()):
                yield node.lineno, node.attr


def banned(name: str) -> str | None:
    """Return what to write instead of a name that is nothing but a banned word."""
    word = name.strip("_").lower()
    return BANNED.get(word) or BANNED.get(re.sub("(?<!s)s$", "", word))


def test_names_are_terms_of_the_field() -> None:
    listed = subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).split()
    wrong = [
        f"{file}:{line}: {name!r}: {better}"
        for file in listed
        if (ROOT / file).is_file()
        for line, name in _defined(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if (better := banned(name)) and (file, name) not in ALLOWED
    ]
    assert not wrong, "\n".join(wrong)


def test_names_of_tests_are_plain() -> None:
    listed = subprocess.check_output(["git", "ls-files", "tests/*.py"], cwd=ROOT, text=True).split()
    wrong = [
        f"{file}:{line}: {name}"
        for file in listed
        if (ROOT / file).is_file()
        for line, name in _defined(ast.parse((ROOT / file).read_text(encoding="utf-8")))
        if name.startswith("test_") and IN_TESTS.intersection(name.split("_"))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("name", ["kind", "_KINDS", "Kind", "_made", "places", "Told"])
def test_the_check_finds_what_it_bans(name: str) -> None:
    assert banned(name)


@pytest.mark.parametrize("name", ["connection_made", "placeholder", "DiffKind", "mandatory"])
def test_the_check_lets_other_names_pass(name: str) -> None:
    assert not banned(name)
