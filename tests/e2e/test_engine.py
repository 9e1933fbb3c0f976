"""The available engine with its language host, on small programs without a cloud."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from engine import gobuild, pulumi_cli
from engine.gcp_plugin import BINARY, FOLDER
from engine.versions import HOST_PYTHON
from policy.environment import ENVIRONMENT
from tests.support.labs import ROOT, Lab, run
from tests.support.standin_host import OWN_PLUGIN
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

Run = tuple[psutil.Popen, psutil.Process, psutil.Process]
"""The engine, the language host and the program."""

PROGRAM = """
    import pulumi

    class Thing(pulumi.ComponentResource):
        def __init__(self, name: str) -> None:
            super().__init__("test:index:Thing", name)
            self.register_outputs({})

    Thing("thing")
    config = pulumi.Config()
    pulumi.export("greeting", "hello " + config.get("name", "world"))
    pulumi.export("password", config.get_secret("password"))
    print("said by the program")
"""
PACK = """
    from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

    def refuse(args, report):
        if args.name == "forbidden":
            report("this name is not allowed")

    PolicyPack("names", policies=[ResourceValidationPolicy(
        name="no-forbidden", description="Names.", validate=refuse,
        enforcement_level=EnforcementLevel.MANDATORY)])
"""


class Project:
    """A Pulumi project in a folder of its own, with an engine's home and state of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "project"
        self.folder.mkdir()
        (folder / "state").mkdir()
        engine = pulumi_cli.obtain(lambda _: None)
        self.patched = engine.path.parent.name.endswith(gobuild.digest())
        self.environment = {
            **{name: v for name, v in os.environ.items() if not name.startswith("PULUMI_")},
            "PATH": os.pathsep.join(
                [str(engine.path), str(Path(sys.executable).parent), os.environ["PATH"]]
            ),
            "PULUMI_HOME": str(folder / "home"),
            "PULUMI_BACKEND_URL": f"file://{folder / 'state'}",
            "PULUMI_CONFIG_PASSPHRASE": "test",
            "PULUMI_SKIP_UPDATE_CHECK": "1",
            HOST_PYTHON: sys.executable,
        }
        self.write(PROGRAM)
        self.options()
        self.pulumi("stack", "init", "test")

    def write(self, program: str) -> None:
        (self.folder / "__main__.py").write_text(textwrap.dedent(program))

    def options(self, **options: str) -> None:
        """Write the project file, with options of the runtime."""
        lines = "".join(f"    {name}: {value}\n" for name, value in options.items())
        runtime = f"runtime:\n  name: python\n  options:\n    toolchain: pip\n{lines}"
        (self.folder / "Pulumi.yaml").write_text(f"name: small\n{runtime}")

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        command = ["pulumi", *arguments, "--non-interactive"]
        return run(command, self.folder, self.environment, check=check, timeout=120)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def test_a_life_of_a_stack(project: Project) -> None:
    assert "+ 2 to create" in project.pulumi("preview").stdout
    assert "said by the program" in project.pulumi("up", "--yes", "--skip-preview").stdout
    project.pulumi("config", "set", "name", "reader")
    assert '"hello world" => "hello reader"' in project.pulumi("preview").stdout
    project.pulumi("up", "--yes", "--skip-preview")
    assert project.pulumi("stack", "output", "greeting").stdout == "hello reader\n"
    assert "2 unchanged" in project.pulumi("refresh", "--yes", "--skip-preview").stdout
    assert "test:index:Thing" in project.pulumi("stack", "export").stdout
    assert "- 2 deleted" in project.pulumi("destroy", "--yes", "--skip-preview").stdout


def test_a_secret_stays_one(project: Project) -> None:
    guessed = project.pulumi("config", "set", "password", "r4Kz!-9wQ_eT7u", check=False)
    assert guessed.returncode != 0
    assert "looks like a secret" in guessed.stdout + guessed.stderr
    project.pulumi("config", "set", "--secret", "password", "hidden-word")
    up = project.pulumi("up", "--yes", "--skip-preview")
    assert "[secret]" in up.stdout
    assert "hidden-word" not in up.stdout + project.pulumi("stack", "export").stdout
    shown = project.pulumi("stack", "output", "--show-secrets", "password")
    assert shown.stdout == "hidden-word\n"


def test_the_state_may_be_in_a_bucket(project: Project, lab: Lab) -> None:
    lab.call("POST", "storage/v1/b?project=local-state", {"name": "pulumi-state"})
    project.environment |= {
        "PULUMI_BACKEND_URL": "gs://pulumi-state/of/small",
        "STORAGE_EMULATOR_HOST": httpx.URL(
            lab.environment["STORAGE_EMULATOR_HOST"]
        ).netloc.decode(),
        "GOOGLE_OAUTH_ACCESS_TOKEN": "test",
    }
    project.pulumi("stack", "init", "other")
    assert "+ 2 created" in project.pulumi("up", "--yes", "--skip-preview").stdout
    assert "2 unchanged" in project.pulumi("refresh", "--yes", "--skip-preview").stdout
    listed = lab.call("GET", "storage/v1/b/pulumi-state/o")
    names = {item["name"] for item in listed["items"]}
    assert "of/small/.pulumi/stacks/small/other.json" in names
    assert "- 2 deleted" in project.pulumi("destroy", "--yes", "--skip-preview").stdout
    project.pulumi("stack", "rm", "other", "--yes")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["login", "s3://a-bucket"], "has no driver for s3://"),
        (
            ["stack", "init", "other", "--secrets-provider", "awskms://alias/a?region=eu-west-1"],
            "has no driver for awskms://",
        ),
        (["api", "/api/user"], "has no `pulumi api`"),
    ],
)
def test_a_command_that_a_build_omits_says_what_to_install(
    project: Project, arguments: list[str], error: str
) -> None:
    if not project.patched:
        pytest.skip("the available engine is not a build, so it leaves nothing out")
    done = project.pulumi(*arguments, check=False)
    assert done.returncode != 0
    printed = done.stdout + done.stderr
    assert f"this engine, built from Go modules, {error}: install Pulumi" in printed
    assert "put it on PATH" in printed


@pytest.mark.parametrize(
    ("program", "texts"),
    [
        (
            "raise ValueError('the mistake')",
            ["Program failed with an unhandled exception", "__main__.py", "the mistake"],
        ),
        ("import pulumi\nraise pulumi.RunError('plain words')", ["error: plain words"]),
        ("import sys\nsys.exit(3)", ["Program exited with non-zero exit code: 3"]),
        (
            "import sys\nprint('a hint', file=sys.stderr)\nx = (",
            ["SyntaxError: '(' was never closed"],
        ),
        ("import no_such_module", ["ModuleNotFoundError: No module named 'no_such_module'"]),
    ],
)
def test_a_program_that_fails_is_reported(project: Project, program: str, texts: list[str]) -> None:
    project.write(program)
    done = project.pulumi("preview", check=False)
    assert done.returncode != 0
    for text in texts:
        assert text in done.stdout
    # The launcher has told it already (exit code 32), and says so to the engine.
    bails = "unhandled exception" in done.stdout
    assert ("non-zero exit code" in done.stdout) is not bails


def test_a_virtualenv_that_is_not_there_is_reported(project: Project) -> None:
    project.options(virtualenv="venv")
    done = project.pulumi("preview", check=False)
    assert done.returncode != 0
    assert "venv" in done.stdout
    assert "exist" in done.stdout


def test_the_virtualenv_of_the_project_runs_its_program(project: Project) -> None:
    project.write("import sys\nprint('run by', sys.prefix)")
    link = project.folder / "mine"
    link.symlink_to(sys.prefix)
    project.options(virtualenv="mine")
    assert f"run by {link}" in project.pulumi("preview").stdout


@pytest.fixture
def running(project: Project, tmp_path: Path) -> Iterator[Callable[[], Run]]:
    """Start a preview whose program waits; gives the engine, the host and the program."""
    mark = tmp_path / "started"
    project.write(
        f"import os, time\nopen({str(mark)!r}, 'w').write(str(os.getpid()))\ntime.sleep(300)"
    )
    began: list[psutil.Process] = []

    def start() -> Run:
        engine = psutil.Popen(
            ["pulumi", "preview", "--non-interactive"],
            cwd=project.folder,
            env=project.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        began.append(engine)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (mark.exists() and mark.read_text()):
            assert time.monotonic() < deadline
            assert engine.poll() is None
            time.sleep(0.05)
        program = psutil.Process(int(mark.read_text()))
        host = program.parent()
        assert host is not None
        began.extend([host, program])
        return engine, host, program

    yield start
    for process in began:
        if process.is_running():
            process.kill()


def test_ctrl_c_ends_the_program_at_once(running: Callable[[], Run]) -> None:
    engine, host, program = running()
    engine.send_signal(signal.SIGINT)
    gone, alive = psutil.wait_procs([engine, host, program], timeout=PATIENCE_SECONDS)
    assert alive == []
    assert engine in gone
    printed = engine.stdout.read()
    assert "cancel" in printed
    assert "Traceback" not in printed


def test_an_engine_that_is_killed_leaves_nothing(
    running: Callable[[], Run],
) -> None:
    engine, host, program = running()
    engine.kill()
    _, alive = psutil.wait_procs([engine, host, program], timeout=PATIENCE_SECONDS)
    assert alive == []


def test_a_policy_pack_passes_and_refuses(project: Project, tmp_path: Path) -> None:
    ENVIRONMENT.ensure()
    pack = tmp_path / "pack"
    pack.mkdir()
    (pack / "__main__.py").write_text(textwrap.dedent(PACK))
    (pack / "PulumiPolicy.yaml").write_text(
        "version: 0.0.1\nruntime:\n  name: python\n"
        "  options:\n    toolchain: pip\n    virtualenv: venv\n"
    )
    without = project.pulumi("preview", "--policy-pack", str(pack), check=False)
    assert without.returncode != 0
    assert "venv" in without.stdout + without.stderr
    (pack / "venv").symlink_to(ROOT / "policy/.venv")
    passed = project.pulumi("preview", "--policy-pack", str(pack))
    assert "names" in passed.stdout
    project.write(PROGRAM.replace('Thing("thing")', 'Thing("forbidden")'))
    refused = project.pulumi("preview", "--policy-pack", str(pack), check=False)
    assert refused.returncode != 0
    assert "[mandatory]" in refused.stdout
    assert "this name is not allowed" in refused.stdout


def test_the_engine_takes_the_users_plugin_before_the_stand_in(lab: Lab, tmp_path: Path) -> None:
    private = lab.folder / "pulumi/home/plugins" / FOLDER
    assert (private / BINARY).exists()
    own = tmp_path / "own/plugins" / FOLDER
    own.mkdir(parents=True)
    asked = tmp_path / "asked"
    # Not the stand-in's own file, but one that starts it and leaves a trace.
    (own / BINARY).write_text(
        f'#!/bin/sh\ntouch {asked}\nexec {sys.executable} -P -m engine.standin "$@"\n'
    )
    (own / BINARY).chmod(0o755)
    stack = lab.stack("local-own-plugin")
    command = ["-m", "engine", "run", "--stack", "local", "--", "pulumi", "preview"]
    home = {"PULUMI_HOME": str(tmp_path / "own")}
    environment = {**os.environ, **lab.environment, **OWN_PLUGIN, **home}
    try:
        preview = run(
            [sys.executable, *command, "--stack", stack.name, "--non-interactive",
             "--cwd", str(lab.program)],
            ROOT, environment, check=True, timeout=300,
        )  # fmt: skip
        assert asked.exists()
        assert "to create" in preview.stdout
    finally:
        (own / BINARY).unlink()
        run(
            [sys.executable, "-m", "engine", "run", "--stack", "local", "--", "true"],
            ROOT, {**os.environ, **lab.environment}, check=True, timeout=300,
        )  # fmt: skip
    assert "engine.standin" in (private / BINARY).read_text()


def test_selecting_the_local_stack_leaves_its_file_alone(lab: Lab) -> None:
    file = lab.program / "Pulumi.local.yaml"
    before = (ROOT / "Pulumi.local.yaml").read_bytes()
    file.write_bytes(before)
    for verb in (("stack", "select", "--create", "local"), ("preview", "--stack", "local")):
        run(
            ["pulumi", *verb, "--non-interactive"],
            lab.program, lab.environment, check=True, timeout=120,
        )  # fmt: skip
        assert file.read_bytes() == before


def test_an_import_ends_well_and_shows_what_to_declare(lab: Lab) -> None:
    stack = lab.stack("local-adopts")
    stack.up()
    dataset = stack.outputs()["dataset"]
    lab.call("POST", f"v1/{dataset}/dicomStores?dicomStoreId=byhand", {})
    token = "gcp:healthcare/dicomStore:DicomStore"
    printed = stack.change("import", token, "byhand", f"{dataset}/dicomStores/byhand")
    assert "= 1 imported" in printed
    assert f'resource byhand "{token}"' in printed
