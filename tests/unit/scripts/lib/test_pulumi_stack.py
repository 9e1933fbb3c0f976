"""`PulumiStack`, on a `pulumi` that notes its calls."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from scripts.lib.errors import ScriptError, UsageError
from scripts.lib.pulumi_results import UpdateResult
from scripts.lib.pulumi_stack import PulumiStack, require_program
from tests.support.fake_pulumi import FakePulumi

pytestmark = pytest.mark.sockets  # starts processes

STATE = {"version": 3, "deployment": {"resources": [{"urn": "u"}]}}
LOCKED = "error: the stack is currently locked by 1 lock(s)"


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    return FakePulumi(tmp_path)


def _event(type_: str, outputs: dict[str, Any]) -> str:
    metadata = {"type": type_, "new": {"outputs": outputs}}
    return json.dumps({"resOutputsEvent": {"metadata": metadata}})


def test_the_state_is_exported_and_imported(pulumi: FakePulumi) -> None:
    pulumi.answer("stack-export", STATE)
    assert pulumi.stack.export_state() == STATE
    assert "stack export --non-interactive" not in pulumi.call
    assert "--stack acme/dev --non-interactive --color never" in pulumi.call
    assert pulumi.call.folder == str(pulumi.program)
    pulumi.answer("stack-export.secrets", {"version": 4})
    assert pulumi.stack.export_state(secrets=True) == {"version": 4}
    pulumi.stack.import_state(STATE)
    assert json.loads(pulumi.calls[-1].stdin) == STATE


def test_a_stack_that_never_was_has_no_state_and_no_outputs(pulumi: FakePulumi) -> None:
    for command in ("stack-export", "stack-output"):
        pulumi.answer(f"{command}.error", "error: no stack named 'dev' found")
    assert pulumi.stack.export_state() is None
    assert pulumi.stack.outputs() is None
    pulumi.answer("stack-export.error", "error: passphrase must be set")
    with pytest.raises(ScriptError, match="passphrase must be set"):
        pulumi.stack.export_state()


def test_outputs(pulumi: FakePulumi) -> None:
    assert pulumi.stack.outputs() == {}
    pulumi.answer("stack-output", {"a": "b"})
    assert pulumi.stack.outputs() == {"a": "b"}
    assert "stack output --json" in pulumi.calls[-1]
    pulumi.answer("stack-output.error", "error: incorrect passphrase")
    with pytest.raises(ScriptError, match="incorrect passphrase") as caught:
        pulumi.stack.outputs()
    assert "pulumi stack ls" in caught.value.hint


def test_the_history(pulumi: FakePulumi) -> None:
    assert pulumi.stack.history() == []
    pulumi.answer("stack-history", [{"kind": "update"}])
    assert pulumi.stack.history() == [{"kind": "update"}]
    assert "stack history --json" in pulumi.calls[-1]
    pulumi.answer("stack-history.error", "")
    with pytest.raises(ScriptError, match="history"):
        pulumi.stack.history()


def test_config_reads_texts_and_objects(pulumi: FakePulumi) -> None:
    values = {"gcp:project": {"value": "p"}, "a:list": {"objectValue": [1]}}
    pulumi.answer("config.secrets", values)
    assert pulumi.stack.config() == {"gcp:project": "p", "a:list": [1]}


def test_a_stack_is_created_selected_unlocked_and_refreshed(pulumi: FakePulumi) -> None:
    stack = pulumi.stack
    stack.create()
    stack.select()
    stack.cancel()
    stack.refresh(["urn:a", "urn:b"])
    created, selected, cancelled, refreshed = pulumi.calls
    assert "stack init acme/dev --no-select" in created
    assert "stack select --create --stack acme/dev" in selected
    assert "cancel --yes acme/dev" in cancelled
    assert "refresh --yes --skip-preview --target urn:a --target urn:b" in refreshed


@pytest.mark.parametrize("command", ["init", "select"])
def test_a_stack_that_cannot_be_made_says_why(pulumi: FakePulumi, command: str) -> None:
    pulumi.answer(f"stack-{command}.error", "error: invalid stack name")
    act = pulumi.stack.create if command == "init" else pulumi.stack.select
    with pytest.raises(ScriptError, match=r"stack 'acme/dev' failed\. error: invalid stack name"):
        act()


def test_an_import_protects_nothing_and_writes_no_code(pulumi: FakePulumi) -> None:
    pulumi.stack.import_resources({"resources": []})
    assert {"--protect=false", "--generate-code=false", "--yes"} <= set(pulumi.call.arguments)


def test_a_locked_stack_has_a_hint_to_cancel(pulumi: FakePulumi) -> None:
    acts: dict[str, Callable[[], object]] = {
        "import": lambda: pulumi.stack.import_resources({"resources": []}),
        "up": lambda: pulumi.stack.up(lambda _: None),
        "destroy": lambda: pulumi.stack.destroy(None, lambda _: None),
    }
    for command, act in acts.items():
        pulumi.answer(f"{command}.error", LOCKED)
        with pytest.raises(ScriptError, match="is locked") as caught:
            act()
        assert "pulumi cancel --yes --stack acme/dev" in caught.value.hint


def test_up_reports_lines_and_reads_outputs_and_counts_from_events(pulumi: FakePulumi) -> None:
    changes = {"create": 2, "same": 3, "delete": 1, "replace": 1, "discard": 1}
    events = [
        _event("gcp:x:X", {"a": "of another"}),
        _event("pulumi:pulumi:Stack", {"a": "b"}),
        json.dumps({"summaryEvent": {"resourceChanges": changes}}),
        json.dumps({"cancelEvent": {}}),
    ]
    pulumi.answer("--event-log", "\n".join(events))
    pulumi.answer("up", "Updating (dev)\n    done\n")
    lines: list[str] = []
    done = pulumi.stack.up(lines.append, color=True)
    assert done == UpdateResult(changes, {"a": "b"})
    assert done.resources == 6
    assert lines == ["Updating (dev)", "    done"]
    assert "--color always" in pulumi.call
    assert "--color never" not in pulumi.call
    assert "--diff" in pulumi.call


def test_a_failed_up_says_pulumis_own_error(pulumi: FakePulumi) -> None:
    error = "error: location 'mars' is not allowed"
    pulumi.answer("up.error", f"noise\n    \033[31m{error}\033[0m\n    {error}\n")
    lines: list[str] = []
    with pytest.raises(ScriptError) as caught:
        pulumi.stack.up(lines.append)
    assert caught.value.message == f"Deploying stack 'acme/dev' failed. {error}"
    assert len(lines) == 3


def test_the_whole_stack_is_destroyed_line_by_line(pulumi: FakePulumi) -> None:
    pulumi.answer("destroy", "one\ntwo\n")
    lines: list[str] = []
    pulumi.stack.destroy(None, lines.append)
    assert lines == ["one", "two"]
    assert "destroy --yes --skip-preview --suppress-progress --color never" in pulumi.call
    assert "--stack acme/dev" in pulumi.call


def test_targets_and_colours_are_passed_on(pulumi: FakePulumi) -> None:
    pulumi.stack.destroy(["urn:a", "urn:b"], lambda _: None, color=True)
    assert "--target urn:a --target urn:b" in pulumi.call
    assert "--color always" in pulumi.call


def test_a_preview_destroys_nothing(pulumi: FakePulumi) -> None:
    pulumi.stack.destroy(None, lambda _: None, preview_only=True)
    assert "destroy --preview-only" in pulumi.call
    assert "--yes" not in pulumi.call


def test_the_project_is_named_by_its_file(pulumi: FakePulumi) -> None:
    assert pulumi.stack.project == "imaging"


@pytest.mark.parametrize("text", ["", "runtime: python\n", "name: [", "- name\n"])
def test_a_project_file_without_a_name_is_refused(pulumi: FakePulumi, text: str) -> None:
    (pulumi.program / "Pulumi.yaml").write_text(text)
    with pytest.raises(ScriptError, match=r"Pulumi\.yaml is not a valid Pulumi project file"):
        _ = pulumi.stack.project


def test_the_backend_is_asked_for_where_no_variable_names_it(
    pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pulumi.stack.backend_url == "file://own"
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    pulumi.answer("whoami", {"user": "anna", "url": "gs://states"})
    path = {"PATH": pulumi.environment()["PATH"]}
    stack = PulumiStack("dev", pulumi.program, path)
    assert [stack.backend_url, stack.backend_url] == ["gs://states"] * 2
    assert "whoami --json" in pulumi.call
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    assert PulumiStack("dev", pulumi.program, path).backend_url == "s3://states"


def test_a_folder_needs_a_program(pulumi: FakePulumi, tmp_path: Path) -> None:
    assert require_program(pulumi.program) == pulumi.program
    with pytest.raises(UsageError, match=r"has no Pulumi\.yaml"):
        require_program(tmp_path)
