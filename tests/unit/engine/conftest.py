"""A separate user: an empty cache, an empty HOME, commands that are small shell scripts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import download, pulumi_cli
from engine.versions import PULUMI

Command = Callable[..., Path]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache of engines, empty; no network; no Go wheel; a separate HOME."""
    folder = tmp_path / "cache"
    monkeypatch.setattr(pulumi_cli, "cache_dir", lambda: folder)
    monkeypatch.setattr(download, "reachable", lambda: False)
    for name, value in (("HOME", "home"), ("UV_CACHE_DIR", "uv"), ("UV_TOOL_DIR", "uv-tools")):
        monkeypatch.setenv(name, str(tmp_path / value))
    monkeypatch.setenv("UV_OFFLINE", "1")
    return folder


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """Makes a command: `command("pulumi", "echo v3.258.0")` in the folder `bin`."""

    def make(name: str, script: str, folder: str = "bin") -> Path:
        file = tmp_path / folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)
        return file

    return make


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A PATH with the commands of the test and nothing else."""
    return str(tmp_path / "bin")


@pytest.fixture
def kept(cache: Path, command: Command) -> Path:
    """An engine that was built before."""
    folder = cache / PULUMI
    command("pulumi", f"echo v{PULUMI}", folder=str((folder / "bin").resolve()))
    (folder / "engine.json").write_text('{"source": "go-build"}')
    return folder


@pytest.fixture
def pulumi_module(tmp_path: Path) -> Path:
    """The files of Pulumi's module that the patches name, read-only as in Go's module cache."""
    module = tmp_path / "gomodcache/pkg"
    files = {
        "backend/diy/backend.go": '\t_ "gocloud.dev/blob/s3blob"   // driver for s3://\nkept\n',
        "backend/diy/bucket.go": (
            '\tawss3 "github.com/aws/aws-sdk-go-v2/service/s3"\n'
            "var input *awss3.CopyObjectInput\nfunc f(input *awss3.CopyObjectInput) {}\n"
        ),
        "backend/diy/bucket_test.go": "a test\n",
        "codegen/testdata/large.json": "{}",
        "codegen/schema.json": "{}",
        "secrets/cloud/manager.go": '\t_ "gocloud.dev/secrets/awskms" // awskms://\nkept\n',
        "operations/operations_aws.go": "uses AWS\n",
        "cmd/pulumi/config/config.go": '\t"github.com/nbutton23/zxcvbn-go"\n',
        "cmd/pulumi/cloud/api.go": "uses OpenAPI\n",
        "cmd/pulumi/cloud/spec.go": "uses OpenAPI\n",
        "cmd/pulumi/cloud/envelope.go": "errors\n",
        "cmd/pulumi/cloud/resolve.go": "context\n",
    }
    return _write_read_only(module, files)


@pytest.fixture
def strength_module(tmp_path: Path) -> Path:
    """The files of the module that judges passwords, as `pulumi_module`."""
    files = {
        "frequency/frequency.go": "func init() {\n\tread()\n}\n",
        "matching/matching.go": (
            "func init() {\n\tloadFrequencyList()\n}\n"
            "func loadFrequencyList() {\n\trank(frequency.Lists)\n}\n"
        ),
        "zxcvbn.go": "kept\n",
    }
    return _write_read_only(tmp_path / "gomodcache/strength", files)


def _write_read_only(module: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (module / name).parent.mkdir(parents=True, exist_ok=True)
        (module / name).write_text(text)
        (module / name).chmod(0o444)
    return module
