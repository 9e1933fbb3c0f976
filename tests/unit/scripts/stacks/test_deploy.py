from pathlib import Path

import pytest

from scripts.lib.pulumi_stack import PulumiStack
from scripts.stacks import deploy
from tests.support.fake_pulumi import FakePulumi

pytestmark = pytest.mark.sockets  # starts processes


def test_an_interrupted_update_is_recovered_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi = FakePulumi(tmp_path)
    pulumi.answer("--event-log", "")
    order: list[str] = []

    def recover(stack: PulumiStack, _: object) -> None:
        order.extend(call.arguments[0] for call in pulumi.calls)
        order.append("recover")

    monkeypatch.setattr(deploy, "recover", recover)
    deploy.up(pulumi.stack, lambda _: None, color=False)
    assert [*order, pulumi.calls[-1].arguments[0]] == ["stack", "recover", "up"]
    assert "stack select --create" in pulumi.calls[0]
