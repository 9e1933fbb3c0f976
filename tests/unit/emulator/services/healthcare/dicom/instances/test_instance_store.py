"""Stored instances: duplicates, deletions, and the state after a crash."""

import sqlite3
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.core.errors import not_found
from emulator.services.healthcare.dicom.instances import models
from emulator.services.healthcare.dicom.instances.group_commit import StoreGoneError, StoreResult
from emulator.services.healthcare.dicom.instances.staged_file import StagedFile
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from tests.support.waiting import wait_until

Put = Callable[[bytes], StagedFile]


def blobs(cloud: Cloud) -> set[str]:
    return {path.name for path in (cloud.settings.state_dir / "dicom" / "sha256").iterdir()}


def test_an_identical_instance_is_ignored_and_another_refused(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.healthcare.dicom.contents
    assert contents.add(store, [incoming(make())]) == [StoreResult.STORED]
    assert contents.add(store, [incoming(make())]) == [StoreResult.IDENTICAL]
    assert contents.add(store, [incoming(make(PatientID="p2"))]) == [StoreResult.MISMATCH]
    [row] = contents.find(ResourcePath(store))
    assert row["patient_id"] == "p1"
    assert blobs(cloud) == {row["sha256"]}
    assert not list(contents.blobs.staging.iterdir())


def test_duplicates_in_one_batch(cloud: Cloud, store: str, make: Any, incoming: Put) -> None:
    batch = [incoming(make()), incoming(make()), incoming(make(PatientID="p2"))]
    outcomes = cloud.healthcare.dicom.contents.add(store, batch)
    assert outcomes == [StoreResult.STORED, StoreResult.IDENTICAL, StoreResult.MISMATCH]


def test_equal_files_of_two_stores_are_one_file_until_both_are_gone(
    cloud: Cloud, client: TestClient, dataset: str, store: str, make: Any, incoming: Put
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={}).raise_for_status()
    contents = cloud.healthcare.dicom.contents
    contents.add(store, [incoming(make())])
    contents.add(f"{dataset}/dicomStores/store2", [incoming(make())])
    assert len(blobs(cloud)) == 1
    assert client.delete(f"/v1/{store}").json() == {}
    assert contents.count(ResourcePath(store)) == 0
    assert len(blobs(cloud)) == 1
    assert client.delete(f"/v1/{dataset}").json() == {}
    assert blobs(cloud) == set()


def test_deleting_a_series_leaves_the_rest(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.healthcare.dicom.contents
    contents.add(
        store,
        [
            incoming(make()),
            incoming(make(SOPInstanceUID="1.2.3.4.6")),
            incoming(make(SeriesInstanceUID="1.2.3.5", SOPInstanceUID="1.2.3.5.1")),
        ],
    )
    assert contents.delete(ResourcePath(store, "1.2.3", "1.2.3.4")) == 2
    assert [row["series"] for row in contents.find(ResourcePath(store))] == ["1.2.3.5"]
    assert len(blobs(cloud)) == 1


def test_pages_hold_each_row_once_and_none_that_another_store_got_meanwhile(
    cloud: Cloud,
    client: TestClient,
    dataset: str,
    store: str,
    make: Any,
    incoming: Put,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={}).raise_for_status()
    monkeypatch.setattr(models, "PAGE", 2)
    contents = cloud.healthcare.dicom.contents
    uids = [f"1.{number}" for number in (5, 3, 4, 1, 2)]
    contents.add(store, [incoming(make(SOPInstanceUID=uid)) for uid in uids])
    pages = [[row["sop"] for row in page] for page in contents.pages(ResourcePath(store), "sop")]
    assert pages == [["1.5", "1.3"], ["1.4", "1.1"], ["1.2"]]

    begun = contents.pages(ResourcePath(store, "1.2.3"), "sop")
    assert [row["sop"] for row in next(begun)] == ["1.5", "1.3"]
    contents.delete(ResourcePath(store, "1.2.3", "1.2.3.4", "1.2"))
    # It takes the id that has become free.
    contents.add(f"{dataset}/dicomStores/store2", [incoming(make(SOPInstanceUID="1.9"))])
    assert [[row["sop"] for row in page] for page in begun] == [["1.4", "1.1"], []]


def test_schemas_are_those_of_the_store(
    cloud: Cloud, client: TestClient, dataset: str, store: str, make: Any, incoming: Put
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={}).raise_for_status()
    other = f"{dataset}/dicomStores/store2"
    contents = cloud.healthcare.dicom.contents
    contents.add(store, [incoming(make(SOPInstanceUID=f"1.{number}")) for number in (1, 2)])
    contents.add(other, [incoming(make(SOPInstanceUID="1.3", StudyDescription="x"))])
    [schema], [wider] = contents.schemas(store), contents.schemas(other)
    assert "StudyDescription" not in schema
    assert "StudyDescription" in wider


def test_nothing_is_stored_in_a_store_that_is_gone(
    cloud: Cloud, client: TestClient, store: str, make: Any, incoming: Put
) -> None:
    file = incoming(make())
    client.delete(f"/v1/{store}").raise_for_status()
    with pytest.raises(StoreGoneError):
        cloud.healthcare.dicom.contents.add(store, [file])
    assert blobs(cloud) == set()


def test_the_next_start_removes_what_has_no_row(
    cloud: Cloud,
    open_cloud: Callable[..., Cloud],
    store: str,
    make: Any,
    incoming: Put,
) -> None:
    contents = cloud.healthcare.dicom.contents
    contents.add(store, [incoming(make())])
    kept = blobs(cloud)
    contents.blobs.path("f" * 64).write_bytes(b"renamed, and then the crash")
    contents.blobs.new_staging_file().write_bytes(b"half a file")
    again = open_cloud().healthcare.dicom.contents
    assert blobs(cloud) == kept
    assert not list(again.blobs.staging.iterdir())
    assert again.count(ResourcePath(store)) == 1


def test_a_failed_transaction_stores_nothing(
    cloud: Cloud, store: str, make: Any, incoming: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    contents = cloud.healthcare.dicom.contents
    monkeypatch.setattr(contents.blobs, "fsync_dir", full)
    with pytest.raises(OSError, match="No space"):
        contents.add(store, [incoming(make())])
    assert contents.count(ResourcePath(store)) == 0
    assert contents.blobs.names() == set()
    monkeypatch.undo()
    assert contents.add(store, [incoming(make())]) == [StoreResult.STORED]


def test_callers_that_wait_share_a_transaction_but_not_each_others_trouble(
    cloud: Cloud, resource_path: ResourcePath, incoming: Put, make: Any
) -> None:
    contents = cloud.healthcare.dicom.contents
    good = [incoming(make(SOPInstanceUID=f"1.2.3.4.{number}")) for number in range(8)]
    lost = incoming(make(SOPInstanceUID="1.2.3.4.99"))
    lost.path.unlink()
    with ThreadPoolExecutor(9) as callers:
        added = [callers.submit(contents.add, resource_path.store, [one]) for one in good]
        failed = callers.submit(contents.add, resource_path.store, [lost])
        gone = callers.submit(contents.add, f"{resource_path.store}x", [good[0]])
    assert [one.result() for one in added] == [[StoreResult.STORED]] * 8
    assert isinstance(failed.exception(), FileNotFoundError)
    assert isinstance(gone.exception(), StoreGoneError)
    assert contents.count(resource_path) == 8
    assert all(contents.blobs.path(one.record.sha256).exists() for one in good)


def test_a_file_that_a_power_cut_gave_its_first_name_back_is_found_again(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.healthcare.dicom.contents
    contents.add(store, [incoming(make())])
    [row] = contents.find(ResourcePath(store))
    kept = contents.blobs.path(row["sha256"])
    kept.replace(contents.blobs.new_staging_file())
    contents.blobs.new_staging_file().write_bytes(b"half of another")

    assert contents.delete_orphans() == 0

    assert kept.read_bytes() == make()
    assert not list(contents.blobs.staging.iterdir())


@pytest.mark.parametrize(("named", "syncs"), [(True, 0), (False, 1)])
def test_the_folder_is_synced_for_files_whose_names_may_be_lost(
    cloud: Cloud,
    store: str,
    make: Any,
    incoming: Put,
    monkeypatch: pytest.MonkeyPatch,
    named: bool,
    syncs: int,
) -> None:
    contents, seen = cloud.healthcare.dicom.contents, list[None]()
    monkeypatch.setattr(contents.blobs, "fsync_dir", lambda: seen.append(None))
    one, two = incoming(make()), incoming(make(SOPInstanceUID="1.2.9"))
    batch = [replace(one, is_named=True), replace(two, is_named=named)]

    assert contents.add(store, batch) == [StoreResult.STORED, StoreResult.STORED]

    assert len(seen) == syncs


@pytest.fixture
def other_store(client: TestClient, dataset: str) -> str:
    """The full name of a second DICOM store."""
    answer = client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={})
    return str(answer.raise_for_status().json()["name"])


class _OneStoreFails:
    """A change listener to which the changes of one store are an error, as in a deleted store."""

    def __init__(self, store: str, error: BaseException) -> None:
        self._store = store
        self._error = error

    def add(self, _connection: Any, store: str, changes: Any, *_: Any) -> bool:
        list(changes)
        if store == self._store:
            raise self._error
        return False

    def wake(self) -> None:
        """Have nothing to send."""


def _has_length(queue: Sized, number: int) -> bool:
    return len(queue) == number


def _share_a_transaction(
    contents: models.InstanceStore, *requests: tuple[str, StagedFile]
) -> list[Future[list[StoreResult]]]:
    """Have several callers wait for one transaction; the first of them commits for the others."""
    queue = contents._group_commit._group._waiting
    with ThreadPoolExecutor(len(requests)) as callers:
        with contents._lock:
            calls = []
            for number, (store, file) in enumerate(requests, start=1):
                calls.append(callers.submit(contents.add, store, [file]))
                wait_until(partial(_has_length, queue, number), "a caller does not wait")
        return calls


@pytest.mark.parametrize("error", [not_found("gone"), RuntimeError("a bug"), KeyError("a bug")])
@pytest.mark.parametrize("failing_first", [True, False])
def test_a_caller_whose_store_fails_takes_no_other_callers_instance_along(
    cloud: Cloud,
    store: str,
    other_store: str,
    make: Any,
    incoming: Put,
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    failing_first: bool,
) -> None:
    contents = cloud.healthcare.dicom.contents
    listener = _OneStoreFails(other_store, error)
    monkeypatch.setattr(contents._group_commit, "_listener", listener)
    good, bad = incoming(make()), incoming(make(SOPInstanceUID="1.2.9"))
    requests = [(other_store, bad), (store, good)]

    calls = _share_a_transaction(contents, *(requests if failing_first else reversed(requests)))

    failed, stored = calls if failing_first else reversed(calls)
    assert failed.exception() is error
    assert stored.result() == [StoreResult.STORED]
    assert contents.count(ResourcePath(store)) == 1
    assert contents.count(ResourcePath(other_store)) == 0
    assert contents.blobs.names() == {good.record.sha256}


def test_a_shutdown_in_a_shared_transaction_acknowledges_nothing_and_leaves_none_waiting(
    cloud: Cloud,
    store: str,
    other_store: str,
    make: Any,
    incoming: Put,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contents = cloud.healthcare.dicom.contents
    listener = _OneStoreFails(other_store, KeyboardInterrupt())
    monkeypatch.setattr(contents._group_commit, "_listener", listener)
    good, bad = incoming(make()), incoming(make(SOPInstanceUID="1.2.9"))

    calls = _share_a_transaction(contents, (store, good), (other_store, bad))

    assert [type(call.exception()) for call in calls] == [KeyboardInterrupt] * 2
    assert contents.blobs.names() == set()
    assert contents.find(ResourcePath(store)) == contents.find(ResourcePath(other_store)) == []


def test_the_transaction_is_committed_before_any_caller_is_answered(
    cloud: Cloud, store: str, other_store: str, make: Any, incoming: Put, monkeypatch: Any
) -> None:
    contents = cloud.healthcare.dicom.contents
    original = cloud.database.write

    @contextmanager
    def fails_to_commit(**options: Any) -> Iterator[Any]:
        with original(**options) as connection:
            yield connection
            raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(contents._group_commit._database, "write", fails_to_commit)
    files = [incoming(make()), incoming(make(SOPInstanceUID="1.2.9"))]

    calls = _share_a_transaction(contents, (store, files[0]), (other_store, files[1]))

    assert [str(call.exception()) for call in calls] == ["disk I/O error"] * 2
    monkeypatch.undo()
    assert contents.find(ResourcePath(store)) == []
