"""Advice of the scripts' messages, followed: the failed command then passes.

All tests share one stack; they run in the order of the file.
"""

import json
import re
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.advice import Reader, advised
from tests.support.labs import Stack

pytestmark = [pytest.mark.e2e, pytest.mark.sockets]

PUBLIC = "gcs-public-data--healthcare-nih-chest-xray"
ONE = f"gs://{PUBLIC}/dicom/00000088_000.dcm"


@pytest.fixture(scope="module")
def reader(new_stack: Callable[[], Stack]) -> Reader:
    """Someone whose stack was not up: the first message says how to bring it up."""
    reader = Reader(new_stack())
    reader.stack.configure(bigqueryDeleteContents="false", topics=[{"name": "images"}])
    reader.obey(reader.refused("import_dicom", ONE), "make up")
    return reader


@pytest.fixture(scope="module")
def bucket(reader: Reader) -> str:
    """A bucket of the stack's project with one file in a folder."""
    lab, project = reader.stack.lab, reader.stack.project
    name = f"{project}-advice"
    lab.call("POST", f"storage/v1/b?project={project}", {"name": name})
    source = f"storage/v1/b/{PUBLIC}/o/dicom%2F00000088_000.dcm"
    lab.call("POST", f"{source}/rewriteTo/b/{name}/o/ct%2Fone.dcm", {})
    return name


def test_names_of_stores_and_datasets(reader: Reader) -> None:
    message = reader.refused("import_dicom", ONE, "--store", "nosuch")
    [store] = advised(r"Its DICOM stores: (\w+)", message)
    reader.passes("import_dicom", ONE, "--store", store)
    message = reader.refused("import_dicom", ONE, "--dataset", "nosuch")
    names = advised(r"Its datasets: (\w+) \((\w+)\)", message)
    for name in names:
        reader.passes("import_dicom", ONE, "--dataset", name)
    assert "add --store" in message
    outside = reader.refused("import_dicom", ONE, "--dataset", "nosuch", "--store", store)
    assert "datasets/nosuch" in outside
    assert store in reader.obey(outside, ".venv/bin/python -m engine run")


def test_sources(reader: Reader, bucket: str) -> None:
    message = reader.refused("import_dicom", f"gs://{bucket}")
    [uri] = advised(r"Try (gs://\S+)\.(?: |$)", message)
    reader.passes("import_dicom", uri)
    message = reader.refused("import_dicom", f"gs://{bucket}/ct")
    for end in advised(r"needs (\S+) or (\S+) after", message):
        reader.passes("import_dicom", f"gs://{bucket}/ct{end}")


def test_fhir_resources(reader: Reader, bucket: str) -> None:
    patient = {"resourceType": "Patient", "id": "a"}
    upload = f"upload/storage/v1/b/{bucket}/o?uploadType=media&name=fhir/one.ndjson"
    reader.stack.lab.call("POST", upload, patient)
    source = f"gs://{bucket}/fhir/*"
    message = reader.refused("import_fhir", source, "--store", "nosuch")
    [store] = advised(r"Its FHIR stores: (\w+)", message)
    reader.passes("import_fhir", source, "--store", store)
    message = reader.refused("import_fhir", source, "--dataset", "nosuch")
    [dataset] = advised(r"Its datasets: (\w+)\.", message)
    reader.passes("import_fhir", source, "--dataset", dataset)
    tables = f"bq://{reader.stack.project}.dataset1"
    reader.passes("export_fhir", tables)
    message = reader.refused("export_fhir", tables)
    option, *dispositions = advised(r"(--write-disposition) (\w+) or (\w+)", message)
    for disposition in dispositions:
        reader.passes("export_fhir", tables, option, disposition)


def test_pictures(reader: Reader, tmp_path: Any) -> None:
    into = ("--into", str(tmp_path), "--json")
    message = reader.refused("view_instance", "--patient", "1", *into)
    [script] = advised(r"Import first \((\w+)\.py\)", message)
    reader.passes(script, f"gs://{PUBLIC}/dicom/00000001_000.dcm")
    assert json.loads(reader.passes("view_instance", "--patient", "1", *into))["files"]


def test_tables(reader: Reader) -> None:
    question = ("--sql", "SELECT COUNT(*) AS n FROM dicomstore1", "--csv")
    message = reader.refused("query_metadata", *question)
    reader.obey(message, ".venv/bin/python scripts/export_metadata.py")
    assert int(reader.passes("query_metadata", *question).split()[-1]) > 0

    message = reader.refused("export_metadata")
    option, *dispositions = advised(r"(--write-disposition) (\w+) or (\w+)", message)
    for disposition in dispositions:
        reader.passes("export_metadata", option, disposition)
    assert "another table with --table" in message
    reader.passes("export_metadata", "--table", f"bq://{reader.stack.project}.dataset1.another")


def test_roles_that_were_taken_away(reader: Reader) -> None:
    lab, project = reader.stack.lab, reader.stack.project
    policy = lab.call("POST", f"v1/projects/{project}:getIamPolicy", {})
    agents = re.compile(r"gcp-sa-healthcare")
    left = [one for one in policy["bindings"] if not agents.search(str(one["members"]))]
    lab.call(
        "POST", f"v1/projects/{project}:setIamPolicy", {"policy": {**policy, "bindings": left}}
    )
    exporting = ("export_metadata", "--write-disposition", "truncate")
    message = reader.refused(*exporting)
    assert "roles/bigquery.admin" in message
    reader.obey(message, "make refresh", "make up")
    reader.passes(*exporting)


def test_an_api_that_was_disabled(reader: Reader) -> None:
    project = reader.stack.project
    api = f"v1/projects/{project}/services/healthcare.googleapis.com"
    reader.stack.lab.call("POST", f"{api}:disable", {"disableDependentServices": True})
    message = reader.refused("import_dicom", ONE)
    reader.obey(message, "gcloud services enable")
    reader.passes("import_dicom", ONE)


def test_a_resource_that_exists_already(reader: Reader) -> None:
    topics = [{"name": "images"}, {"name": "by-hand"}]
    reader.stack.lab.call("PUT", f"v1/projects/{reader.stack.project}/topics/by-hand", {})
    reader.stack.configure(topics=topics)
    done = reader.stack.pulumi(
        "up", "--yes", "--skip-preview", "--stack", reader.stack.name, check=False
    )
    assert done.returncode != 0
    reader.obey(" ".join((done.stdout + done.stderr).split()), "make adopt")
    reader.stack.up()
    assert reader.stack.plan() == {}


def test_what_stops_a_teardown(reader: Reader) -> None:
    """The last test: nothing is left of the stack."""
    stack = reader.stack
    dataset = f"projects/{stack.project}/locations/us-central1/datasets/dataset1"
    stack.lab.call("POST", f"v1/{dataset}/dicomStores?dicomStoreId=by-hand", {})
    teardown = ["teardown", "--cwd", str(stack.lab.program), "--keep-running"]

    message = reader.refused(*teardown)
    [key] = advised(r"Set (\w+) and run `make up", message)
    stack.configure(**{key: "true"})
    reader.obey(message, "make up")
    teardown += advised(r"add (--\w+) to delete", message)
    lock(reader)
    message = reader.refused(*teardown)
    assert "is locked" in message
    reader.obey(message, ".venv/bin/python -m engine run")
    assert "Nothing of the stack is left." in reader.passes(*teardown)


def lock(reader: Reader) -> None:
    """Lock the stack as an update on another machine does."""
    state = reader.stack.lab.folder / "pulumi/state/.pulumi"
    locks = state / f"locks/organization/gcp-healthcare-dicom/{reader.stack.name}"
    locks.mkdir(parents=True, exist_ok=True)
    content = {"pid": 1, "username": "anna", "hostname": f"not-{socket.gethostname()}"}
    content["timestamp"] = "2026-01-01T00:00:00Z"
    (locks / "0b8e4b9e.json").write_text(json.dumps(content))
