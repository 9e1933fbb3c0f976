"""The style guide of CONTRIBUTING.md, as far as a program can check it.

Reads Markdown, Python docstrings, comments and strings, and comments of Makefile, YAML and TOML.
"""

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

SUBSTITUTIONS = {
    r"mend(?:s|ed|ing)?": "fix, repair",
    r"anew": "again",
    r"whoever": "clients that, users who",
    r"heed(?:s|ed)?": "obey, respect",
    r"for want of": "for lack of",
    r"(?:nobody|somebody)": "no one by name: no client, no other process, another user",
    r"settle(?:s|d)?|settling": "fsync, recover, wait, resolve",
    r"twins?": "copy, duplicate, backend resource",
    r"(?:tells?|telling)": "report, show, say",
    r"of one's own": "own, separate",
    "anybody": "anyone, another user",
    r"(?:gives?|given|gave|giving) back": "return, release",
    "as a rule": "typically",
    "at hand": "available, current",
    "for good": "permanently",
    "once more": "again",
    "(?:thus|hence|thereof|thereby|whence)": "therefore, so",
    "(?:lives?|living) (?:on|in|under|at)": "runs on, is in",
    r"(?:goes|go|going|went) on(?! PATH)": "continue",
    "held against": "compared with",
    "ever (?:less|more)": "with backoff, less and less",
    r"is no more(?! than)": "was deleted, has ended",
    r"(?:dies|died) of": "crash",
    r"(?<!there )is no (?!(?:longer|more|one|other|slower|less)\b)[a-z]+": "is not a (valid) ...",
}
"""Private English -> what to write. The standard term is found by grep, by search engines and by
readers whose first language is not English."""

OPENINGS = {
    r"(?:Give|Tell)s?\b": "Return, Report",
    r"(?:What|Whoever|Whatever|Of)\b": "a noun, or a verb in the imperative",
    r"\d+\.?$": "a sentence, not a number alone",
}
"""How no docstring begins -> how it does."""

MAX_COLUMNS = 4
"""Of a table: wider ones do not fit a screen."""
WIDE_TABLES = {"docs/performance.md"}
"""Pages whose table is the output of a command."""

_ALLOWED = "prose: quoted"
"""Marks a line whose words are another party's, such as an error text of Google."""
_OWN_TEXT = {"tests/unit/test_prose.py", "CONTRIBUTING.md"}
"""The lists of banned words."""


@dataclass(frozen=True)
class Finding:
    """A passage that the style guide bans."""

    file: str
    line: int
    words: str
    better: str

    def __str__(self) -> str:
        """One line, as compilers write theirs."""
        return f"{self.file}:{self.line}: {self.words!r}: {self.better}"


def passages(file: Path) -> Iterator[tuple[int, str, bool]]:
    """Yield the prose of a file: its line, the text, and whether it opens a docstring."""
    text = file.read_text(encoding="utf-8")
    if file.suffix == ".py":
        yield from _of_python(text)
    elif file.suffix == ".md":
        fenced = False
        for number, line in enumerate(text.splitlines(), start=1):
            fenced ^= line.lstrip().startswith("```")
            if not fenced:
                yield number, re.sub(r"`[^`]*`|\]\([^)]*\)", "", line), False
    else:
        for number, line in enumerate(text.splitlines(), start=1):
            if comment := re.search(r"(?:^|\s)#(.*)", line):
                yield number, comment[1], False


def _of_python(text: str) -> Iterator[tuple[int, str, bool]]:
    docstrings = set()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                docstrings.add(first.lineno)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string, False
        elif token.type == tokenize.STRING:
            body = token.string.strip("rbfRBF").strip("\"'")
            for offset, line in enumerate(body.splitlines()):
                plain = re.sub(r"`[^`]*`", "", line)
                opens = offset == 0 and token.start[0] in docstrings
                # Identifiers, keys and patterns are no prose.
                if opens or " " in line.strip():
                    yield token.start[0] + offset, plain, opens


def findings(file: Path) -> Iterator[Finding]:
    """Yield what the style guide bans in a file."""
    name = str(file.relative_to(ROOT))
    lines = file.read_text(encoding="utf-8").splitlines()
    for number, text, opens in passages(file):
        if _ALLOWED in lines[number - 1]:
            continue
        for pattern, better in SUBSTITUTIONS.items():
            for match in re.finditer(rf"\b(?:{pattern})\b", text, re.IGNORECASE):
                yield Finding(name, number, match[0], better)
        if opens:
            for pattern, better in OPENINGS.items():
                if opening := re.match(pattern, text):
                    yield Finding(name, number, opening[0], f"begin with {better}")


def wide_tables(text: str) -> list[int]:
    """Return the lines of Markdown at which a table has more columns than `MAX_COLUMNS`."""
    return [
        number
        for number, line in enumerate(text.splitlines(), start=1)
        if re.fullmatch(r"\|(?:\s*:?-+:?\s*\|)+", line) and line.count("|") - 1 > MAX_COLUMNS
    ]


def _files() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    suffixes = (".py", ".md", ".yaml", ".yml", ".toml")
    return [
        ROOT / name
        for name in listed
        if (name.endswith(suffixes) or name == "Makefile") and name not in _OWN_TEXT
        if (ROOT / name).is_file() and not name.startswith("tests/data/")
    ]


def test_texts_follow_the_style_guide() -> None:
    wrong = [str(finding) for file in _files() for finding in findings(file)]
    assert not wrong, "\n".join(wrong)


def test_tables_fit_a_screen() -> None:
    wide = [
        f"{name}:{line}"
        for file in _files()
        if file.suffix == ".md" and (name := str(file.relative_to(ROOT))) not in WIDE_TABLES
        for line in wide_tables(file.read_text(encoding="utf-8"))
    ]
    assert not wide
    assert wide_tables("| a | b |\n|---|--:|\n") == []
    assert wide_tables("| a |\n|---|---|---|---|---|\n") == [2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('"""Mend it."""', "Mend"),
        ("x = 1  # nobody asks", "nobody"),
        ('raise ValueError(f"{x} is no number")', "is no number"),
        ('def f():\n    """Give the rows."""', "Give"),
        ('def f():\n    """404."""', "404."),
        ('"""What a store holds."""', "What"),
        ('x = "It goes on."', "goes on"),
        ('"""The lock is given back."""', "given back"),
    ],
)
def test_the_check_finds_what_it_bans(tmp_path: Path, text: str, words: str) -> None:
    found = [
        match[0]
        for _, passage, opens in _of_python(text)
        for pattern in (*SUBSTITUTIONS, *(OPENINGS if opens else ()))
        if (match := re.search(rf"\b(?:{pattern})", passage, re.IGNORECASE))
    ]
    assert words in found


@pytest.mark.parametrize(
    "text", ['"""There is no such store."""', "x = 'nobody'", "# It is no longer there."]
)
def test_the_check_lets_plain_words_pass(text: str) -> None:
    assert not [
        pattern
        for _, passage, _ in _of_python(text)
        for pattern in SUBSTITUTIONS
        if re.search(rf"\b(?:{pattern})\b", passage, re.IGNORECASE)
    ]
