"""Google's clients for other languages than Python drive the emulator, knowing its address alone.

What points them at it are the lines of docs/emulator-in-tests.md, as they stand there.
"""

import base64
import json
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from pydicom.data import get_testdata_file

from emulator.services.storage.public_bucket import BUCKET as PUBLIC
from tests.contract.clients import installing
from tests.contract.clients.skipping import installed

pytestmark = pytest.mark.sockets

PAGE = Path(__file__).parents[2] / "docs" / "emulator-in-tests.md"
STORED, *IMPORTED = (
    Path(str(get_testdata_file(name)))
    for name in ("MR_small.dcm", "CT_small.dcm", "JPEG2000.dcm", "rtplan.dcm")
)
SECONDS = 120


def lines_of_the_page(language: str) -> str:
    [lines] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return str(lines)


def run(command: list[str], project: str, **more: str) -> dict[str, Any]:
    """Run a client's program on a project; what it saw."""
    environment = {
        name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")
    }
    environment |= {"GOOGLE_CLOUD_PROJECT": project, **more}
    done = subprocess.run(
        command,
        env=environment,
        capture_output=True,
        text=True,
        timeout=SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    saw: dict[str, Any] = json.loads(done.stdout)
    return saw


def check(saw: dict[str, Any]) -> None:
    """The results of the pipeline that every client must see."""
    assert saw["patched"]["timeZone"] == "Europe/Zurich"
    count = str(len(IMPORTED))
    assert saw["import"]["metadata"]["counter"] == {"success": count}
    assert saw["import"]["response"]["@type"].endswith("ImportDicomDataResponse")
    contents = {
        str(pydicom.dcmread(file).SOPInstanceUID): file.read_bytes() for file in (STORED, *IMPORTED)
    }
    assert {one["00080018"]["Value"][0] for one in saw["found"]} == contents.keys()
    read = {one["instance"]: base64.b64decode(one["base64"]) for one in saw["read"]}
    assert read == contents
    assert saw["metrics"]["instanceCount"] == str(len(contents))
    assert saw["export"]["response"]["@type"].endswith("ExportDicomDataResponse")
    assert saw["gone"]["code"] == 404
    assert "datasets/" in saw["gone"]["message"]


def patients() -> set[tuple[str, str]]:
    """The patient and the instance of each file."""
    read = map(pydicom.dcmread, (STORED, *IMPORTED))
    return {(str(one.PatientID), str(one.SOPInstanceUID)) for one in read}


def test_node(project: str, grant: Callable[..., None], tmp_path: Path) -> None:
    modules = installed(installing.node_modules)
    grant("roles/storage.objectViewer", "roles/bigquery.admin")
    program = tmp_path / "pipeline.js"
    walk = (installing.NODE / "walk.js").read_text()
    program.write_text(f"{lines_of_the_page('js')}\n{walk}")
    files = [str(file) for file in (STORED, *IMPORTED)]
    saw = run(["node", str(program), project, *files], project, NODE_PATH=str(modules))
    check(saw)
    assert sorted(saw["uploaded"]) == sorted(f"in/{file.name}" for file in IMPORTED)
    assert {(row["PatientID"], row["SOPInstanceUID"]) for row in saw["rows"]} == patients()
    assert PUBLIC in saw["buckets"]
    assert not [name for name in saw["buckets"] if name.startswith(project)]


def test_java(project: str, grant: Callable[..., None], tmp_path: Path) -> None:
    jars = installed(installing.jars)
    grant("roles/storage.objectViewer", "roles/bigquery.admin")
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    bucket = storage.Client(project, anonymous).create_bucket(f"{project}-java")
    for file in IMPORTED:
        bucket.blob(f"in/{file.name}").upload_from_filename(str(file))
    bigquery_client = bigquery.Client(project, anonymous)
    bigquery_client.create_dataset("java")

    program = tmp_path / "Walk.java"
    walk = (installing.JAVA / "Walk.java").read_text()
    marker = "    // LINES OF THE PAGE\n"
    assert marker in walk
    program.write_text(walk.replace(marker, lines_of_the_page("java")))
    command = ["java", "--class-path", f"{jars}/*", str(program), project, bucket.name]
    check(run([*command, f"bq://{project}.java.images", str(STORED)], project))

    rows = bigquery_client.query("SELECT PatientID, SOPInstanceUID FROM java.images").result()
    assert {(row.PatientID, row.SOPInstanceUID) for row in rows} == patients()


def test_node_receives_by_streaming_pull(project: str) -> None:
    modules = installed(installing.node_modules)
    command = ["node", str(installing.NODE / "messages.js"), project, "one", "two", "three"]
    check_messages(run(command, project, NODE_PATH=str(modules)), "js", project)


def test_java_receives_by_streaming_pull(project: str) -> None:
    jars = installed(installing.jars)
    program = installing.JAVA / "Messages.java"
    command = ["java", "--class-path", f"{jars}/*", str(program), project, "one", "two", "three"]
    check_messages(run(command, project), "java", project)


def test_go_receives_by_streaming_pull(project: str) -> None:
    program = installed(installing.go_program)
    check_messages(run([str(program), project, "one", "two", "three"], project), "go", project)


def check_messages(saw: dict[str, Any], language: str, project: str) -> None:
    """Check the report of a client that publishes three messages and receives them."""
    assert sorted(each["text"] for each in saw["received"]) == ["one", "three", "two"]
    assert {each["language"] for each in saw["received"]} == {language}
    assert f"projects/{project}/topics" in {name.rpartition("/")[0] for name in saw["topics"]}
