"""HAPI FHIR's JPA server, from Maven Central's libraries: the server that others measure by.

Maven Central has the libraries alone, so that `hapi_server/` starts them, with HAPI's defaults and
H2, the database of HAPI's own starter.
"""

import hashlib
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

SOURCES = Path(__file__).parent / "hapi_server"
PROGRAM = "HapiServer"
TOOLS = ("java", "javac", "mvn")
HEAP = "-Xmx3g"
INSTALL_SECONDS, START_SECONDS = 900.0, 180.0
_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"


class HapiError(RuntimeError):
    """HAPI FHIR can't be had or does not run; the message says why."""


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Run a server, empty at first, as long as the context lasts.

    Args:
        folder: for its database and its log

    Yields:
        The root of its FHIR API.

    Raises:
        HapiError: there is no JDK, no Maven, no way to its registry, or it does not start.
    """
    jars = _installed()
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    log = folder / "hapi.log"
    command = ["java", HEAP, "-cp", f"{jars}:{jars}/*", PROGRAM, str(port), str(folder)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}/fhir"
        _wait(url, process, log)
        yield url
    finally:
        process.terminate()
        process.wait(START_SECONDS)


def _wait(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(f"{url}/metadata", timeout=START_SECONDS).is_success:
                return
        except httpx.TransportError:
            pass  # not listening yet
        time.sleep(0.2)
    raise HapiError(f"HAPI FHIR does not start:\n{log.read_text(errors='replace')[-2000:]}")


def _installed() -> Path:
    """Return the folder of the libraries and the program; only the first call fetches them."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        raise HapiError(f"HAPI FHIR needs a JDK and Maven, and there is no {missing[0]}")
    pom, source = SOURCES / "pom.xml", SOURCES / f"{PROGRAM}.java"
    digest = hashlib.sha256(pom.read_bytes() + source.read_bytes()).hexdigest()[:16]
    cache = user_cache_path("gcp-healthcare-dicom") / "hapi"
    cache.mkdir(parents=True, exist_ok=True)
    folder, draft = cache / digest, cache / "draft"
    with FileLock(cache / "lock"):
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            _run(["mvn", "-B", "-q", "-f", str(pom), _COPY, f"-DoutputDirectory={draft}"])
            _run(["javac", "-cp", f"{draft}/*", "-d", str(draft), str(source)])
            draft.replace(folder)
    return folder


def _run(command: list[str]) -> None:
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
    )
    if done.returncode:
        output = (done.stdout + done.stderr).strip()
        raise HapiError(f"{command[0]} failed: {output[-1000:]}")
