"""No query ends in another way than with results or with a refusal that says why."""

import random
from urllib.parse import urlencode

import pytest

from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.search.criteria import SearchError
from emulator.services.healthcare.fhir.search.parameters import parameters
from tests.support.fhir_index import Indexed
from tests.support.fhir_resources import observation, patient

TYPES = sorted(resource_types())
VALUES = [
    *("", "a", "a,b", "1", "1.5", "-3", "1e400", "NaN", "2024", "2024-02-30", "gt2024", "ap1"),
    *("lt", "a|b", "|", "||", "|x", "a|b|c|d", "5|u|c", "\\", "a\\", "$", "a$b", "1$2$3", "%"),
    *("\u00e9", "Patient/1", "http://x/y|2", "#", "9" * 400, "9999", "ge9999-12-31T23:59:59Z"),
    *("\x00", "\U0001f600", "0000", "true", "*"),
]
MODIFIERS = [
    *("missing", "exact", "contains", "not", "text", "in", "not-in", "above", "below"),
    *("Patient", "of-type", "x", "identifier"),
]
RESULT_PARAMETERS = [
    *("_count", "_include", "_revinclude", "_include:iterate", "_elements", "_page_token"),
    *("_total", "_type", "_summary", "_sort", "_filter"),
]


def name(choose: random.Random, resource_type: str, depth: int = 0) -> str:
    """Return the name of a parameter, with a modifier, a chain, or `_has`."""
    found = parameters(resource_type)
    code = choose.choice([*found])
    chance = choose.random() if depth < 4 else 1.0
    if chance < 0.15 and found[code].targets:
        target = choose.choice(found[code].targets)
        typed = choose.choice([f":{target}", ""])
        return f"{code}{typed}.{name(choose, target, depth + 1)}"
    if chance < 0.25:
        source = choose.choice(TYPES)
        references = [one.code for one in parameters(source).values() if one.targets]
        if references:
            rest = name(choose, source, depth + 1)
            return f"_has:{source}:{choose.choice(references)}:{rest}"
    return f"{code}:{choose.choice(MODIFIERS)}" if choose.random() < 0.4 else code


@pytest.mark.parametrize("seed", range(4))
def test_a_query_is_answered_or_refused(seed: int) -> None:
    choose = random.Random(seed)
    indexed = Indexed()
    indexed.put(patient("a", gender="other"), observation("Patient/a", "o"))
    answered = 0
    refusals = []
    for _ in range(250):
        resource_type = choose.choice([*TYPES, "", "Patient", "Observation"])
        pairs = [
            (name(choose, resource_type), choose.choice(VALUES))
            for _ in range(choose.choice([1, 1, 2, 3]))
        ]
        if choose.random() < 0.3:
            values = [*VALUES, *parameters(resource_type), f"{resource_type}:*"]
            pairs.append((choose.choice(RESULT_PARAMETERS), choose.choice(values)))
        try:
            indexed.page(f"{resource_type}?{urlencode(pairs)}", strict=choose.random() < 0.5)
            answered += 1
        except SearchError as error:
            refusals.append(error.issue.diagnostics)
    assert answered > 30
    assert len(refusals) > 30
    assert all(refusals)
