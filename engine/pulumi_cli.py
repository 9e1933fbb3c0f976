"""Finding or obtaining the engine: the `pulumi` command line."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import platformdirs
import semver
from filelock import FileLock, Timeout

from engine import download, gobuild
from engine.errors import EngineError
from engine.versions import MINIMUM_GO, MINIMUM_PULUMI, PULUMI

Report = Callable[[str], None]
Source = Literal["path", "download", "go-build"]
HOST = "pulumi-language-python"


@dataclass(frozen=True)
class EngineInfo:
    """An engine.

    Attributes:
        version: As `pulumi version` prints it, such as `v3.258.0`.
        source: Found on PATH, downloaded as the official archive, or built from Go modules.
        path: The folder with the command.
    """

    version: str
    source: Source
    path: Path


def cache_dir() -> Path:
    """Where obtained engines are kept, for every clone of this user."""
    return platformdirs.user_cache_path("gcp-healthcare-dicom") / "engine"


def find(path: str | None = None, report: Report = lambda _: None) -> EngineInfo | None:
    """Return the available engine: the one on PATH, else the one that was obtained before.

    Args:
        path: The PATH to search; by default this process's.
        report: Told why an engine on PATH is passed over.
    """
    return _on_path(path, report) or _obtained()


def obtain(report: Report, path: str | None = None) -> EngineInfo:
    """Return the available engine, or else obtain one and keep it in the user's cache.

    Args:
        report: Told what is done and how long it may take.
        path: The PATH to search; by default this process's.

    Raises:
        EngineError: There is none and none can be had; it says what to install.
    """
    found = find(path, report)
    if found is not None:
        return found
    cache_dir().mkdir(parents=True, exist_ok=True)
    with _alone(cache_dir() / f"{PULUMI}.lock", report):
        found = _obtained()  # another process may have obtained it meanwhile
        return found or _install(report, path)


@contextmanager
def _alone(lock: Path, report: Report) -> Iterator[None]:
    """Keep other processes out; say so if one of them has to be waited for."""
    file = FileLock(lock)
    try:
        file.acquire(timeout=0)
    except Timeout:
        report("another process is obtaining the engine: waiting for it ...")
        file.acquire()
    try:
        yield
    finally:
        file.release()


def _whole() -> Path:
    """Return the folder of a whole engine: the official one, or one built without patches."""
    return cache_dir() / PULUMI


def _built() -> Path:
    """Return the folder of an engine built as this version of the package builds it.

    The official engine and an unpatched build do more; another set of patches may do less.
    """
    return cache_dir() / f"{PULUMI}-{gobuild.digest()}"


def _obtained() -> EngineInfo | None:
    whole, built = _kept(_whole()), _kept(_built())
    # A build without patches lacks nothing, but its commands take longer to start.
    return whole if whole and whole.source == "download" else built or whole


def _install(report: Report, path: str | None) -> EngineInfo:
    """Download or build into a draft, and put that in place whole."""
    draft = cache_dir() / f"{PULUMI}.draft"
    reasons: list[str] = []
    ways: list[tuple[Source, Path, Callable[[Path, Report], None]]] = [
        ("download", _whole(), download.install),
        ("go-build", _built(), lambda folder, report: gobuild.install(folder, report, path)),
    ]
    for source, kept, install in ways:
        shutil.rmtree(draft, ignore_errors=True)
        try:
            install(draft, report)
        except EngineError as error:
            reasons.append(str(error))
            continue
        (draft / "engine.json").write_text(json.dumps({"source": source}))
        shutil.rmtree(kept, ignore_errors=True)
        draft.rename(kept)
        report(f"the engine is kept in {kept}")
        return EngineInfo(f"v{PULUMI}", source, kept / "bin")
    shutil.rmtree(draft, ignore_errors=True)
    wanted = ".".join(map(str, MINIMUM_GO))
    tried = "".join(f"\n  - {reason}" for reason in reasons)
    raise EngineError(
        f"There is no Pulumi engine on PATH, and none could be obtained:{tried}\n"
        f"Install Pulumi (https://www.pulumi.com/docs/install/), or Go {wanted} or newer "
        "(https://go.dev/dl/), and try again."
    )


def _on_path(path: str | None, report: Report) -> EngineInfo | None:
    """Return an engine on PATH that is new enough and has its Python language host."""
    command = shutil.which("pulumi", path=path)
    if command is None:
        return None
    folder = Path(command).resolve().parent
    if folder.is_relative_to(cache_dir().resolve()):
        return None  # put there by `engine env` or `engine run`: it is the kept one
    version = version_of(Path(command))
    if version is None:
        why = "`pulumi version` fails"
    elif semver.Version.parse(version).compare(MINIMUM_PULUMI) < 0:
        why = f"it is {version}, and {MINIMUM_PULUMI} or newer is needed"
    elif not (folder / HOST).exists() and shutil.which(HOST, path=path) is None:
        why = f"it has no {HOST} beside it or on PATH"
    else:
        return EngineInfo(f"v{version}", "path", Path(command).parent)
    report(f"{command} is not used: {why}")
    return None


def _kept(folder: Path) -> EngineInfo | None:
    try:
        source = json.loads((folder / "engine.json").read_text())["source"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if source not in get_args(Source) or not os.access(folder / "bin/pulumi", os.X_OK):
        return None
    return EngineInfo(f"v{PULUMI}", source, folder / "bin")


def version_of(command: Path) -> str | None:
    """Return what `pulumi version` prints, without its v; None if the command does not run."""
    try:
        done = subprocess.run(
            [command, "version"], capture_output=True, text=True, timeout=60, check=True
        )
        return str(semver.Version.parse(done.stdout.strip().removeprefix("v")))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
