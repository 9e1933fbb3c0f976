"""The inputs of the adapters' resources against the copy of the Google provider's schema."""

from collections.abc import Iterator
from typing import Any

import pytest

from engine.standin import provider_schema
from tests.support.program import run
from tests.unit.components.deployment import Resource

SECRET = "projects/vault/secrets/{}/versions/1"
MAPS = {"labels", "metadata"}
"""Fields whose keys are the program's own."""
STACK: dict[str, Any] = {
    "labels": {"team": "imaging"},
    "topics": [{"name": "events"}, {"name": "dead"}],
    "dicomStores": [{"name": "ct", "notificationConfig": {"pubsubTopic": "events"}}],
    "hl7v2Stores": [{"name": "adt", "notificationConfigs": [{"pubsubTopic": "events"}]}],
    "adapterRepository": {"name": "adapters"},
    "dimseAdapters": [
        {
            "name": "ct",
            "dicomStore": "ct",
            "aet": "ADAPTER",
            "address": "10.128.0.9",
            "sourceRanges": ["10.20.0.0/16"],
            "kmsKeyName": "projects/p12345/locations/us-central1/keyRings/r/cryptoKeys/k",
            "tls": {"certificate": SECRET.format("cert"), "key": SECRET.format("key")},
            "aets": [{"name": "PACS", "host": "10.20.0.9", "port": 104}],
            "outgoing": {"topic": "events", "peer": "PACS", "deadLetter": {"topic": "dead"}},
        }
    ],
    "mllpAdapters": [
        {
            "name": "adt",
            "hl7v2Store": "adt",
            "sourceRanges": ["10.20.0.0/16"],
            "outgoing": {"topic": "events", "peer": "10.20.0.9:2575"},
        }
    ],
}


@pytest.fixture(scope="module")
def resources() -> list[Resource]:
    found = run(**STACK).resources
    return [item for item in found if "adapter" in item.name and item.type.startswith("gcp:")]


def paths(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Each field that inputs give, nested ones by their path, with its value."""
    for key, item in value.items():
        path = f"{prefix}{key}"
        yield path, item
        inner = [item] if isinstance(item, dict) else item if isinstance(item, list) else []
        if key not in MAPS:
            for each in inner:
                if isinstance(each, dict):
                    yield from paths(each, f"{path}.")


def test_every_type_is_known_to_the_stand_in(resources: list[Resource]) -> None:
    assert len(resources) > 40
    assert {item.type for item in resources} - set(provider_schema.tokens()) == set()


def test_every_input_is_a_field_that_a_program_may_set(resources: list[Resource]) -> None:
    for resource in resources:
        fields = provider_schema.load(resource.type).fields
        for path, value in paths(resource.inputs):
            field = fields.get(path)
            assert field is not None, (resource.type, path)
            assert not field.output, (resource.type, path)
            if field.values and isinstance(value, str):
                assert value in field.values, (resource.type, path, value)


def test_every_required_field_is_given(resources: list[Resource]) -> None:
    for resource in resources:
        given = {path for path, _ in paths(resource.inputs)}
        for path, field in provider_schema.load(resource.type).fields.items():
            if field.required and "." not in path:
                assert path in given, (resource.type, path)
