"""A run of the checks in one cloud."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import requests

from conformance.check import Check, Lab
from conformance.normalise import normaliser
from scripts.lib.errors import ScriptError

FAILURE = "failure"
"""The key of an answer whose check could not run: it is equal to no other."""

Answers = Mapping[str, Any]
"""The id of a check -> its normalised answer."""

_ERRORS = (
    ScriptError,
    requests.RequestException,
    TimeoutError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
)
"""Of a check whose calls answer in an unexpected shape: a finding, not the end of the run."""


def run(checks: Sequence[Check], lab: Lab, report: Callable[[str], None]) -> Answers:
    """Run checks one after the other; return their normalised answers.

    Raises:
        ScriptError: an answer holds the id of the project
    """
    normalise = normaliser(lab)
    answers = {}
    for check in checks:
        report(f"{lab.cloud.name}: {check.id}")
        try:
            answer = check.run(lab)
        except _ERRORS as error:
            answer = {FAILURE: f"{type(error).__name__}: {error}"}
        answers[check.id] = normalise(answer)
    _require_anonymous(answers, lab)
    return answers


def _require_anonymous(answers: Answers, lab: Lab) -> None:
    """Refuse answers that name the project.

    Raises:
        ScriptError: they do
    """
    secrets = (lab.cloud.project, lab.number, lab.names.run)
    for check, answer in answers.items():
        text = json.dumps(answer, ensure_ascii=False)
        if any(re.search(rf"(?<![\w-]){re.escape(one)}(?![\w-])", text) for one in secrets):
            raise ScriptError(
                f"The answer to {check} names the project, so no report is written.",
                "This is an error of conformance/normalise.py: please report it.",
            )
