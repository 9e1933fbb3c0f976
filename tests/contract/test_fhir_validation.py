"""Validation and rows of FHIR resources, beside google/fhir's Go code on HL7's examples.

Where Go or a registry is missing, these tests skip; `test_validation.py` has recorded results.
"""

import json
import random
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from emulator.services.healthcare.fhir import json_text, validation
from emulator.services.healthcare.fhir.analytics.rows import ANALYTICS, ANALYTICS_V2, RowFormat
from tests.contract.clients import installing
from tests.contract.clients.skipping import installed

pytestmark = pytest.mark.slow

MAX_BYTES = 6_000
"""Of an example: larger ones are code systems and questionnaires, slow and alike."""
SETTINGS = validation.ValidationSettings(constraints=False)
"""The Go code does not check constraints."""
WRONG_VALUES = [
    *(5, -1, 2**31, 2**33, json_text.ExactDecimal("1.5"), True, [], [1], {}),
    *("", "x", "x y", " x", "a\x01b", "%zz", "http://a b/", "1:2/3", "urn:uuid:1", "YQ=="),
    *("2020-02-30", "2020-01-01T10:00:00", "2020-01-01T10:00:00+14:00", "24:00:00"),
]
REFERENCES = [
    *("Patient/1", "Organization/1/_history/2", "Unknown/1", "#a", "Device/a/b"),
    *("https://example.com/Patient/1", "urn:uuid:1"),
]


@pytest.fixture(scope="module")
def oracle() -> Path:
    return installed(installing.fhir_oracle)


@pytest.fixture(scope="module")
def examples() -> Sequence[bytes]:
    files = sorted(installed(installing.fhir_examples).glob("*.json"))
    contents = (file.read_bytes() for file in files if file.stat().st_size < MAX_BYTES)
    return [json_text.dump(json_text.parse(raw)) for raw in contents if b"resourceType" in raw]


def errors_of_google(oracle: Path, resources: Sequence[bytes]) -> Iterator[Counter[str]]:
    """Yield the errors of google/fhir for each resource."""
    done = subprocess.run([oracle], input=b"\n".join(resources), capture_output=True, check=True)
    for line in done.stdout.splitlines():
        yield Counter(
            f"{one['Path']} {one['Details']}" + (one["Diagnostics"] and f": {one['Diagnostics']}")
            for one in json.loads(line)
        )


def own_errors(resource: bytes) -> Counter[str]:
    issues = validation.check(json_text.parse(resource), "", SETTINGS)
    return Counter(f"{''.join(issue.expression)} {issue.diagnostics}" for issue in issues)


def differences(oracle: Path, resources: Sequence[bytes]) -> list[tuple[bytes, Any, Any]]:
    pairs = zip(resources, errors_of_google(oracle, resources), strict=True)
    compared = ((resource, expected, own_errors(resource)) for resource, expected in pairs)
    return [one for one in compared if one[1] != one[2]]


def test_the_published_examples_have_the_errors_of_google(
    oracle: Path, examples: Sequence[bytes]
) -> None:
    assert len(examples) > 3000
    assert differences(oracle, examples) == []


def test_the_published_examples_keep_their_constraints(examples: Sequence[bytes]) -> None:
    strict = validation.ValidationSettings()
    found = {
        issue.diagnostics
        for resource in examples
        for issue in validation.check(json_text.parse(resource), "", strict)
        if issue.diagnostics.startswith("fhirpath")
    }
    # Some extensions of HL7's tables of HL7v2 have no value.
    extension = '.extension: "extension.exists() != value.exists()"'
    assert {text for text in found if "v2" not in text and not text.endswith(extension)} == set()


def test_altered_examples_have_the_errors_of_google(
    oracle: Path, examples: Sequence[bytes]
) -> None:
    choose = random.Random(4)
    altered = []
    for _ in range(3000):
        resource = json_text.parse(choose.choice(examples))
        for _ in range(choose.choice([1, 1, 2])):
            alter(resource, choose)
        altered.append(json_text.dump(resource))
    assert sum(map(bool, map(own_errors, altered))) > 1500
    assert differences(oracle, altered) == []


def alter(resource: dict[str, Any], choose: random.Random) -> None:
    """Change one member of a resource."""
    parent, key = choose.choice([*members(resource)])
    value = parent[key]
    match choose.randrange(8):
        case 0:
            del parent[key]
        case 1 if isinstance(parent, dict):
            parent[f"{key}X"] = parent.pop(key)
        case 2:
            parent[key] = (value or [value])[0] if isinstance(value, list) else [value]
        case 3 if key != "resourceType":
            # Go reads an object as the extensions of a primitive: it is refused here.
            wrong = choose.choice(WRONG_VALUES)
            parent[key] = wrong if wrong != {} or isinstance(value, dict) else "x"
        case 4 if isinstance(value, str) and "/" in value:
            parent[key] = choose.choice(REFERENCES)
        case 5 if isinstance(value, str):
            parent[key] = f"{value} "
        case 6 if isinstance(parent, dict) and isinstance(value, str | int):
            extensions: list[Any] = [{"extension": [{"url": "http://a"}]}, {"id": "a", "x": 1}]
            # Go refuses codes and ids that have extensions and no value.
            parent[f"_{key}"] = choose.choice([*extensions, {"extension": 5}])
        case 7 if isinstance(value, dict):
            parent[key] = {}


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each member of objects and arrays with what holds it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in [*inner]:
        yield value, key
        if isinstance(member, dict | list):
            yield from members(member)


@pytest.mark.parametrize("schema", [ANALYTICS, ANALYTICS_V2])
def test_the_published_examples_have_the_rows_of_google(
    oracle: Path, examples: Sequence[bytes], schema: str
) -> None:
    done = subprocess.run(
        [oracle, schema], input=b"\n".join(examples), capture_output=True, check=True
    )
    format_ = RowFormat(is_v2=schema == ANALYTICS_V2)
    different = []
    compared = 0
    for resource, line in zip(examples, done.stdout.splitlines(), strict=True):
        expected = json.loads(line)
        if expected is None:  # a resource with errors
            continue
        row = json.loads(json_text.dump(format_.row(json_text.parse(resource))))
        compared += 1
        if columns(expected) != columns(row):
            different.append((resource, expected, row))
    assert compared > 3000
    assert different == []


def columns(value: Any, name: str = "") -> Any:
    """Return a row without what has no column: extensions of primitives, resources inside one."""
    if isinstance(value, dict):
        kept = {
            key: columns(member, key)
            for key, member in value.items()
            if not key.startswith("_")
            and key != "modifierExtension"
            and not (key in ("resource", "outcome") and isinstance(member, str))
        }
        return {key: member for key, member in kept.items() if member not in (None, {}, [])}
    if isinstance(value, list):
        found = [columns(member, name) for member in value]
        return [member for member in found if member not in (None, {}, [])]
    if name == "contained":
        return columns(json.loads(value))
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
