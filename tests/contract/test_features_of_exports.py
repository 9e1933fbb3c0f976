"""Features of exports: the same rows as those of the store, from a table and from files."""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pydicom
import pytest
from pydicom.data import get_testdata_file

from emulator.server.server_file import ServerInfo
from pipelines.common import tables
from pipelines.common.objects import Objects
from pipelines.features import exports
from pipelines.features.exports import ExportError
from pipelines.features.extraction import from_metadata, from_pixels, path_of
from scripts.lib.google import clients, operations
from tests.support import http, pipelines
from tests.support.waiting import wait_until
from workloads.common.dicomweb import DicomWeb

pytestmark = pytest.mark.sockets

FILES = ("CT_small.dcm", "MR_small.dcm", "examples_overlay.dcm", "rtplan.dcm", "waveform_ecg.dcm")
Rows = dict[str, dict[str, Any]]


@pytest.fixture
def store(emulator: ServerInfo, project: str, grant: Callable[..., None]) -> str:
    """The full name of a store with files of many kinds, beside a dataset of BigQuery."""
    grant("roles/bigquery.dataEditor", "roles/bigquery.jobUser", "roles/storage.objectAdmin")
    clients.big_query(project).create_dataset("warehouse")
    store = pipelines.make_store(emulator.url, project)
    put(emulator.url, store, *FILES)
    return store


def put(url: str, store: str, *names: str) -> None:
    """Store files of pydicom."""
    for name in names:
        content = Path(str(get_testdata_file(name))).read_bytes()
        headers = {"Content-Type": "application/dicom"}
        web = f"{url}/v1/{store}/dicomWeb/studies"
        http.post(web, content=content, headers=headers).raise_for_status()


def export(store: str, body: Mapping[str, Any]) -> None:
    """Export a store, and wait for the end."""
    stores = clients.healthcare().projects().locations().datasets().dicomStores()
    started = stores.export(name=store, body=body).execute()
    done = operations.follow(clients.healthcare(), started["name"], resume="")
    assert (done.done, done.failure, done.error) == (True, 0, None)


def of_store(store: str) -> Rows:
    """Return the rows of a store by their paths."""
    found = DicomWeb(store, 1).search("instances", (("includefield", "all"),))
    return by_path(map(from_metadata, found))


def of_table(project: str, table: str) -> Rows:
    """Return the rows of a table, read in parts."""
    answer = tables.run(exports.query(f"{project}.{table}"), project)
    rows = [
        row for start in range(0, answer.rows, 2) for row in tables.read(answer, start, number=2)
    ]
    assert len(rows) == answer.rows
    return by_path(from_metadata(exports.from_row(row)) for row in rows)


def by_path(rows: Iterator[dict[str, Any]]) -> Rows:
    """Return rows by their paths, of which each is there once."""
    listed = [*rows]
    found = {path_of(row): row for row in listed}
    assert len(found) == len(listed)
    return found


@pytest.mark.parametrize("layout", ["schemaFlattened", "schemaJson"])
def test_a_table_has_the_rows_of_its_store(project: str, store: str, layout: str) -> None:
    table = f"bq://{project}.warehouse.images"
    export(store, {"bigqueryDestination": {"tableUri": table, layout: {}}})
    expected = of_store(store)
    assert len(expected) == len(FILES)
    assert sum(row["row_spacing"] is not None for row in expected.values()) > 1
    assert of_table(project, "warehouse.images") == expected


def test_files_have_the_rows_of_their_store(project: str, store: str, emulator: ServerInfo) -> None:
    bucket = pipelines.make_bucket(emulator.url, project)
    export(store, {"gcsDestination": {"uriPrefix": f"gs://{bucket}/export"}})
    objects = Objects()
    contents = [
        objects.read(f"gs://{bucket}/{file.name}") for file in objects.files(f"gs://{bucket}/")
    ]
    assert by_path(from_metadata(exports.from_file(one)) for one in contents) == of_store(store)
    pixels = [from_pixels(one) for one in contents]
    [small] = (one for one in pixels if one.get("pixel_max") == maximum("CT_small.dcm"))
    assert small["pixel_mean"] == pytest.approx(
        pydicom.dcmread(str(get_testdata_file("CT_small.dcm"))).pixel_array.mean()
    )


def test_a_streamed_table_has_what_is_in_the_store_now(
    project: str, store: str, emulator: ServerInfo
) -> None:
    table = f"{project}.warehouse.streamed"
    stream = {"streamConfigs": [{"bigqueryDestination": {"tableUri": f"bq://{table}"}}]}
    streaming = f"{emulator.url}/v1/{store}?updateMask=streamConfigs"
    http.patch(streaming, json=stream).raise_for_status()
    web = f"{emulator.url}/v1/{store}/dicomWeb"
    for path in of_store(store):
        http.delete(f"{web}/{path}").raise_for_status()
    put(emulator.url, store, "CT_small.dcm", "MR_small.dcm")
    [first, _] = of_store(store)
    http.delete(f"{web}/{first}").raise_for_status()
    left = of_store(store)
    assert len(left) == 1

    def arrived() -> bool:
        sql = f"SELECT `Type` FROM `{table}` WHERE SOPInstanceUID = '{first.split('/')[-1]}'"
        found = clients.big_query(project).query(sql).result()
        return sorted(row[0] for row in found) == ["CREATE", "DELETE", "DELETE"]

    wait_until(arrived, "the deletion is not in the table")
    assert of_table(project, "warehouse.streamed") == left


def test_another_table_is_refused(project: str, store: str) -> None:
    client = clients.big_query(project)
    client.query("CREATE TABLE warehouse.other AS SELECT 1 AS StudyInstanceUID").result()
    with pytest.raises(ExportError, match="has no column SeriesInstanceUID"):
        exports.query(f"{project}.warehouse.other")
    with pytest.raises(ExportError, match="can't be read: Not found"):
        exports.query(f"{project}.warehouse.gone")


def maximum(name: str) -> float:
    """Return the greatest pixel of a file."""
    return float(pydicom.dcmread(str(get_testdata_file(name))).pixel_array.max())
