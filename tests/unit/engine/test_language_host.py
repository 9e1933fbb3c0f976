"""The language host's answers, without an engine."""

import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import grpc
import pytest

from engine.language_host import LanguageHost, VirtualenvError, python_of
from engine.pulumi_proto import language_pb2

LAUNCHER = """
import json, os, sys
from pathlib import Path
Path(sys.argv[-1], "seen").write_text(json.dumps([sys.argv[1:], os.getcwd(),
    os.environ["PULUMI_CONFIG"], os.environ["PULUMI_CONFIG_SECRET_KEYS"]]))
raise SystemExit(int(os.environ.get("CODE", "0")))
"""


class AbortedError(Exception):
    pass


class Context:
    """A gRPC call without gRPC."""

    def __init__(self, ended: bool = False) -> None:
        self.ended = ended
        self.callbacks: list[Callable[[], None]] = []

    def add_callback(self, callback: Callable[[], None]) -> bool:
        self.callbacks.append(callback)
        return not self.ended

    def abort(self, code: grpc.StatusCode, text: str) -> NoReturn:
        raise AbortedError(f"{code.name}: {text}")


@pytest.fixture
def host(tmp_path: Path) -> LanguageHost:
    launcher = tmp_path / "launcher"
    launcher.write_text(LAUNCHER)
    return LanguageHost(launcher, "127.0.0.1:1", "v3.258.0")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def info(folder: Path, **options: Any) -> Any:
    program = language_pb2.ProgramInfo(
        root_directory=str(folder), program_directory=str(folder), entry_point="."
    )
    program.options.update(options)
    return program


def request(folder: Path, **more: Any) -> Any:
    return language_pb2.RunRequest(
        project="p", stack="s", pwd=str(folder), dryRun=True, parallel=4, organization="o",
        monitor_address="127.0.0.1:2", info=info(folder), **more,
    )  # fmt: skip


def test_the_launcher_gets_the_output_of_the_engine(host: LanguageHost, project: Path) -> None:
    config = {"p:a": "1", "p:b": "secret"}
    # The launcher of the test writes into the folder that its last argument names.
    asked = request(project, config=config, configSecretKeys=["p:b"], args=[str(project)])
    answer = host.Run(asked, Context())
    assert (answer.error, answer.bail) == ("", False)
    arguments, folder, given, secret = json.loads((project / "seen").read_text())
    assert arguments == [
        "--monitor", "127.0.0.1:2", "--engine", "127.0.0.1:1", "--project", "p", "--stack", "s",
        "--pwd", str(project), "--dry_run", "true", "--parallel", "4", "--organization", "o",
        "--root_directory", str(project), str(project), str(project),
    ]  # fmt: skip
    assert folder == str(project)
    assert json.loads(given) == config
    assert json.loads(secret) == ["p:b"]


@pytest.mark.parametrize(
    ("code", "error", "bail"),
    [
        ("0", "", False),
        ("32", "", True),
        ("3", "Program exited with non-zero exit code: 3", False),
    ],
)
def test_how_a_program_ends(
    host: LanguageHost,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    error: str,
    bail: bool,
) -> None:
    monkeypatch.setenv("CODE", code)
    answer = host.Run(request(project), Context())
    assert (answer.error, answer.bail) == (error, bail)


def test_a_cancelled_update_leaves_no_program(host: LanguageHost, project: Path) -> None:
    host.launcher.write_text("import time; time.sleep(60)")
    answer = host.Run(request(project), Context(ended=True))
    assert answer.error == "Program exited with non-zero exit code: -15"


def test_a_plugin_is_streamed(host: LanguageHost, project: Path) -> None:
    (project / "__main__.py").write_text(
        "import os, sys\nprint('port', sys.argv[1], os.environ['A'], os.getcwd())\n"
        "print('trouble', file=sys.stderr)\nsys.exit(7)\n"
    )
    asked = language_pb2.RunPluginRequest(
        pwd=str(project), args=["x"], env=["A=b=c", f"PATH={os.environ['PATH']}"],
        info=info(project),
    )  # fmt: skip
    answers: Iterator[Any] = host.RunPlugin(asked, Context())
    got = sorted((a.WhichOneof("output"), getattr(a, a.WhichOneof("output"))) for a in answers)
    assert got == [
        ("exitcode", 7),
        ("stderr", b"trouble\n"),
        ("stdout", f"port x b=c {project}\n".encode()),
    ]


def test_without_the_option_the_hosts_own_python_runs(project: Path) -> None:
    assert python_of(info(project)) == sys.executable
    assert python_of(info(project, toolchain="pip")) == sys.executable


def test_the_virtualenv_is_the_projects(project: Path) -> None:
    python = project / "venv/bin/python"
    python.parent.mkdir(parents=True)
    python.touch()
    assert python_of(info(project, virtualenv="venv")) == str(python)
    assert python_of(info(project, virtualenv=str(project / "venv"))) == str(python)


def test_a_missing_virtualenv_is_reported_with_a_hint(host: LanguageHost, project: Path) -> None:
    with pytest.raises(VirtualenvError) as failure:
        python_of(info(project, virtualenv="venv"))
    message = str(failure.value)
    assert message.startswith(f"the virtualenv venv of {project} does not exist: make it")
    assert "`make setup`" in message
    asked = request(project)
    asked.info.CopyFrom(info(project, virtualenv="venv"))
    assert host.Run(asked, Context()).error == message
    plugin = language_pb2.RunPluginRequest(info=asked.info)
    with pytest.raises(AbortedError, match="FAILED_PRECONDITION: the virtualenv venv"):
        list(host.RunPlugin(plugin, Context()))


def installing(folder: Path) -> Any:
    info = language_pb2.ProgramInfo(root_directory=str(folder))
    info.options.update({"virtualenv": "venv"})
    return language_pb2.InstallDependenciesRequest(info=info)


def test_dependencies_are_not_installed_and_a_hint_is_reported(
    host: LanguageHost, tmp_path: Path
) -> None:
    with pytest.raises(AbortedError, match=r"UNIMPLEMENTED: .* run `make setup`"):
        list(host.InstallDependencies(installing(tmp_path), Context()))


def test_what_is_installed_already_is_let_be(host: LanguageHost, tmp_path: Path) -> None:
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    [response] = host.InstallDependencies(installing(tmp_path), Context())
    assert response.stdout.decode() == f"Nothing to install: {python} is there.\n"


def test_what_the_host_says_of_itself(host: LanguageHost) -> None:
    assert host.GetPluginInfo(None, Context()).version == "v3.258.0"
    assert host.About(None, Context()).executable == sys.executable
    assert list(host.GetRequiredPackages(None, Context()).packages) == []


def test_what_was_imported_is_shown_without_a_code_generator(host: LanguageHost) -> None:
    asked = language_pb2.GenerateProgramRequest(source={"main.pp": 'resource a "b" {\n\n}\n'})
    source = host.GenerateProgram(asked, Context()).source["__main__.py"].decode()
    assert source.splitlines()[1:] == ['# resource a "b" {', "#", "# }"]
    compile(source, "__main__.py", "exec")
