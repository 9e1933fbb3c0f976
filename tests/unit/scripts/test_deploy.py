import os
import signal
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import _cmd
from pulumi.automation.errors import create_command_error

from scripts.common import deploy
from scripts.common.errors import ScriptError

RESOURCES = [
    {"type": "pulumi:pulumi:Stack", "urn": "urn:stack"},
    {"type": "pulumi:providers:gcp", "urn": "urn:provider", "id": "x"},
    {
        "type": "gcp:healthcare/dataset:Dataset",
        "urn": "urn:dataset",
        "id": "projects/p/locations/l/datasets/d",
    },
]


def _command_error(err: str) -> Exception:
    return create_command_error(_cmd.CommandResult(stdout="", stderr=err, code=255))


class FakeStack:
    """A stack of the Automation API; what it was told, and an error if it has one."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.told: dict[str, Any] = {}
        self.done: list[str] = []

    def up(self, **options: Any) -> Any:
        self.told = options
        self.done.append("up")
        options["on_output"]("Updating (local)")
        if self.error:
            raise self.error
        summary = SimpleNamespace(resource_changes={automation.OpType.CREATE: 2})
        return SimpleNamespace(summary=summary, outputs={"a": SimpleNamespace(value="b")})

    def export_stack(self) -> Any:
        return SimpleNamespace(deployment={"resources": RESOURCES})


@pytest.fixture
def pulumi(monkeypatch: pytest.MonkeyPatch) -> FakeStack:
    fake = FakeStack()
    for name in ("create_or_select_stack", "select_stack"):
        monkeypatch.setattr(automation, name, lambda *_, **__: fake)
    monkeypatch.setattr(deploy, "settle", lambda *_: fake.done.append("settle"))
    return fake


def test_up_reports_counts_and_gives_outputs(pulumi: FakeStack) -> None:
    lines: list[str] = []
    done = deploy.up("local", {}, report=lines.append, color=False)
    assert done == deploy.Deployment(2, {"create": 2}, {"a": "b"})
    assert lines == ["Updating (local)"]
    assert (pulumi.told["diff"], pulumi.told["color"]) == (True, "never")


def test_what_an_interrupted_update_left_is_settled_first(pulumi: FakeStack) -> None:
    deploy.up("local", {}, report=lambda _: None, color=False)
    assert pulumi.done == ["settle", "up"]


def test_a_failed_up_says_pulumis_own_error(pulumi: FakeStack) -> None:
    pulumi.error = _command_error("noise\n    error: location 'mars' is not allowed\n")
    with pytest.raises(ScriptError) as caught:
        deploy.up("local", {}, report=lambda _: None, color=False)
    message = "Deploying stack 'local' failed. error: location 'mars' is not allowed"
    assert caught.value.message == message


def test_a_locked_stack_is_cured_by_cancel(pulumi: FakeStack) -> None:
    pulumi.error = _command_error("error: the stack is currently locked by 1 lock(s)")
    with pytest.raises(ScriptError, match="is locked") as caught:
        deploy.up("local", {}, report=lambda _: None, color=False)
    assert "pulumi cancel --stack local" in caught.value.cure


def test_the_state_is_read_resource_by_resource(pulumi: FakeStack) -> None:
    found = deploy.resources("local", {})
    assert [r.type for r in deploy.countable(found)] == [
        "pulumi:pulumi:Stack",
        "gcp:healthcare/dataset:Dataset",
    ]
    assert found[2].id == "projects/p/locations/l/datasets/d"


def test_a_stack_that_does_not_exist_has_no_resources(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise _command_error("error: no stack named 'x' found")

    monkeypatch.setattr(automation, "select_stack", missing)
    assert deploy.resources("x", {}) == []


def test_ctrl_c_lets_pulumi_finish_first(
    pulumi: FakeStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = []

    def up(**_: Any) -> None:
        # As from a terminal: the signal comes while Pulumi works, and Pulumi ends by itself.
        threading.Event().wait(0.05)
        os.kill(os.getpid(), signal.SIGINT)
        threading.Event().wait(0.05)
        ended.append("deployed")
        raise _command_error("error: update cancelled")

    monkeypatch.setattr(pulumi, "up", up)
    with pytest.raises(KeyboardInterrupt):
        deploy.up("local", {}, report=lambda _: None, color=False)
    assert ended == ["deployed"]
