"""Run the tests: `python -m tests.support.run [--fast] [ARGUMENTS OF PYTEST]`.

It prepares what tests share, runs them on several workers, and prints how long all of it took. The
state of the tests is in memory where that is possible: they write a lot, and flush it to the disk.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from emulator.seed import ensure_public_bucket

ROOT = Path(__file__).parents[2]
MEMORY = Path("/dev/shm")
MIN_FREE_BYTES = 4 << 30
"""Of the folder and of the machine's memory: a run takes about half of it."""
MAX_FAILURES = 50
"""More of them have one cause, such as a full disk, and would each wait for it."""
WORKERS = str(min(4, (os.cpu_count() or 1) + 1))
"""One more than there are processors: many tests wait for a process that they have started."""


def main(arguments: Sequence[str]) -> int:
    """Run the tests; return pytest's exit code."""
    started = time.monotonic()
    # A shell ignores it for what it starts in the background: tests of Ctrl-C would wait for ever.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    fast = "--fast" in arguments
    rest = [argument for argument in arguments if argument != "--fast"]
    if fast:
        rest = ["tests/unit", *rest]
    _prepare(engine=not fast)
    with state_folder() as folder:
        workers = ["-n", WORKERS, "--dist", "loadfile", "--no-loadscope-reorder"]
        # A run that something ends half-way has said by then what failed.
        reports = ["--instafail", f"--maxfail={MAX_FAILURES}"]
        code = _pytest(folder / "tests", [*workers, *reports, *rest])
    seconds = round(time.monotonic() - started)
    sys.stdout.write(f"All tests took {seconds // 60} min {seconds % 60} s.\n")
    return code


def _prepare(*, engine: bool) -> None:
    """Make what several workers would make at the same time."""
    commands = [["policy.environment"]]
    if engine:
        commands += [["engine", "install"], ["pipelines.environment"]]
    for command in commands:
        subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        ensure_public_bucket(Path(folder) / "storage")


def _pytest(folder: Path, arguments: Sequence[str]) -> int:
    command = [sys.executable, "-m", "pytest", f"--basetemp={folder}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    # As Ctrl-C does: the tests end what they have started, and the folder is deleted.
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    try:
        return process.wait()
    except KeyboardInterrupt:  # pytest has got it too, and ends what the tests have started
        process.wait()
        raise


@contextmanager
def state_folder() -> Iterator[Path]:
    """A new folder for the state of the tests; it is deleted at the end, whatever happens."""
    remove_abandoned(MEMORY)
    parent = MEMORY if is_suitable(MEMORY) else None
    folder = Path(tempfile.mkdtemp(prefix=f"tests-{os.getpid()}-", dir=parent))
    try:
        yield folder
    finally:
        end_processes(folder)
        shutil.rmtree(folder, ignore_errors=True)


def end_processes(folder: Path) -> None:
    """End what works in a folder: the workers of an interrupted run have no time for it."""
    left = [each for each in psutil.process_iter(["cmdline"]) if _names(each, folder)]
    for process in left:
        with suppress(psutil.Error):  # it has ended by itself
            for each in [*process.children(recursive=True), process]:
                each.kill()


def _names(process: psutil.Process, folder: Path) -> bool:
    words: list[str] = process.info["cmdline"] or []
    return any(str(folder) in word for word in words) and process.pid != os.getpid()


def remove_abandoned(parent: Path) -> None:
    """Delete the folders of runs that were killed: they keep memory until the machine restarts."""
    for folder in parent.glob("tests-*-*"):
        process = folder.name.split("-")[1]
        if process.isdecimal() and not psutil.pid_exists(int(process)):
            end_processes(folder)
            shutil.rmtree(folder, ignore_errors=True)


def is_suitable(parent: Path) -> bool:
    """Whether a folder can hold the state: room, extended attributes, links, programs."""
    try:
        free = min(shutil.disk_usage(parent).free, psutil.virtual_memory().available)
        if free < MIN_FREE_BYTES:
            return False
        with tempfile.TemporaryDirectory(dir=parent) as folder:
            program = Path(folder) / "program"
            program.write_text("#!/bin/sh\nexit 0\n")
            program.chmod(0o700)
            os.setxattr(program, "user.metadata", b"x" * 1024)
            (Path(folder) / "link").hardlink_to(program)
            return subprocess.run([program], check=False).returncode == 0
    except (OSError, AttributeError):  # no such folder; no such calls on macOS
        return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
