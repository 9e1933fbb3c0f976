"""The Python language host for an engine that was built from source.

The official archive of the engine brings `pulumi-language-python` beside it; the engine's Go module
does not. This serves the same protocol on the SDK's own messages:
https://github.com/pulumi/pulumi/blob/master/proto/pulumi/language.proto. The engine starts it,
reads the port that it prints, and ends it with SIGINT.

`pulumi-language-python --exec LAUNCHER ENGINE_ADDRESS`, where LAUNCHER is the SDK's own
`pulumi-language-python-exec`, which runs a program.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO, Any

import grpc
from google.protobuf import json_format

from engine.pulumi_proto import language_pb2, language_pb2_grpc, plugin_pb2
from engine.shutdown import ShutdownSignal

BAIL = 32
"""The launcher's exit code after it has shown the user what is wrong."""

MESSAGE_LIMIT = 400 * 1024 * 1024
"""Bytes, as the engine's own limit."""


NO_GENERATOR = (
    "This engine was built from source and does not write Python. Declare in your program:"
)


class VirtualenvError(Exception):
    """The virtual environment that a project or policy pack names can't be used."""


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """Runs programs and plugins that are written in Python.

    Attributes:
        launcher: The SDK's `pulumi-language-python-exec`.
        engine: The address of the engine.
        version: The version of the engine, which is the host's too.
    """

    def __init__(self, launcher: Path, engine: str, version: str) -> None:
        self.launcher = launcher
        self.engine = engine
        self.version = version

    def Handshake(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002 - the protocol's
        """Say that the host is here."""
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return the version."""
        return plugin_pb2.PluginInfo(version=self.version)

    def GetRequiredPackages(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Name none ahead: the engine learns of each plugin as the program asks for it."""
        return language_pb2.GetRequiredPackagesResponse()

    def GetRequiredPlugins(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Name none ahead, as older engines ask it."""
        return language_pb2.GetRequiredPluginsResponse()

    def GetProgramDependencies(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Name none: `pulumi about` does without."""
        return language_pb2.GetProgramDependenciesResponse()

    def RuntimeOptionsPrompts(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Ask nothing when a project is made."""
        return language_pb2.RuntimeOptionsResponse()

    def About(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Return the Python that runs."""
        version = ".".join(map(str, sys.version_info[:3]))
        return language_pb2.AboutResponse(executable=sys.executable, version=version)

    def InstallDependencies(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Let be what is installed; refuse otherwise: `make setup` installs the lock file.

        The engine asks before it first runs a plugin from a folder, which names a virtual
        environment as a project does.
        """
        try:
            python = python_of(request.info)
        except VirtualenvError:
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED,
                "this engine was built from source and installs no dependencies: run `make setup`",
            )
        text = f"Nothing to install: {python} is there.\n"
        yield language_pb2.InstallDependenciesResponse(stdout=text.encode())

    def GenerateProgram(self, request: Any, context: Any) -> Any:  # noqa: N802, ARG002
        """Show what `pulumi import` adopted in Pulumi's own notation: this host writes no Python.

        An import has been done by then, and must not fail for lack of a code generator.
        """
        lines = [line for text in request.source.values() for line in text.splitlines()]
        code = "".join(f"# {line}".rstrip() + "\n" for line in [NO_GENERATOR, *lines])
        return language_pb2.GenerateProgramResponse(source={"__main__.py": code.encode()})

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Run a program to its end."""
        try:
            python = python_of(request.info)
        except VirtualenvError as error:
            return language_pb2.RunResponse(error=str(error))
        command = [python, "-u", str(self.launcher), *self._arguments(request)]
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        process = subprocess.Popen(command, cwd=request.info.program_directory, env=environment)
        _end_with(context, process)
        return response_of(process.wait())

    def RunPlugin(self, request: Any, context: Any) -> Iterator[Any]:  # noqa: N802
        """Run a policy pack or another plugin, and stream what it prints."""
        try:
            python = python_of(request.info)
        except VirtualenvError as error:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, str(error))
        environment = dict(pair.partition("=")[::2] for pair in request.env) or dict(os.environ)
        program = str(Path(request.info.program_directory) / request.info.entry_point)
        process = subprocess.Popen(
            # Unbuffered: the engine waits for the port that a plugin prints.
            [python, "-u", program, *request.args],
            cwd=request.pwd or None,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        _end_with(context, process)
        yield from _stream(process)
        yield language_pb2.RunPluginResponse(exitcode=process.wait())

    def _arguments(self, request: Any) -> list[str]:
        """Return the launcher's arguments for one run."""
        program = str(Path(request.info.program_directory) / request.info.entry_point)
        options = {
            "monitor": request.monitor_address,
            "engine": self.engine,
            "project": request.project,
            "stack": request.stack,
            "pwd": request.pwd,
            "dry_run": "true" if request.dryRun else "false",
            "parallel": str(request.parallel),
            "organization": request.organization,
            "root_directory": request.info.root_directory,
        }
        flags = [word for name, value in options.items() if value for word in (f"--{name}", value)]
        return [*flags, program, *request.args]


def response_of(code: int) -> Any:
    """Return the `pulumirpc.RunResponse` of a program that ended with an exit code."""
    if code == BAIL:
        return language_pb2.RunResponse(bail=True)
    if code:
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")
    return language_pb2.RunResponse()


def python_of(info: Any) -> str:
    """Return the interpreter of a project or policy pack: that of its `virtualenv`, or this one.

    Args:
        info: A `pulumirpc.ProgramInfo`.

    Raises:
        VirtualenvError: The virtual environment is not there, or lacks the SDK.
    """
    options = json_format.MessageToDict(info.options) if info.HasField("options") else {}
    named = options.get("virtualenv")
    if not named:
        return sys.executable
    folder = Path(info.root_directory) / named
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        raise VirtualenvError(
            f"the virtualenv {named} of {info.root_directory} does not exist: make it "
            "(here `make setup`, for a policy pack `python -m policy.environment`)"
        )
    return str(python)


def _end_with(context: Any, process: subprocess.Popen[bytes]) -> None:
    """End a process when its call ends: a cancelled update leaves no program behind."""
    if not context.add_callback(process.terminate):
        process.terminate()


def _stream(process: subprocess.Popen[bytes]) -> Iterator[Any]:
    """Yield what a process prints, until both of its streams are closed."""
    lines: queue.Queue[Any] = queue.Queue()

    def pump(stream: IO[bytes], message: Callable[[bytes], Any]) -> None:
        for line in stream:
            lines.put(message(line))
        lines.put(None)

    assert process.stdout is not None
    assert process.stderr is not None
    outputs: list[tuple[IO[bytes], Callable[[bytes], Any]]] = [
        (process.stdout, lambda line: language_pb2.RunPluginResponse(stdout=line)),
        (process.stderr, lambda line: language_pb2.RunPluginResponse(stderr=line)),
    ]
    for output in outputs:
        threading.Thread(target=pump, args=output, daemon=True).start()
    open_streams = len(outputs)
    while open_streams:
        line = lines.get()
        if line is None:
            open_streams -= 1
        else:
            yield line


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until the engine says stop."""
    parser = argparse.ArgumentParser(prog="pulumi-language-python")
    parser.add_argument("--exec", type=Path, required=True, dest="launcher")
    parser.add_argument("--host-version", required=True)
    parser.add_argument("engine")
    # Options that the engine may add (tracing, root) matter to other hosts only.
    options, _ = parser.parse_known_args(arguments)
    shutdown = ShutdownSignal()
    sizes = [(f"grpc.max_{way}_message_length", MESSAGE_LIMIT) for way in ("send", "receive")]
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=sizes)
    host = LanguageHost(options.launcher, options.engine, options.host_version)
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    shutdown.wait()
    server.stop(grace=0).wait()


if __name__ == "__main__":
    main()
