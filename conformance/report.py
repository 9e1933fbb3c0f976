"""The result of a comparison, as a table and as JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.table import Column, Table
from rich.text import Text

from conformance.check import Check
from conformance.compare import Difference, differences
from conformance.run import FAILURE, Answers

MAX_SHOWN = 100
"""Characters of a value in the table."""


@dataclass(frozen=True)
class Result:
    """The answers of both clouds to one check.

    Attributes:
        check: the check
        real: the answer of Google Cloud
        local: the answer of the local Google Cloud
        differences: what differs; a check that could not run differs too
    """

    check: Check
    real: Any
    local: Any
    differences: Sequence[Difference] = field(default=())

    @property
    def is_equal(self) -> bool:
        """Whether the local Google Cloud answers as Google Cloud does."""
        return not self.differences

    def to_json(self) -> dict[str, Any]:
        """Return the shape of the report."""
        return {
            "check": self.check.id,
            "title": self.check.title,
            "equal": self.is_equal,
            "differences": [one.to_json() for one in self.differences],
            "real": self.real,
            "local": self.local,
        }


def compare(checks: Sequence[Check], real: Answers, local: Answers) -> list[Result]:
    """Return the result of each check."""
    results = []
    for check in checks:
        answers = real[check.id], local[check.id]
        found = list(differences(*answers))
        if any(map(is_failure, answers)) and not found:
            found = [Difference(FAILURE, *(one[FAILURE] for one in answers))]
        results.append(Result(check, *answers, found))
    return results


def is_failure(answer: Any) -> bool:
    """Whether a check could not run."""
    return isinstance(answer, dict) and FAILURE in answer


def table(results: Sequence[Result]) -> Table:
    """Return the table: a row for each check; of one that differs, the first difference."""
    shown = Table(Column("check", no_wrap=True), "real", "local", "equal")
    for result in results:
        if result.is_equal:
            cells = [_line(_summary(one)) for one in (result.real, result.local)]
            shown.add_row(result.check.id, *cells, "yes")
            continue
        first = result.differences[0]
        more = len(result.differences) - 1
        path = f"{first.path or 'answer'}: "
        shown.add_row(
            result.check.id,
            Text(path + _short(first.real)),
            Text(path + _short(first.local)),
            f"no, and {more} more" if more else "no",
        )
    return shown


def to_json(results: Sequence[Result]) -> dict[str, Any]:
    """Return the report as JSON."""
    equal = sum(result.is_equal for result in results)
    return {
        "equal": equal,
        "different": len(results) - equal,
        "checks": [result.to_json() for result in results],
    }


def _summary(answer: Any) -> Any:
    """Return the message of an error, or the whole answer."""
    body = answer.get("body") if isinstance(answer, dict) else None
    error = body.get("error") if isinstance(body, dict) else None
    return error.get("message", answer) if isinstance(error, dict) else answer


def _line(value: Any) -> Text:
    return Text(_short(value), no_wrap=True, overflow="ellipsis")


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]} ..."
