"""A language host in the test's own process: a program runs without a new interpreter.

The engine, the program and the stand-in of the gcp plugin are the real ones. What is saved at each
preview or update is the start of two interpreters and the import of the SDK: about 3 s of CPU time
of 4. `tests/e2e/test_lab.py` and `test_engine.py` run programs as users do, in processes.
"""

import asyncio
import contextvars
import logging
import runpy
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import grpc
import pulumi
from pulumi.runtime._callbacks import _CallbackServicer
from pulumi.runtime.proto import engine_pb2_grpc, resource_pb2_grpc

from engine.language_host import BAIL, MESSAGE_LIMIT, LanguageHost, response_of
from engine.pulumi_proto import language_pb2_grpc
from tests.support.channels import channel_to

_ROOT = Path(__file__).parents[2]
_IMPORT_LOCK = threading.Lock()


class _CallbackServers(threading.local):
    """The callback servers of the program that runs in a thread, which serve its hooks.

    The SDK keeps all of its process in one list, and stops them at the end of each program: it
    expects one program a process. Here each thread stops its own, in its own event loop.
    """

    def __init__(self) -> None:
        self._servers: list[Any] = []

    def append(self, server: Any) -> None:
        """Add a server, as to the SDK's list."""
        self._servers.append(server)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._servers)

    def stop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Stop and forget those of a program that was cancelled or has failed."""
        servers, self._servers = self._servers, []
        for each in servers:
            loop.run_until_complete(each._server.stop(grace=0))


_CALLBACK_SERVERS = _CallbackServers()
_CallbackServicer._servicers = _CALLBACK_SERVERS  # type: ignore[assignment]


class ProgramHost(LanguageHost):
    """Serves the engine's calls of a language host on a loopback port.

    Attributes:
        environment: The variables that lead every `pulumi` command to this host.
    """

    def __init__(self) -> None:
        super().__init__(launcher=Path(), engine="", version="v0.0.0")
        sizes = [(f"grpc.max_{way}_message_length", MESSAGE_LIMIT) for way in ("send", "receive")]
        self._server = grpc.server(ThreadPoolExecutor(max_workers=8), options=sizes)
        language_pb2_grpc.add_LanguageRuntimeServicer_to_server(self, self._server)
        port = self._server.add_insecure_port("127.0.0.1:0")
        # Pulumi reads each option of its command line from the environment, too.
        self.environment = {"PULUMI_OPTION_CLIENT": f"127.0.0.1:{port}"}
        self._server.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.stop(grace=None).wait()

    def Run(self, request: Any, context: Any) -> Any:  # noqa: N802 - the protocol's
        """Run a program to its end, in a context of its own: the SDK keeps its state there."""
        return contextvars.copy_context().run(_run, request, context)


def _run(request: Any, context: Any) -> Any:
    with ExitStack() as channels:
        monitor = channels.enter_context(channel_to(request.monitor_address))
        engine = channels.enter_context(channel_to(request.args[0]))
        _configure(request, monitor, engine)
        return _run_program(request, context)


def _configure(request: Any, monitor: grpc.Channel, engine: grpc.Channel) -> None:
    pulumi.runtime.set_all_config(dict(request.config), list(request.configSecretKeys))
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=request.project,
            stack=request.stack,
            parallel=request.parallel,
            dry_run=request.dryRun,
            monitor=resource_pb2_grpc.ResourceMonitorStub(monitor),
            engine=engine_pb2_grpc.EngineStub(engine),
            organization=request.organization,
            root_directory=request.info.root_directory,
        )
    )


def _run_program(request: Any, context: Any) -> Any:
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # as the SDK's launcher does
    program = Path(request.info.program_directory) / request.info.entry_point
    loop = asyncio.new_event_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=max(request.parallel, 1) * 4))
    try:
        with _modules_of(program):
            task = loop.create_task(pulumi.runtime.run_in_stack(lambda: _run_main(program)))
            # An engine that has ended or was killed waits for no program.
            context.add_callback(lambda: _cancel(loop, task))
            loop.run_until_complete(task)
    except (asyncio.CancelledError, SystemExit):  # it has shown its error
        return response_of(BAIL)
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return response_of(1)
    except Exception:  # noqa: BLE001 - as the launcher: whatever it is, the user sees it
        text = traceback.format_exc()
        pulumi.log.error(f"Program failed with an unhandled exception:\n{text}")
        return response_of(BAIL)
    finally:
        _cancel_tasks(loop)
        _CALLBACK_SERVERS.stop(loop)
        loop.close()
    return response_of(0)


def _run_main(program: Path) -> None:
    runpy.run_path(str(program), run_name="__main__")


@contextmanager
def _modules_of(program: Path) -> Iterator[None]:
    """Let a program import what lies beside it; forget these modules afterwards.

    The repository's own program shares its modules with the tests and the scripts: they stay.
    """
    folder = str(program if program.is_dir() else program.parent)
    if Path(folder) == _ROOT:
        yield
        return
    with _IMPORT_LOCK:
        sys.path.insert(0, folder)
        before = set(sys.modules)
        try:
            yield
        finally:
            sys.path.remove(folder)
            for name in set(sys.modules) - before:
                if str(getattr(sys.modules[name], "__file__", "") or "").startswith(folder):
                    del sys.modules[name]


def _cancel(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancel a program from another thread; one that has ended is left."""
    with suppress(RuntimeError):  # the loop is closed
        loop.call_soon_threadsafe(task.cancel)


def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what an update that failed has left."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
