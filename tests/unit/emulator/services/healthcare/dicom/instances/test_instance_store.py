"""What is stored: duplicates, deletions, and what a crash may leave."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from emulator.cloud import Cloud
from emulator.healthcare.dicom import models
from emulator.healthcare.dicom.additions import Incoming, Outcome, StoreGoneError
from emulator.healthcare.dicom.places import Place

Put = Callable[[bytes], Incoming]


def blobs(cloud: Cloud) -> set[str]:
    return {path.name for path in (cloud.settings.state_dir / "dicom" / "sha256").iterdir()}


def test_an_identical_instance_is_ignored_and_another_refused(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.dicom.contents
    assert contents.add(store, [incoming(make())]) == [Outcome.STORED]
    assert contents.add(store, [incoming(make())]) == [Outcome.IDENTICAL]
    assert contents.add(store, [incoming(make(PatientID="p2"))]) == [Outcome.MISMATCH]
    [row] = contents.find(Place(store))
    assert row["patient_id"] == "p1"
    assert blobs(cloud) == {row["sha256"]}
    assert not list(contents.blobs.incoming.iterdir())


def test_twins_in_one_batch(cloud: Cloud, store: str, make: Any, incoming: Put) -> None:
    batch = [incoming(make()), incoming(make()), incoming(make(PatientID="p2"))]
    outcomes = cloud.dicom.contents.add(store, batch)
    assert outcomes == [Outcome.STORED, Outcome.IDENTICAL, Outcome.MISMATCH]


def test_equal_files_of_two_stores_are_one_file_until_both_are_gone(
    cloud: Cloud, client: TestClient, dataset: str, store: str, make: Any, incoming: Put
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={}).raise_for_status()
    contents = cloud.dicom.contents
    contents.add(store, [incoming(make())])
    contents.add(f"{dataset}/dicomStores/store2", [incoming(make())])
    assert len(blobs(cloud)) == 1
    assert client.delete(f"/v1/{store}").json() == {}
    assert contents.count(Place(store)) == 0
    assert len(blobs(cloud)) == 1
    assert client.delete(f"/v1/{dataset}").json() == {}
    assert blobs(cloud) == set()


def test_deleting_a_series_leaves_the_rest(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.dicom.contents
    contents.add(
        store,
        [
            incoming(make()),
            incoming(make(SOPInstanceUID="1.2.3.4.6")),
            incoming(make(SeriesInstanceUID="1.2.3.5", SOPInstanceUID="1.2.3.5.1")),
        ],
    )
    assert contents.delete(Place(store, "1.2.3", "1.2.3.4")) == 2
    assert [row["series"] for row in contents.find(Place(store))] == ["1.2.3.5"]
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
    contents = cloud.dicom.contents
    uids = [f"1.{number}" for number in (5, 3, 4, 1, 2)]
    contents.add(store, [incoming(make(SOPInstanceUID=uid)) for uid in uids])
    pages = [[row["sop"] for row in page] for page in contents.pages(Place(store), "sop")]
    assert pages == [["1.5", "1.3"], ["1.4", "1.1"], ["1.2"]]

    begun = contents.pages(Place(store, "1.2.3"), "sop")
    assert [row["sop"] for row in next(begun)] == ["1.5", "1.3"]
    contents.delete(Place(store, "1.2.3", "1.2.3.4", "1.2"))
    # It takes the id that has become free.
    contents.add(f"{dataset}/dicomStores/store2", [incoming(make(SOPInstanceUID="1.9"))])
    assert [[row["sop"] for row in page] for page in begun] == [["1.4", "1.1"], []]


def test_schemas_are_those_of_the_store(
    cloud: Cloud, client: TestClient, dataset: str, store: str, make: Any, incoming: Put
) -> None:
    client.post(f"/v1/{dataset}/dicomStores?dicomStoreId=store2", json={}).raise_for_status()
    other = f"{dataset}/dicomStores/store2"
    contents = cloud.dicom.contents
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
        cloud.dicom.contents.add(store, [file])
    assert blobs(cloud) == set()


def test_the_next_start_removes_what_has_no_row(
    cloud: Cloud,
    open_cloud: Callable[..., Cloud],
    store: str,
    make: Any,
    incoming: Put,
) -> None:
    contents = cloud.dicom.contents
    contents.add(store, [incoming(make())])
    kept = blobs(cloud)
    contents.blobs.path("f" * 64).write_bytes(b"renamed, and then the crash")
    contents.blobs.temporary().write_bytes(b"half a file")
    again = open_cloud().dicom.contents
    assert blobs(cloud) == kept
    assert not list(again.blobs.incoming.iterdir())
    assert again.count(Place(store)) == 1


def test_a_failed_transaction_stores_nothing(
    cloud: Cloud, store: str, make: Any, incoming: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(28, "No space left on device")

    contents = cloud.dicom.contents
    monkeypatch.setattr(contents.blobs, "sync", full)
    with pytest.raises(OSError, match="No space"):
        contents.add(store, [incoming(make())])
    assert contents.count(Place(store)) == 0
    assert contents.blobs.names() == set()
    monkeypatch.undo()
    assert contents.add(store, [incoming(make())]) == [Outcome.STORED]


def test_callers_that_wait_share_a_transaction_but_not_each_others_trouble(
    cloud: Cloud, place: Place, incoming: Put, make: Any
) -> None:
    contents = cloud.dicom.contents
    good = [incoming(make(SOPInstanceUID=f"1.2.3.4.{number}")) for number in range(8)]
    lost = incoming(make(SOPInstanceUID="1.2.3.4.99"))
    lost.path.unlink()
    with ThreadPoolExecutor(9) as callers:
        added = [callers.submit(contents.add, place.store, [one]) for one in good]
        failed = callers.submit(contents.add, place.store, [lost])
        gone = callers.submit(contents.add, f"{place.store}x", [good[0]])
    assert [one.result() for one in added] == [[Outcome.STORED]] * 8
    assert isinstance(failed.exception(), FileNotFoundError)
    assert isinstance(gone.exception(), StoreGoneError)
    assert contents.count(place) == 8
    assert all(contents.blobs.path(one.record.sha256).exists() for one in good)


def test_a_file_that_a_power_cut_gave_its_first_name_back_is_found_again(
    cloud: Cloud, store: str, make: Any, incoming: Put
) -> None:
    contents = cloud.dicom.contents
    contents.add(store, [incoming(make())])
    [row] = contents.find(Place(store))
    kept = contents.blobs.path(row["sha256"])
    kept.replace(contents.blobs.temporary())
    contents.blobs.temporary().write_bytes(b"half of another")

    assert contents.sweep() == 0

    assert kept.read_bytes() == make()
    assert not list(contents.blobs.incoming.iterdir())


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
    contents, seen = cloud.dicom.contents, list[None]()
    monkeypatch.setattr(contents.blobs, "sync", lambda: seen.append(None))
    one, two = incoming(make()), incoming(make(SOPInstanceUID="1.2.9"))
    batch = [replace(one, is_named=True), replace(two, is_named=named)]

    assert contents.add(store, batch) == [Outcome.STORED, Outcome.STORED]

    assert len(seen) == syncs
