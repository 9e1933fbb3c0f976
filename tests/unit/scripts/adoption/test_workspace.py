"""The engine's command line on a stack and on its copy; `pulumi` is a script of this test."""

import json
import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.adoption.workspace import Workspace, managed, open_at, scratch
from scripts.common.errors import ScriptError

# Notes each call with its environment and input, and answers from files named by the first words.
PULUMI = f"""#!{sys.executable}
import json, os, pathlib, sys
here = pathlib.Path(__file__).parent
words = [word for word in sys.argv[1:] if not word.startswith("-")]
calls = here / "calls"
backend = os.environ.get("PULUMI_BACKEND_URL", "")
given = sys.stdin.read() if words[:2] == ["stack", "import"] else ""
with calls.open("a") as log:
    log.write(json.dumps([sys.argv[1:], backend, os.getcwd(), given]) + "\\n")
if words[:2] == ["stack", "init"]:
    file = pathlib.Path(f"Pulumi.{{words[2]}}.yaml")
    text = file.read_text()
    made = text.removesuffix("}}") + ", encryptionsalt: 'v1:c+/o:py='}}"
    file.write_text(made if text.endswith("}}") else text + "\\nencryptionsalt: v1:c+/o:py=\\n")
if "--import-file" in sys.argv and (here / "import.json").exists():
    path = sys.argv[sys.argv.index("--import-file") + 1]
    pathlib.Path(path).write_text((here / "import.json").read_text())
name = "-".join(words[:2]) if words[0] == "stack" else words[0]
name += ".secrets" if "--show-secrets" in sys.argv else ""
sys.stdout.write((here / name).read_text() if (here / name).exists() else "")
error = here / (name + ".error")
if error.exists():
    sys.stderr.write(error.read_text())
    sys.exit(255)
"""
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


class Desk:
    """A stack with a program, and what the engine answers."""

    def __init__(self, folder: Path) -> None:
        self.bin, self.program = folder / "bin", folder / "program"
        self.bin.mkdir()
        self.program.mkdir()
        pulumi = self.bin / "pulumi"
        pulumi.write_text(PULUMI)
        pulumi.chmod(pulumi.stat().st_mode | stat.S_IXUSR)
        (self.program / "Pulumi.yaml").write_text("name: lab")
        (self.program / "__main__.py").write_text("print(1)")
        self.configure("config:\n  gcp:project: p\nencryptionsalt: v1:own\n")
        path = f"{self.bin}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "PULUMI_BACKEND_URL": "file://own"}
        self.workspace = open_at("acme/dev", self.program, environment)

    def configure(self, text: str) -> None:
        (self.program / "Pulumi.dev.yaml").write_text(text)

    def answer(self, name: str, content: object) -> None:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.bin / name).write_text(text)

    @property
    def calls(self) -> list[tuple[list[str], str, str, str]]:
        lines = (self.bin / "calls").read_text().splitlines()
        return [tuple(json.loads(line)) for line in lines]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_preview_brings_the_import_file(desk: Desk) -> None:
    desk.answer("preview", {"steps": [], "changeSummary": {}})
    desk.answer("import.json", {"resources": [{"type": "t", "name": "n"}]})
    plan = desk.workspace.preview()
    assert plan.lists("urn:pulumi:dev::lab::t::n")
    [(arguments, backend, folder, _)] = desk.calls
    assert arguments[-2:] == ["--stack", "acme/dev"]
    assert (backend, folder) == ("file://own", str(desk.program))


def test_a_failed_preview_says_why(desk: Desk) -> None:
    diagnostic = {"severity": "error", "message": "location: mars is not allowed"}
    desk.answer("preview", {"steps": [], "diagnostics": [diagnostic]})
    desk.answer("preview.error", "error: preview failed")
    with pytest.raises(ScriptError, match="mars is not allowed"):
        desk.workspace.preview()
    desk.answer("preview", "")
    desk.answer("preview.error", "error: no such plugin")
    with pytest.raises(ScriptError, match="error: no such plugin"):
        desk.workspace.preview()


def test_an_import_protects_nothing_and_writes_no_code(desk: Desk) -> None:
    desk.workspace.take({"resources": []})
    [(arguments, *_)] = desk.calls
    assert {"--protect=false", "--generate-code=false", "--yes"} <= set(arguments)


def test_a_locked_stack_is_cured_by_cancel(desk: Desk) -> None:
    desk.answer("import.error", "error: the stack is currently locked by 1 lock(s)")
    with pytest.raises(ScriptError, match="is locked") as caught:
        desk.workspace.take({"resources": []})
    assert "pulumi cancel --stack acme/dev" in caught.value.cure


def test_a_stack_that_never_was_has_no_state(desk: Desk) -> None:
    desk.answer("stack-export.error", "error: no stack named 'dev' found")
    assert desk.workspace.state() is None
    desk.answer("stack-export.error", "error: passphrase must be set")
    with pytest.raises(ScriptError, match="passphrase must be set"):
        desk.workspace.state()


def test_what_is_managed_is_counted_without_components_and_providers() -> None:
    assert managed(STATE) == 1
    assert managed(None) == managed({"deployment": None}) == managed({"deployment": {}}) == 0


def test_a_copy_has_the_program_the_name_and_a_backend_of_its_own(desk: Desk) -> None:
    with scratch(desk.workspace, None) as copy:
        folder = copy.folder
        assert copy.stack == "dev"
        assert (copy.folder / "__main__.py").read_text() == "print(1)"
        text = copy.file.read_text()
        assert "gcp:project: p" in text
        assert "v1:own" not in text
        assert folder.parent.stat().st_mode & 0o077 == 0
    assert not folder.exists()
    assert "v1:own" in desk.workspace.file.read_text()
    [(arguments, backend, at, _)] = desk.calls
    assert arguments[:3] == ["stack", "init", "dev"]
    assert backend.startswith("file:///")
    assert at == str(folder)


@pytest.mark.parametrize("settings", ["config: {}\n", "config: {a: {secure: v1:abc}}\n"])
def test_a_copied_state_is_encrypted_as_the_copy_encrypts(desk: Desk, settings: str) -> None:
    desk.configure(settings)
    plain = json.loads(json.dumps(STATE).replace('"ciphertext": "v1:abc"', '"plaintext": "x"'))
    desk.answer("stack-export.secrets", plain)
    desk.answer("config.secrets", {"a": {"value": "t"}})
    with scratch(desk.workspace, STATE):
        pass
    (exported, own, _, _), (put, other, _, given) = desk.calls[-2:]
    assert (exported[:2], own) == (["stack", "export"], "file://own")
    assert (put[:2], other) == (["stack", "import"], desk.calls[-3][1])
    deployment = json.loads(given)["deployment"]
    assert deployment["secrets_providers"] == {
        "type": "passphrase",
        "state": {"salt": "v1:c+/o:py="},
    }
    assert deployment["resources"] == plain["deployment"]["resources"]


def test_secret_settings_are_decrypted_for_the_copy_alone(desk: Desk) -> None:
    desk.configure("config:\n  a:token:\n    secure: v1:abc\nencryptionsalt: v1:own\n")
    values = {"a:token": {"value": "t", "secret": True}, "a:list": {"objectValue": [1]}}
    desk.answer("config.secrets", values)
    with scratch(desk.workspace, None) as copy:
        settings = yaml.safe_load(copy.file.read_text())
        assert settings["config"] == {"a:token": "t", "a:list": [1]}


def test_config_reads_texts_and_objects(desk: Desk) -> None:
    desk.answer("config.secrets", {"gcp:project": {"value": "p"}})
    assert Workspace.config(desk.workspace) == {"gcp:project": "p"}
