"""Recordings: the answers of Google Cloud, normalised, one JSON file for each check."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.lib.errors import ScriptError
from scripts.lib.options import ROOT

FOLDER = ROOT / "tests" / "recordings"
FORMAT = 1
"""The version of the files."""


@dataclass(frozen=True)
class Recording:
    """An answer of Google Cloud.

    Attributes:
        check: the id of the check
        recorded: the day, `YYYY-MM-DD`
        location: of the resources; some answers list other locations
        answer: the normalised answer
    """

    check: str
    recorded: str
    location: str
    answer: Any


def write(folder: Path, recording: Recording) -> None:
    """Write a recording, in place of an earlier one of its check."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "format": FORMAT,
        "check": recording.check,
        "recorded": recording.recorded,
        "location": recording.location,
        "answer": recording.answer,
    }
    text = json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False)
    (folder / f"{recording.check}.json").write_text(f"{text}\n", encoding="utf-8")


def read(folder: Path) -> Mapping[str, Recording]:
    """Return the recordings of a folder, by check.

    Raises:
        ScriptError: a file has another format, or the name of another check
    """
    found = {}
    for path in sorted(folder.glob("*.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.get("format") != FORMAT or content.get("check") != path.stem:
            raise ScriptError(
                f"{path} is not a recording of format {FORMAT} of the check {path.stem}.",
                "Delete the file, and run `make conformance` again to record it.",
            )
        found[path.stem] = Recording(
            path.stem, content["recorded"], content["location"], content["answer"]
        )
    return found
