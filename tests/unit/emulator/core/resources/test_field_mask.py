"""Field masks: nested paths, maps, fields that are cleared."""

from typing import Any

import pytest

from emulator.core.discovery import api
from emulator.core.errors import ApiError
from emulator.core.resources.field_mask import FieldMask

PUBSUB = api("pubsub", "v1")
BEFORE: dict[str, Any] = {
    "ackDeadlineSeconds": 10,
    "labels": {"a_key": "1", "b": "2"},
    "pushConfig": {"pushEndpoint": "https://a.example", "noWrapper": {"writeMetadata": True}},
}


def parse(text: str) -> FieldMask:
    return FieldMask.parse(text, PUBSUB, "Subscription")


def test_paths_are_read_in_either_case() -> None:
    mask = parse("ack_deadline_seconds, pushConfig.push_endpoint,,labels")
    assert mask.paths == (("ackDeadlineSeconds",), ("pushConfig", "pushEndpoint"), ("labels",))
    assert mask.fields == {"ackDeadlineSeconds", "pushConfig", "labels"}
    assert mask.outside({"labels", "pushConfig"}) == ["ackDeadlineSeconds"]
    assert parse(" ").paths == ()


def test_a_nested_path_changes_its_field_alone() -> None:
    given = {"pushConfig": {"pushEndpoint": "https://b.example", "attributes": {"x": "y"}}}
    changed = parse("push_config.push_endpoint").apply(BEFORE, given)
    assert changed["pushConfig"] == {
        "pushEndpoint": "https://b.example",
        "noWrapper": {"writeMetadata": True},
    }
    assert BEFORE["pushConfig"]["pushEndpoint"] == "https://a.example"


def test_a_nested_path_makes_the_messages_around_it() -> None:
    given = {"retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "2s"}}
    changed = parse("retryPolicy.minimumBackoff").apply(BEFORE, given)
    assert changed["retryPolicy"] == {"minimumBackoff": "1s"}


def test_what_a_request_leaves_out_is_cleared() -> None:
    changed = parse("ackDeadlineSeconds,pushConfig.noWrapper,retryPolicy.minimumBackoff").apply(
        BEFORE, {}
    )
    assert changed == {
        "labels": BEFORE["labels"],
        "pushConfig": {"pushEndpoint": "https://a.example"},
    }


def test_a_key_of_a_map_stays_as_it_is_written() -> None:
    changed = parse("labels.a_key,labels.b").apply(BEFORE, {"labels": {"a_key": "3"}})
    assert changed["labels"] == {"a_key": "3"}


@pytest.mark.parametrize(
    "path",
    [
        "push_config.nonsense",
        "ackDeadlineSeconds.x",
        "labels.a.b",
        "nonsense.x",
        "pushConfig.",
        ".",
    ],
)
def test_a_path_below_a_field_without_it_is_refused(path: str) -> None:
    with pytest.raises(ApiError, match="is not a field") as refused:
        parse(path)
    assert refused.value.code == 400
