"""The Markdown and the JSON, whole."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scripts.preview.acknowledge import Acknowledgement, acknowledgement
from scripts.preview.errors import PreviewInputError
from scripts.preview.model import Action, Change, Preview, Problem, PropertyChange, State
from scripts.preview.page import Page
from scripts.preview.parse import parse
from scripts.preview.render import LIMIT, markdown, marker
from scripts.preview.report import report

Read = Callable[[str], Preview]
NOBODY = Acknowledgement()
STORE = "gcp:healthcare/dicomStore:DicomStore"


def plain(text: str) -> str:
    """Drop the markup of code, to read what people read."""
    entity = re.sub(r"&#(\d+);", lambda match: chr(int(match[1])), text)
    return entity.replace("<code>", "`").replace("</code>", "`")


def test_the_loss_comes_before_everything_else(read: Read) -> None:
    text = plain(markdown(read("rename"), NOBODY))
    lines = text.splitlines()
    assert lines[0] == marker("dev")
    assert lines[1] == "## Preview of `dev`: 5 to replace"
    assert lines[3:5] == [
        "> [!CAUTION]",
        "> **This change would lose data, patient data among it.**",
    ]
    assert lines[6].startswith("> - Healthcare dataset `dataset1` would be replaced")
    assert "adds the label `acknowledge-data-loss`" in lines[8]
    assert text.index("[!CAUTION]") < text.index("| 🔁 to replace |") < text.index("<details")
    assert "| Healthcare dataset `dataset1` | `name` | `dataset1` | `dataset2` |" in lines


def test_an_acknowledged_loss_is_still_reported(read: Read) -> None:
    text = plain(markdown(read("removed"), Acknowledgement("label")))
    assert "DICOM store `dicomstore2` would be deleted: all images in it would be lost." in text
    assert "> Acknowledged by label `acknowledge-data-loss`." in text
    assert "a maintainer adds" not in text


def test_an_update_is_reported_property_by_property(read: Read) -> None:
    lines = plain(markdown(read("update"), NOBODY)).splitlines()
    assert "| DICOM store `dicomstore1` | `labels.env` | `lab` | `prod` |" in lines
    assert "| DICOM store `dicomstore1` | `labels.team` | *not set* | `x` |" in lines
    assert "| Healthcare dataset `dataset1` | `timeZone` | `UTC` | `Europe/Zurich` |" in lines
    assert "| BigQuery dataset `dataset1` | `description` | `DICOM` | `DICOM | metadata` |" in lines


def test_a_creation_lists_resources_with_their_properties(read: Read) -> None:
    text = plain(markdown(read("create"), NOBODY))
    assert "## Preview of `dev`: 8 to create" in text
    assert (
        "| DICOM store `dicomstore1` | `dataset` *known after the deployment*, "
        "`labels.env` `lab`, `name` `dicomstore1` |"
    ) in text
    assert "CAUTION" not in text


@pytest.mark.parametrize("form", ["nothing", "nothing.events"])
def test_nothing_at_all_is_friendly(read: Read, form: str) -> None:
    text = markdown(read(form), NOBODY)
    assert "Nothing to do" in text
    assert "<details" not in text
    assert ("would stay as they are" in text) == (form == "nothing.events")


def test_a_failed_preview_says_why(read: Read) -> None:
    text = plain(markdown(read("boom"), NOBODY))
    assert "## Preview of `dev`: failed" in text
    assert "> - `ValueError: dataset: not allowed`" in text
    assert "Nothing to do" not in text


def test_a_preview_that_failed_without_a_word() -> None:
    text = markdown(Preview("dev", failed=True), NOBODY, exit_code=255)
    assert "failed with exit code 255" in text
    assert "see the log of the job" in text


def test_what_was_gone_protection_and_letting_go_are_reported(read: Read) -> None:
    assert "`dicomstore1` (it was gone) |" in plain(markdown(read("refresh"), NOBODY))
    assert "| Healthcare dataset `dataset1` | **switched off** |" in plain(
        markdown(read("unprotect"), NOBODY)
    )
    assert "1 resource to forget" in markdown(read("retained"), NOBODY)


@pytest.mark.parametrize("form", ["secret", "secret.events"])
def test_secrets_appear_nowhere(read: Read, form: str) -> None:
    preview = read(form)
    for written in (markdown(preview, NOBODY), report(preview, NOBODY)):
        assert "correct-horse" not in plain(written)
        assert "ciphertext" not in written
    assert "| `labels.classification` | *not set* | *a secret* |" in plain(
        markdown(preview, NOBODY)
    )


def test_the_text_of_a_view_is_not_shown(read: Read) -> None:
    for written in (markdown(read("update"), NOBODY), report(read("update"), NOBODY)):
        assert "DOE" not in plain(written)
        assert "54 characters, not shown" in plain(written)


def test_values_and_messages_can_be_hidden_altogether(read: Read) -> None:
    updated = read("update")
    for written in (markdown(updated, NOBODY, hide=True), report(updated, NOBODY, hide=True)):
        assert "Europe" not in written
        assert "timeZone" in written
    failed = read("boom")
    for written in (markdown(failed, NOBODY, hide=True), report(failed, NOBODY, hide=True)):
        assert "not allowed" not in written


def test_json_has_the_same_facts(read: Read) -> None:
    document = json.loads(report(read("rename"), Acknowledgement("flag")))
    assert document["schema"] == 1
    assert document["stack"] == "dev"
    assert document["failed"] is False
    assert document["counts"]["replace"] == 5
    assert document["counts"]["create"] == 0
    loss = document["dataLoss"]
    assert (loss["found"], loss["acknowledged"], loss["by"]) == (True, True, "flag")
    (only,) = loss["losses"]
    assert only["name"] == "dataset1"
    assert [taken["name"] for taken in only["takes"]] == [
        "dicomstore1",
        "dicomstore2",
        "fhirstore1",
        "hl7v2store1",
    ]
    dataset = document["changes"][0]
    assert dataset["forcedBy"] == ["name"]
    assert dataset["properties"] == [
        {"path": "name", "old": "dataset1", "new": "dataset2", "forcesReplacement": True}
    ]


def test_json_names_the_placeholder_of_a_value(read: Read) -> None:
    (change,) = json.loads(report(read("secret"), NOBODY))["changes"]
    assert change["properties"][0]["old"] == {"special": "absent"}
    assert change["properties"][0]["new"] == {"special": "secret"}


def test_the_marker_is_the_same_for_a_stack_and_differs_between_two(read: Read) -> None:
    first, second = (markdown(read(name), NOBODY).splitlines()[0] for name in ("rename", "boom"))
    assert first == second == "<!-- gcp-healthcare-dicom:preview:dev -->"
    assert marker("prod") != marker("dev")
    assert marker("") == "<!-- gcp-healthcare-dicom:preview:unknown -->"


NAMES = st.text(min_size=1, max_size=80)


@st.composite
def previews(draw: st.DrawFn) -> Preview:
    def change(number: int) -> Change:
        urn = f"urn:pulumi:dev::p::{STORE}::{number}"
        state = State(
            urn, draw(st.sampled_from([STORE, draw(NAMES)])), inputs={"name": draw(NAMES)}
        )
        action = draw(st.sampled_from([a for a in Action if a is not Action.SAME]))
        prop = PropertyChange((draw(NAMES),), draw(NAMES), draw(NAMES), draw(st.booleans()))
        return Change(action, urn, state, state, (prop,), (draw(NAMES),))

    problems = tuple(Problem(draw(NAMES), draw(NAMES)) for _ in range(draw(st.integers(0, 2))))
    changes = tuple(change(number) for number in range(draw(st.integers(0, 6))))
    return Preview(draw(NAMES), changes, errors=problems, warnings=problems, failed=bool(problems))


@settings(deadline=None)
@given(previews())
def test_whatever_it_is_called_it_stays_text(preview: Preview) -> None:
    text = markdown(preview, NOBODY)
    outside = re.sub(r"<code>[^<>|`@]*</code>", "", text)
    tags = set(re.findall(r"<[^>]*>", outside)) - {marker(preview.stack)}
    assert tags <= {"<details>", "<details open>", "</details>", "<summary>", "</summary>"} | {
        "<sub>",
        "</sub>",
    }
    assert "@" not in text
    assert "`" not in text
    json.loads(report(preview, NOBODY))


def many(count: int, length: int) -> Preview:
    def change(number: int) -> Change:
        urn = f"urn:pulumi:dev::p::{STORE}::{number}"
        state = State(urn, STORE, inputs={"name": f"{number:05}" + "x" * length})
        action = (Action.DELETE, Action.UPDATE, Action.CREATE)[number % 3]
        prop = PropertyChange(("labels", "env"), "a", "b")
        return Change(action, urn, state, state, (prop,))

    return Preview("dev", tuple(change(number) for number in range(count)))


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 1500), st.integers(1, 200), st.sampled_from([2000, 5000, LIMIT]))
def test_it_never_gets_too_long(count: int, length: int, limit: int) -> None:
    assert len(markdown(many(count, length), NOBODY, limit=limit)) <= limit


def test_what_does_not_fit_is_counted() -> None:
    text = markdown(many(3000, 40), NOBODY)
    assert len(text) <= LIMIT
    shown = text.count("> - DICOM store")
    (more,) = re.findall(r"> - \*\*\.\.\. and (\d+) more losses\*\*", text)
    assert shown + int(more) == 1000
    assert "*Left out, too long for a comment:" in text
    assert "1000 rows of resources to update" in text


def test_a_page_says_what_was_left_out() -> None:
    page = Page(1000)
    page.add("head")
    page.add_list("list", ["row"] * 300, "and {} more", "rows")
    page.add_list("other", ["x" * 900], "and {} more", "things")
    text = page.text("end")
    assert text.count("row\n") + int(re.findall(r"and (\d+) more", text)[0]) == 300
    assert text.endswith("*Left out, too long for a comment: 1 things.*\n\nend\n")


@pytest.mark.parametrize(
    ("arguments", "by"),
    [
        ({"labels": "bug, acknowledge-data-loss"}, "label"),
        ({"labels": '["bug", "Acknowledge-Data-Loss"]'}, "label"),
        ({"labels": "bug\nacknowledge-data-loss\n"}, "label"),
        ({"labels": '["acknowledge-data-loss-not"]'}, ""),
        ({"labels": ""}, ""),
        ({"labels": "", "label": ""}, ""),
        ({"labels": '["yes, delete"]', "label": "yes, delete"}, "label"),
        ({"flag": True}, "flag"),
    ],
)
def test_who_may_acknowledge(arguments: dict[str, Any], by: str) -> None:
    whole = {"flag": False, "labels": "", "label": "acknowledge-data-loss", **arguments}
    assert acknowledgement(**whole).by == by


@pytest.mark.parametrize("labels", ["[1]", "[", '["a"'])
def test_labels_that_are_no_list_are_refused(labels: str) -> None:
    with pytest.raises(PreviewInputError, match="--labels"):
        acknowledgement(flag=False, labels=labels, label="x")


SECRET = "4dabf18193072939515e22adb298388d"


@settings(deadline=None)
@given(
    st.recursive(
        st.sampled_from(["plaintext", "ciphertext", "value"]).map(
            lambda key: {SECRET: "1b47061264138c4ac30d75fd1eb44270", key: "hunter2-hunter2"}
        ),
        lambda inner: st.lists(inner, min_size=1) | st.dictionaries(st.text(), inner, min_size=1),
        max_leaves=5,
    )
)
def test_no_secret_survives_at_any_depth(value: Any) -> None:
    urn = f"urn:pulumi:dev::p::{STORE}::s"
    state = {"urn": urn, "type": STORE, "custom": True, "id": "s"}
    after = {**state, "inputs": {"name": value, "labels": value}, "outputs": {"labels": value}}
    for op in ("create", "update", "replace", "delete", "import"):
        step = {
            "op": op,
            "urn": urn,
            "oldState": after,
            "newState": {**after, "inputs": {"labels": [value]}},
            "detailedDiff": {"labels": {"kind": "update-replace"}, "name": {"kind": "delete"}},
        }
        preview = parse(json.dumps({"steps": [step], "changeSummary": {}}))
        assert "hunter2" not in markdown(preview, NOBODY)
        assert "hunter2" not in report(preview, NOBODY)
