"""Reading properties that may be absent, unknown or of an odd shape."""

import pytest

from policy.model import UNKNOWN
from policy.properties import labels, look, present, texts
from tests.unit.policy.builders import store


def test_look_reports_absent_from_unknown() -> None:
    props = {"a": {"b": "c"}, "u": UNKNOWN, "text": "t"}
    assert look(props, "a", "b") == "c"
    assert look(props, "a", "z") is None
    assert look(props, "z", "z") is None
    assert look(props, "text", "z") is None
    assert look(props, "u") is UNKNOWN
    assert look(props, "u", "b") is UNKNOWN


def test_present_counts_what_is_still_to_come() -> None:
    assert present(UNKNOWN)
    assert present(False)
    nothings: list[object] = [None, "", [], {}]
    assert not any(map(present, nothings))


def test_an_unknown_value_is_never_taken_for_true_or_false() -> None:
    with pytest.raises(TypeError, match="compare it with UNKNOWN"):
        bool(UNKNOWN)


def test_texts_have_paths_and_leave_free_text_out() -> None:
    props = {
        "a": [{"b": "one"}, UNKNOWN, 3],
        "description": "no",
        "labels": {"x": "no"},
        "__defaults": ["no"],
        "policyData": '{"bindings": [{"role": "two"}]}',
    }
    assert list(texts(props)) == [("a[0].b", "one"), ("policyData.bindings[0].role", "two")]


def test_a_policy_that_is_no_json_is_left_to_the_provider() -> None:
    assert list(texts({"policyData": "{"})) == [("policyData", "{")]
    assert list(texts({"policyData": UNKNOWN})) == []


def test_labels_of_the_resource_win_over_the_provider() -> None:
    both = store({"a": "own"}, provider={"defaultLabels": '{"a": "all", "b": "all"}'})
    assert labels(both) == {"a": "own", "b": "all"}
    assert labels(store({"a": "own"}, provider={"defaultLabels": UNKNOWN})) is UNKNOWN
    assert labels(store("odd")) == {}
