"""Profiles of FHIR under Google's client, and beside HL7's validator.

Where npm, Maven or their registries are missing, the comparison skips; the recorded verdicts of
`tests/unit/emulator/services/healthcare/fhir/profiles/verdicts.json` are always compared.
"""

import json
import random
import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from googleapiclient.errors import HttpError

from emulator.server.server_file import ServerInfo
from emulator.services.healthcare.fhir import json_text, validation
from emulator.services.healthcare.fhir.profiles.checks import ProfileChecks
from emulator.services.healthcare.fhir.profiles.settings import ProfileSettings
from tests.contract.clients import installing
from tests.contract.clients.skipping import installed
from tests.support.fhir_resources import patient
from tests.support.fhir_ward import Ward, decoded
from tests.support.profile_store import CONFORMANCE, profile_store
from tests.support.us_core import us_core_cases

Case = tuple[str, dict[str, Any]]
"""The URL of a profile, and a resource."""
RECORDED = (
    Path(__file__)
    .parents[1]
    .joinpath("unit/emulator/services/healthcare/fhir/profiles/verdicts.json")
)
OTHER_CAUSES = re.compile(
    "must have some content|cannot be empty|ele-1|ext-1|rng-2|ait-1"  # of R4: an empty object
    "|Unknown profile|could not be resolved|is unknown|Unknown code"  # not in the guide's package
    "|URI|OID|unit|http://hl7.org/fhir/ValueSet/|http://hl7.org/fhir/StructureDefinition/"
)
"""Errors of HL7's validator that are of R4, or of definitions that the store does not have."""


@pytest.fixture(scope="module")
def oracle() -> Path:
    return installed(installing.profile_oracle)


@pytest.fixture(scope="module")
def patient_summary() -> Path:
    return installed(installing.patient_summary_guide)


def errors_of_hl7(oracle: Path, folder: Path, cases: Sequence[Case]) -> list[list[str]]:
    """The errors of HL7's validator for each case, by the definitions of a folder."""
    lines = b"\n".join(url.encode() + b"\t" + json_text.dump(one) for url, one in cases)
    command = ["java", "-cp", f"{oracle}:{oracle}/*", "ProfileOracle", str(folder)]
    done = subprocess.run(command, input=lines, capture_output=True, check=True)
    answers = [line[1:] for line in done.stdout.decode().splitlines() if line.startswith("=")]
    assert len(answers) == len(cases), done.stderr[-2000:]
    return [[error for error in answer.split("\t") if error] for answer in answers]


def own_errors(folder: Path, cases: Sequence[Case]) -> list[list[str]]:
    """The diagnostics of this emulator for each case, those of R4 first."""
    store = profile_store(conformance_resources(folder))
    checks, settings = ProfileChecks(), ProfileSettings(has_constraints=True)
    results = []
    for url, resource in cases:
        issues = validation.check(resource, "", validation.ValidationSettings())
        issues += checks.check_by(store, "s", settings, resource, url) or []
        results.append([issue.diagnostics for issue in issues])
    return results


def conformance_resources(folder: Path) -> Iterator[dict[str, Any]]:
    for file in sorted(folder.glob("*.json")):
        resource = json_text.parse(file.read_bytes())
        if resource.get("resourceType") in CONFORMANCE:
            yield resource


def examples(folder: Path) -> list[dict[str, Any]]:
    files = sorted(folder.joinpath("example").glob("*.json"))
    return [json_text.parse(file.read_bytes()) for file in files]


@pytest.mark.slow
def test_the_examples_of_a_guide_conform(patient_summary: Path) -> None:
    cases = [(url, one) for one in examples(patient_summary) for url in one["meta"]["profile"]]
    assert len(cases) > 40
    found = zip(cases, own_errors(patient_summary, cases), strict=True)
    assert [(url, one["id"], errors) for (url, one), errors in found if errors] == []


@pytest.mark.slow
def test_altered_examples_have_the_verdict_of_hl7s_validator(
    oracle: Path, patient_summary: Path
) -> None:
    choose = random.Random(7)
    # The validator finds no slice of the guide's documents, as some extensions are not there.
    known = [one for one in examples(patient_summary) if one["resourceType"] != "Bundle"]
    chosen = [json_text.parse(json_text.dump(choose.choice(known))) for _ in range(400)]
    cases = [(one["meta"]["profile"][0], altered(one, choose)) for one in chosen]
    own, theirs = own_errors(patient_summary, cases), errors_of_hl7(oracle, patient_summary, cases)
    refused = sum(map(bool, own))
    assert refused > 60
    # It does not check the type of a reference that it can't resolve.
    too_strict = [
        (case, mine)
        for case, mine, other in zip(cases, own, theirs, strict=True)
        if not other and any("invalid reference" not in text for text in mine)
    ]
    too_lax = [
        (case, other)
        for case, mine, other in zip(cases, own, theirs, strict=True)
        if not mine and [text for text in other if not OTHER_CAUSES.search(text)]
    ]
    assert (too_strict, too_lax) == ([], [])


def altered(resource: dict[str, Any], choose: random.Random) -> dict[str, Any]:
    """Return a resource with one member removed, repeated or replaced."""
    kept = ("resourceType", "meta", "text")
    parent, key = choose.choice([one for one in members(resource) if one[1] not in kept])
    value = parent[key]
    match choose.randrange(4):
        case 0 if isinstance(value, str):
            parent[key] = f"{value}x" if " " not in value else "x"
        case 1 if isinstance(parent, list):
            parent.append(value)
        case 2 if isinstance(key, str) and key.startswith(("value", "onset", "effective")):
            parent["valueString" if key.startswith("value") else "onsetString"] = "x"
            parent.pop(key, None)
        case _ if len(parent) > 1:
            del parent[key]
    return resource


def members(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each member of objects and arrays with what holds it, but for narratives."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in [*inner]:
        yield value, key
        if isinstance(member, dict | list) and not (key == "text" and isinstance(member, dict)):
            yield from members(member)


@pytest.mark.slow
def test_profiles_of_us_core_have_the_verdict_of_hl7s_validator(oracle: Path) -> None:
    folder, cases = installed(installing.us_core_profiles), us_core_cases()
    parsed = [(url, json_text.parse(json.dumps(one))) for url, one in cases]
    own, theirs = own_errors(folder, parsed), errors_of_hl7(oracle, folder, parsed)
    found = {
        (url, json.dumps(one)): (bool(mine), [text for text in other if "Unknown" not in text])
        for (url, one), mine, other in zip(cases, own, theirs, strict=True)
    }
    assert {key: one for key, one in found.items() if one[0] != bool(one[1])} == {}
    assert sum(mine for mine, _ in found.values()) > 15


@pytest.mark.slow
def test_the_recorded_verdicts_are_those_of_hl7s_validator(oracle: Path, tmp_path: Path) -> None:
    recorded = json.loads(RECORDED.read_text(encoding="utf-8"))
    for one in recorded["definitions"]:
        file = tmp_path / f"{one['resourceType']}-{one['id']}.json"
        file.write_text(json.dumps(one), encoding="utf-8")
    cases = [(case["profile"], case["resource"]) for case in recorded["cases"]]
    assert errors_of_hl7(oracle, tmp_path, cases) == [case["errors"] for case in recorded["cases"]]


NAMED = "https://example.com/fhir/StructureDefinition/named"
GUIDE = "https://example.com/fhir/ImplementationGuide/own"
DEFINITIONS: list[dict[str, Any]] = [
    {
        "resourceType": "StructureDefinition",
        "id": "named",
        "url": NAMED,
        "name": "named",
        "status": "active",
        "kind": "resource",
        "abstract": False,
        "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient",
        "derivation": "constraint",
        "differential": {"element": [{"path": "Patient.name", "min": 1}]},
    },
    {
        "resourceType": "ImplementationGuide",
        "id": "own",
        "url": GUIDE,
        "name": "own",
        "status": "active",
        "packageId": "own",
        "fhirVersion": ["4.0.1"],
        "global": [{"type": "Patient", "profile": NAMED}],
    },
]


@pytest.mark.sockets
def test_googles_client_imports_profiles_and_enables_their_guide(
    emulator: ServerInfo, project: str, grant: Callable[..., None]
) -> None:
    grant("roles/storage.objectAdmin")
    ward = Ward(emulator, project)
    ward.write("definitions", *DEFINITIONS)
    ward.import_("definitions", "RESOURCE")
    enabled = {"validationConfig": {"enabledImplementationGuides": [GUIDE]}}
    ward.stores.patch(name=ward.store, updateMask="validationConfig", body=enabled).execute()
    named = patient("named", name=[{"family": "A"}])
    ward.write("patients", named, patient("nameless"))
    done = ward.import_("patients", "RESOURCE")
    assert done["metadata"]["counter"] == {"success": "1", "failure": "1"}
    assert list(ward.logged(done)) == [f"gs://{ward.bucket.name}/patients:2"]
    assert [ward.has("Patient/named"), ward.has("Patient/nameless")] == [True, False]

    def validate(resource: dict[str, Any]) -> dict[str, Any]:
        request = ward.fhir.Resource_validate(
            parent=ward.store, type="Patient", profile=NAMED, body=resource
        )
        return decoded(request)

    assert validate(named)["issue"][0]["severity"] == "information"
    with pytest.raises(HttpError) as refused:
        validate(patient())
    [issue] = json.loads(refused.value.content)["issue"]
    assert issue["diagnostics"] == f'missing required field "name" (profile {NAMED})'
