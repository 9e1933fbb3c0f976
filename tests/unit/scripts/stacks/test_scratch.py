"""A copy of a stack, made by a fake `pulumi`."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.stacks.scratch import count_managed, scratch
from tests.support.fake_pulumi import FakePulumi

STATE: dict[str, Any] = {
    "version": 3,
    "deployment": {
        "secrets_providers": {"type": "cloud"},
        "resources": [
            {"type": "pulumi:providers:gcp", "custom": True},
            {"type": "gcp:x:X", "custom": True, "outputs": {"a": {"ciphertext": "v1:abc"}}},
            {"type": "box", "custom": False},
        ],
    },
}


@pytest.fixture
def pulumi(tmp_path: Path) -> FakePulumi:
    return FakePulumi(tmp_path)


def test_what_is_managed_is_counted_without_components_and_providers() -> None:
    assert count_managed(STATE) == 1
    assert (
        count_managed(None)
        == count_managed({"deployment": None})
        == count_managed({"deployment": {}})
        == 0
    )


def test_a_copy_has_the_program_the_name_and_a_backend_of_its_own(pulumi: FakePulumi) -> None:
    with scratch(pulumi.stack, None) as copy:
        folder = copy.program
        assert copy.name == "dev"
        assert (copy.program / "__main__.py").read_text() == "print(1)"
        text = copy.config_file.read_text()
        assert "gcp:project: p" in text
        assert "v1:own" not in text
        assert folder.parent.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert "v1:own" in pulumi.stack.config_file.read_text()
    assert pulumi.call.arguments[:3] == ["stack", "init", "dev"]
    assert pulumi.call.backend.startswith("file:///")
    assert pulumi.call.folder == str(folder)


@pytest.mark.parametrize("settings", ["config: {}\n", "config: {a: {secure: v1:abc}}\n"])
def test_a_copied_state_is_encrypted_as_the_copy_encrypts(
    pulumi: FakePulumi, settings: str
) -> None:
    pulumi.configure(settings)
    plain = json.loads(json.dumps(STATE).replace('"ciphertext": "v1:abc"', '"plaintext": "x"'))
    pulumi.answer("stack-export.secrets", plain)
    pulumi.answer("config.secrets", {"a": {"value": "t"}})
    with scratch(pulumi.stack, STATE):
        pass
    created, exported, put = pulumi.calls[-3:]
    assert (exported.arguments[:2], exported.backend) == (["stack", "export"], "file://own")
    assert (put.arguments[:2], put.backend) == (["stack", "import"], created.backend)
    deployment = json.loads(put.stdin)["deployment"]
    assert deployment["secrets_providers"] == {
        "type": "passphrase",
        "state": {"salt": "v1:c+/o:py="},
    }
    assert deployment["resources"] == plain["deployment"]["resources"]


def test_secret_settings_are_decrypted_for_the_copy_alone(pulumi: FakePulumi) -> None:
    pulumi.configure("config:\n  a:token:\n    secure: v1:abc\nencryptionsalt: v1:own\n")
    values = {"a:token": {"value": "t", "secret": True}, "a:list": {"objectValue": [1]}}
    pulumi.answer("config.secrets", values)
    with scratch(pulumi.stack, None) as copy:
        settings = yaml.safe_load(copy.config_file.read_text())
        assert settings["config"] == {"a:token": "t", "a:list": [1]}


def test_settings_are_copied_as_they_are_written(pulumi: FakePulumi) -> None:
    text = "config:\n  a:on: on\n  a:time: 12:30:00\n  a:mode: 0644\n  a:day: 2026-11-29\n"
    pulumi.configure(f"{text}  a:list:\n  - 'yes'\n  - {{name: \u00fc}}\nencryptionsalt: v1:own\n")
    with scratch(pulumi.stack, None) as copy:
        copied = copy.config_file.read_text("utf-8")
    assert copied.startswith(f"{text}  a:list:\n  - 'yes'\n  - {{name: \u00fc}}\n")


def test_a_key_called_secure_somewhere_else_is_no_secret(pulumi: FakePulumi) -> None:
    pulumi.configure("config:\n  a:note: 'not secure: at all'\n")
    with scratch(pulumi.stack, None):
        pass
    assert [call.arguments[0] for call in pulumi.calls] == ["stack"]


def test_an_empty_configuration(pulumi: FakePulumi) -> None:
    pulumi.configure("# nothing yet\n")
    with scratch(pulumi.stack, None) as copy:
        assert "encryptionsalt" in copy.config_file.read_text()
