"""Access determinations of any store are those of a plain reading of the documents."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from emulator.core.timestamps import to_rfc3339
from emulator.services.healthcare.consents.attributes import Definitions
from emulator.services.healthcare.consents.evaluation import Evaluator

NOW = datetime(2026, 6, 1, tzinfo=UTC)
VALUES = ("a", "b", "c")
RESOURCES, REQUESTS = ("kind", "site"), ("purpose", "role")
Json = Mapping[str, Any]

some_values = st.lists(st.sampled_from(VALUES), min_size=1, max_size=2, unique=True)
tests = st.tuples(st.sampled_from(REQUESTS), st.booleans(), some_values)
"""An attribute, whether it must have one of the values or none of them, and the values."""
policies = st.tuples(
    st.dictionaries(st.sampled_from(RESOURCES), some_values),
    st.booleans(),
    st.lists(tests, min_size=1, max_size=3),
)
"""Values of RESOURCE attributes, whether all tests must hold, and the tests."""
consents = st.tuples(
    st.sampled_from(("u", "v")),
    st.sampled_from(("ACTIVE", "DRAFT", "REVOKED", "REJECTED")),
    st.sampled_from((None, -1, 1)),
    st.lists(policies, max_size=3),
)
"""A user, a state, the days until it expires, and policies."""
definitions = st.fixed_dictionaries(
    {name: st.lists(st.sampled_from(VALUES), max_size=2, unique=True)
     for name in (*RESOURCES, *REQUESTS)}
)  # fmt: skip
"""Default values in consents, by attribute."""


def definition(name: str, defaults: list[str], of_mapping: str) -> Json:
    category = "RESOURCE" if name in RESOURCES else "REQUEST"
    body = {"name": f"s/attributeDefinitions/{name}", "category": category,
            "allowedValues": [*VALUES], "consentDefaultValues": defaults}  # fmt: skip
    return {**body, "dataMappingDefaultValue": of_mapping} if category == "RESOURCE" else body


def expression(whole: bool, parts: list[tuple[str, bool, list[str]]]) -> str:
    terms = [
        f"{name} in {values}" if wanted else " && ".join(f"{name} != '{each}'" for each in values)
        for name, wanted, values in parts
    ]
    return (" && " if whole else " || ").join(f"({term})" for term in terms)


def consent(number: int, drawn: Any) -> Json:
    user, state, days, of = drawn
    body: dict[str, Any] = {"name": f"s/consents/{number}", "userId": user, "state": state}
    if days is not None:
        body["expireTime"] = to_rfc3339(NOW + timedelta(days=days))
    body["policies"] = [
        {
            "resourceAttributes": [
                {"attributeDefinitionId": name, "values": found} for name, found in values.items()
            ],
            "authorizationRule": {"expression": expression(whole, parts)},
        }
        for values, whole, parts in of
    ]
    return body


def holds(test: tuple[str, bool, list[str]], request: Mapping[str, str]) -> bool | None:
    """None without a value of the attribute."""
    name, wanted, values = test
    return None if name not in request else (request[name] in values) is wanted


def naive(drawn: Any, request: Json, values: Json, defaults: Json, drafts: bool) -> str:
    user, state, days, of = drawn
    counts = state == "ACTIVE" or (drafts and state == "DRAFT")
    if user != "u" or not counts or days == -1:
        return "NOT_APPLICABLE"
    matched = satisfied = False
    for wanted, whole, parts in of:
        needed = {name: wanted.get(name) or defaults[name] for name in RESOURCES}
        if any(allowed and values.get(name) not in allowed for name, allowed in needed.items()):
            continue
        matched = True
        silent = [name for name in REQUESTS if name not in [part[0] for part in parts]]
        by_default = all(
            not defaults[name] or request.get(name) in defaults[name] for name in silent
        )
        found = [holds(part, request) for part in parts]
        if whole:
            result = all(each is True for each in found)
        else:
            result = any(each is True for each in found)
        satisfied = satisfied or (result and by_default)
    if not matched:
        return "NO_MATCHING_POLICY"
    return "HAS_SATISFIED_POLICY" if satisfied else "NO_SATISFIED_POLICY"


@settings(max_examples=60, deadline=None)
@given(
    definitions,
    st.dictionaries(st.sampled_from(RESOURCES), st.sampled_from(VALUES)),
    st.dictionaries(st.sampled_from(RESOURCES), st.sampled_from(VALUES)),
    st.dictionaries(st.sampled_from(REQUESTS), st.sampled_from(VALUES)),
    st.lists(consents, max_size=3),
    st.booleans(),
)
def test_determinations(
    defaults: Json, of_mappings: Json, given_values: Json, request: Any, drawn: Any, drafts: bool
) -> None:
    known = Definitions(
        [definition(name, defaults[name], of_mappings.get(name, "")) for name in defaults]
    )
    mapping = {
        "userId": "u",
        "resourceAttributes": [
            {"attributeDefinitionId": name, "values": [value]}
            for name, value in given_values.items()
        ],
    }
    evaluator = Evaluator(known, request, moment=NOW, drafts=drafts)
    found = evaluator.determine(mapping, [consent(n, one) for n, one in enumerate(drawn)])
    values = {**of_mappings, **given_values}
    expected = {
        f"s/consents/{number}": naive(one, request, values, defaults, drafts)
        for number, one in enumerate(drawn)
    }
    assert found.details == expected
    assert found.consented == ("HAS_SATISFIED_POLICY" in expected.values())
    assert evaluator.selects(mapping, given_values)
