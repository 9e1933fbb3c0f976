"""The two forms of a preview."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from scripts.lib.property_values import Special, Value, format_path
from scripts.preview.errors import PreviewInputError
from scripts.preview.model import Action, Change, Preview
from scripts.preview.names import name, type_name
from scripts.preview.parse import parse

Read = Callable[[str], Preview]


def counts(preview: Preview) -> dict[str, int]:
    return dict(Counter(change.action.value for change in preview.changes))


def the(preview: Preview, cloud_name: str) -> Change:
    (found,) = [change for change in preview.changes if name(change.state) == cloud_name]
    return found


def properties(change: Change) -> dict[str, tuple[Value, Value]]:
    return {format_path(p.path): (p.old, p.new) for p in change.properties}


@pytest.mark.parametrize(
    ("recording", "expected"),
    [
        ("create", {"create": 8}),
        ("nothing", {}),
        ("update", {"update": 5}),
        ("rename", {"replace": 5}),
        ("rename-steps", {"replace": 5}),
        ("removed", {"delete": 1}),
        ("secret", {"update": 1}),
        ("warehouse", {"replace": 5}),
        ("refresh", {"create": 1, "update": 1}),
        ("import", {"adopt": 1}),
        ("unprotect", {"protect": 1}),
        ("retained", {"forget": 1}),
        ("read", {}),
        ("discard", {"forget": 1}),
    ],
)
def test_counts_resources_not_steps(read: Read, recording: str, expected: dict[str, int]) -> None:
    preview = read(recording)
    assert counts(preview) == expected
    assert preview.stack == "dev"
    assert not preview.failed


@pytest.mark.parametrize("recording", ["create", "nothing", "update", "rename", "refresh"])
def test_both_forms_report_the_same(read: Read, recording: str) -> None:
    document, stream = read(recording), read(f"{recording}.events")
    from_document = [(c.action, c.urn, c.was_gone, properties(c)) for c in document.changes]
    assert [(c.action, c.urn, c.was_gone, properties(c)) for c in stream.changes] == from_document


def test_the_stream_also_lists_what_stays(read: Read) -> None:
    stays = [name(state) for state in read("nothing.events").unchanged]
    assert {"dataset1", "dicomstore1", "dicomstore2", "fhirstore1", "raw-images"} <= set(stays)
    assert read("nothing").unchanged == ()


def test_an_update_has_every_property_with_both_values(read: Read) -> None:
    preview = read("update")
    assert properties(the(preview, "dicomstore1")) == {
        "labels.env": ("lab", "prod"),
        "labels.team": (Special.ABSENT, "x"),
    }
    (dataset,) = [c for c in preview.changes if type_name(c.state) == "Healthcare dataset"]
    assert properties(dataset) == {"timeZone": ("UTC", "Europe/Zurich")}


def test_a_replacement_says_what_forces_it(read: Read) -> None:
    preview = read("rename")
    dataset = the(preview, "dataset1")
    assert dataset.forced_by == ("name",)
    assert properties(dataset) == {"name": ("dataset1", "dataset2")}
    # The engine gives no reason for those that go along: it is found from their inputs.
    assert the(preview, "dicomstore1").forced_by == ("dataset",)
    assert the(read("rename-steps"), "dicomstore1").forced_by == ("dataset",)


def test_a_secret_is_no_text_any_more(read: Read) -> None:
    for form in ("secret", "secret.events"):
        change = the(read(form), "raw-images")
        assert properties(change) == {
            "labels.classification": (Special.ABSENT, Special.SECRET),
        }


def test_what_a_refresh_found_gone_is_created_again(read: Read) -> None:
    assert the(read("refresh"), "dicomstore1").was_gone
    assert properties(the(read("refresh"), "dicomstore2")) == {"labels.env": ("drifted", "lab")}


@pytest.mark.parametrize("recording", ["boom", "checkfail", "checkfail.events", "protected"])
def test_a_failed_preview_is_known_by_its_errors(read: Read, recording: str) -> None:
    preview = read(recording)
    assert preview.failed
    assert preview.errors


def test_a_trace_is_reduced_to_what_was_raised(read: Read) -> None:
    assert [p.text for p in read("boom").errors] == ["ValueError: dataset: not allowed"]


def test_a_refused_value_is_not_repeated(read: Read) -> None:
    (error,) = read("checkfail").errors
    assert "property location value {not shown} has a problem" in error.text
    assert error.urn.endswith("::dataset")


def test_warnings_are_kept_and_debug_events_are_not(read: Read) -> None:
    (warning,) = read("warn").warnings
    assert warning.text == "careful | <b>now</b> @team"
    stream = read("secret.events")
    assert stream.warnings == stream.errors == ()


def test_a_stream_that_ends_early_has_failed(recorded: Callable[[str], Path]) -> None:
    lines = recorded("nothing.events").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if "summaryEvent" not in line]
    assert parse("\n".join(kept)).failed


def test_a_mandatory_policy_fails_the_preview() -> None:
    urn = "urn:pulumi:dev::p::gcp:storage/bucket:Bucket::raw"
    policy = {
        "resourceUrn": urn,
        "message": "<{%fg 9%}>no public members<{%reset%}>",
        "policyName": "no-public",
        "policyPackName": "healthcare",
        "enforcementLevel": "mandatory",
    }
    events = [
        {"sequence": 0, "policyEvent": policy},
        {"sequence": 1, "policyEvent": {**policy, "enforcementLevel": "advisory"}},
        {"sequence": 2, "summaryEvent": {"result": "failed"}},
    ]
    preview = parse("\n".join(map(json.dumps, events)), stack="dev")
    assert preview.failed
    assert [p.text for p in preview.violations] == [
        "mandatory: healthcare/no-public: no public members",
        "advisory: healthcare/no-public: no public members",
    ]
    assert preview.violations[0].urn == urn
    assert [p.text for p in preview.errors] == [
        "the mandatory policy healthcare/no-public is violated"
    ]


def test_a_copy_left_by_an_interrupted_replacement_is_a_deletion() -> None:
    urn = "urn:pulumi:dev::p::gcp:healthcare/dicomStore:DicomStore::store"
    state = {"urn": urn, "custom": True, "type": "gcp:healthcare/dicomStore:DicomStore", "id": "a"}
    steps = [
        {"op": "delete-replaced", "urn": urn, "oldState": {**state, "delete": True}},
        {"op": "same", "urn": urn, "oldState": state, "newState": state},
    ]
    preview = parse(json.dumps({"steps": steps, "changeSummary": {}}))
    assert [change.action for change in preview.changes] == [Action.DELETE]


def test_a_refresh_of_other_clis_reports_the_loss_as_a_deletion() -> None:
    """Some versions turn the refresh step of a vanished resource into a delete."""
    urn = "urn:pulumi:dev::p::gcp:healthcare/dicomStore:DicomStore::store"
    state = {"urn": urn, "custom": True, "type": "gcp:healthcare/dicomStore:DicomStore", "id": "a"}
    steps = [
        {"op": "delete", "urn": urn, "oldState": state},
        {"op": "create", "urn": urn, "newState": state},
    ]
    (change,) = parse(json.dumps({"steps": steps, "changeSummary": {}})).changes
    assert (change.action, change.was_gone) == (Action.CREATE, True)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the preview is empty"),
        ("  \n", "the preview is empty"),
        ("Previewing update (dev)\n", r"this is not JSON \(line 1, column 1"),
        ('{"a": 1}', "JSON, but not a preview"),
        ("[]", "JSON, but not a preview"),
        ("null", "JSON, but not a preview"),
        ('{"sequence": 0}\n{"sequence"', "line 2 of the events is not JSON"),
        ('{"sequence": 0}\n[]', "line 2 is JSON, but no event"),
        ('{"steps": [{"op": "create"}]}', "no `op` or no `urn`"),
        ('{"sequence": 0, "resourcePreEvent": {}}', "no `metadata`"),
    ],
)
def test_bad_input_is_refused_with_its_reason(text: str, message: str) -> None:
    with pytest.raises(PreviewInputError, match=message):
        parse(text)


def test_bad_input_is_never_quoted() -> None:
    with pytest.raises(PreviewInputError) as raised:
        parse("passphrase=hunter2")
    assert "hunter2" not in str(raised.value)
