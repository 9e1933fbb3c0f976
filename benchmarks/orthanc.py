"""Orthanc with its DICOMweb plug-in, from Debian's packages: the server that others measure by.

Nothing is installed: the packages are unpacked into the user's cache, also where the machine has
them, with what they depend on and the machine lacks. No rights are needed, but Debian or one of
its kin.
"""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
from filelock import FileLock
from platformdirs import user_cache_path

from emulator.core.processes.ports import free_port

PACKAGES = ("orthanc", "orthanc-dicomweb")
TOOLS = ("apt-get", "dpkg-deb")
PROGRAM = Path("usr/sbin/Orthanc")
PLUGIN = "libOrthancDicomWeb.so"
PATIENCE_SECONDS = 60.0


class OrthancError(RuntimeError):
    """Orthanc can't be had or does not run; the message says why."""


def why_not() -> str | None:
    """Say why Orthanc can't be had on this machine; None if it can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"Orthanc comes as Debian's packages, and there is no {missing[0]}" if missing else None


@contextmanager
def running(folder: Path, **settings: object) -> Iterator[str]:
    """Run a separate server, empty at first, as long as the context lasts.

    Args:
        folder: for its data and its log.
        settings: in addition, as Orthanc's configuration names them

    Yields:
        The root of its REST API; DICOMweb is below `/dicom-web`.

    Raises:
        OrthancError: there is no apt, no package, or it does not start.
    """
    root = _installed()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    configuration = folder / "orthanc.json"
    configuration.write_text(json.dumps(_settings(root, folder, port) | settings))
    log = folder / "orthanc.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [root / PROGRAM, configuration],
            stdout=output,
            stderr=output,
            env={**os.environ, **_environment(root)},
        )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def _settings(root: Path, folder: Path, port: int) -> dict[str, object]:
    return {
        "Name": "benchmark",
        "StorageDirectory": str(folder / "storage"),
        "IndexDirectory": str(folder / "storage"),
        "Plugins": [str(_plugin(root))],
        "HttpPort": port,
        "HttpBindAddresses": ["127.0.0.1"],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomServerEnabled": False,
        "OverwriteInstances": False,
        "HttpThreadsCount": 50,
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/", "StudiesMetadata": "Full"},
    }


def _environment(root: Path) -> dict[str, str]:
    """Lead the program to what it looks for in the folders of the system.

    A package that the system has is not unpacked, and is found where the system has it.
    """
    usr = root / "usr"
    found = {
        "LD_LIBRARY_PATH": (usr / "lib").glob("*-linux-gnu"),
        "DCMDICTPATH": (usr / "share").glob("libdcmtk*/dicom.dic"),
    }
    paths = {name: ":".join(map(str, files)) for name, files in found.items()}
    return {name: path for name, path in paths.items() if path}


def _plugin(root: Path) -> Path:
    found = [path for path in root.rglob(f"{PLUGIN}*") if path.is_file() and not path.is_symlink()]
    if not found:
        raise OrthancError(f"the package {PACKAGES[1]} holds no {PLUGIN}")
    return found[0]


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/system").is_success and _has_web(url):
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.05)
    raise OrthancError(f"Orthanc does not start:\n{log.read_text(errors='replace')[-2000:]}")


def _has_web(url: str) -> bool:
    return "dicom-web" in httpx.get(f"{url}/plugins").json()


def _installed() -> Path:
    """Return the folder of the unpacked packages; only the first call unpacks them."""
    if reason := why_not():
        raise OrthancError(reason)
    cache = user_cache_path("gcp-healthcare-dicom") / "orthanc"
    cache.mkdir(parents=True, exist_ok=True)
    root = cache / "root"
    with FileLock(cache / "lock"):
        if not (root / PROGRAM).exists():
            _unpack(cache, root)
    return root


def _unpack(cache: Path, root: Path) -> None:
    lists, downloads, draft = (cache / name for name in ("lists", "downloads", "draft"))
    for folder in (lists / "partial", downloads / "partial"):
        folder.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(draft, ignore_errors=True)
    apt = [
        "apt-get",
        f"-oDir::State::Lists={lists}",
        f"-oDir::Cache={downloads}",
        "-oAPT::Sandbox::User=",  # the folders belong to us, not to apt's own user
        "-oDebug::NoLocking=1",
        "-qq",
    ]
    _run([*apt, "update"], downloads)
    install = [*apt, "install", "--simulate", "--no-install-recommends", *PACKAGES]
    plan = _run(install, downloads)
    lacking = {line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")}
    _run([*apt, "download", *sorted(lacking.union(PACKAGES))], downloads)
    for package in downloads.glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(draft)], downloads)
    shutil.rmtree(root, ignore_errors=True)
    draft.replace(root)


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        output = (done.stderr or done.stdout).strip()
        raise OrthancError(f"{' '.join(command[:1] + command[-3:])} failed: {output[-1000:]}")
    return done.stdout
