"""Damaged DICOM files: stored or refused, and then everything that can be asked of them."""

import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud.storage import Client as StorageClient

from tests.soak import mutations
from tests.soak.fuzzing import PROJECT, Target, grant
from tests.support.dicom_files import make_dicom
from tests.support.waiting import wait_until

pytestmark = pytest.mark.sockets

STOWED, STOWED_LONG = 150, 20_000
IMPORTED, IMPORTED_LONG = 40, 1500
PARTS = 25
PATIENCE_SECONDS = 300
JSON = {"Accept": "application/dicom+json"}
LOOKS = (
    ("", {"Accept": "application/dicom; transfer-syntax=*"}),
    ("", {"Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"}),
    ("/metadata", JSON),
    ("/metadata", {"Accept": 'multipart/related; type="application/dicom+xml"'}),
    ("/rendered", {"Accept": "image/png"}),
    ("/frames/1", {"Accept": "application/octet-stream"}),
    ("/frames/1", {"Accept": "application/octet-stream; transfer-syntax=*"}),
    ("/frames/1,99999", {"Accept": "multipart/related; type=application/octet-stream"}),
)
"""What is asked of each instance that was taken."""


def multipart(files: list[bytes]) -> dict[str, Any]:
    """Return the body and the headers of a store request."""
    boundary = b"0f8a-boundary"
    parts = b"".join(
        b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n" + content + b"\r\n"
        for content in files
    )
    content_type = f'multipart/related; type="application/dicom"; boundary={boundary.decode()}'
    return {
        "content": parts + b"--" + boundary + b"--\r\n",
        "headers": {"Content-Type": content_type, **JSON},
    }


def path_of(instance: dict[str, Any]) -> str:
    study, series, sop = (instance[tag]["Value"][0] for tag in ("0020000D", "0020000E", "00080018"))
    return f"studies/{study}/series/{series}/instances/{sop}"


def taken(victim: Target, store: str) -> list[str]:
    """Return the path of every instance of a store."""
    found: list[str] = []
    while True:
        url = f"/v1/{store}/dicomWeb/instances?limit=1000&offset={len(found)}"
        answer = victim.call("GET", url, "nothing")
        if answer.status_code == 204:
            return found
        found += [path_of(one) for one in answer.json()]


def finished(victim: Target, begun: Any, what: str) -> dict[str, Any]:
    def look() -> dict[str, Any]:
        got: dict[str, Any] = victim.call("GET", f"/v1/{begun['name']}", what).json()
        return got if got.get("done") else {}

    return wait_until(look, f"{begun['name']} hangs, by {what}", PATIENCE_SECONDS)


def test_damaged_files_are_stored_or_refused(
    victim: Target, draw: random.Random, seed: int, soak: bool, report: Callable[..., None]
) -> None:
    count = STOWED_LONG if soak else STOWED
    stored = looked = exported = 0
    good = make_dicom(SOPInstanceUID="1.2.3.4.5.6.7")
    for start in range(0, count, PARTS):
        drawn = [mutations.mutate(draw) for _ in range(PARTS)]
        what = f"seed {seed}, files {start} to {start + PARTS - 1}: {[one for one, _ in drawn]}"
        files = [content for _, content in drawn]
        files.insert(PARTS // 2, good)
        # A store for each request, as all that was made of one file has the same UIDs.
        store = victim.new_store()
        answer = victim.call("POST", f"/v1/{store}/dicomWeb/studies", what, **multipart(files))
        assert answer.status_code in (200, 409), what
        outcome = answer.json()
        reported = sum(
            len(outcome.get(tag, {}).get("Value", [])) for tag in ("00081198", "00081199")
        )
        assert reported == len(files), what
        paths = taken(victim, store)
        [kept] = [path for path in paths if path.endswith("/1.2.3.4.5.6.7")]
        whole = victim.call("GET", f"/v1/{store}/dicomWeb/{kept}", what, headers=LOOKS[0][1])
        assert whole.content == good, what
        looked += _look_at_all(victim, store, paths, what, soak)
        stored += len(paths)
        if soak or start % (PARTS * 10) == 0:
            exported += _exported(victim, store, what)
            assert exported
    victim.check()
    report(
        "damaged files by STOW-RS",
        tried=count,
        stored=stored,
        looks=looked,
        rows=exported,
        lost=0,
        memory_mb=victim.memory_mb(),
    )


def _look_at_all(victim: Target, store: str, paths: list[str], what: str, soak: bool) -> int:
    looked = 0
    for number, path in enumerate(paths):
        # Each instance by some of the ways in the short form, by all in the long one.
        for ending, headers in LOOKS if soak else LOOKS[number % 3 :: 3]:
            url = f"/v1/{store}/dicomWeb/{path}{ending}"
            victim.call("GET", url, f"{headers} of {what}", headers=headers)
            looked += 1
    return looked


def _exported(victim: Target, store: str, what: str) -> int:
    """Export a store into a table of its own; gives its rows."""
    bigquery = f"/bigquery/v2/projects/{PROJECT}/datasets"
    body: dict[str, Any] = {"datasetReference": {"projectId": PROJECT, "datasetId": "fuzz"}}
    victim.call("POST", bigquery, "nothing", json=body)
    grant(victim)
    table = store.split("/")[5].replace("-", "_")
    body = {"bigqueryDestination": {"tableUri": f"bq://{PROJECT}.fuzz.{table}"}}
    begun = victim.call("POST", f"/v1/{store}:export", what, json=body)
    assert begun.status_code == 200, begun.text
    done = finished(victim, begun.json(), what)
    assert "error" not in done, (done, what)
    rows = int(done["metadata"]["counter"]["success"])
    assert rows == len(taken(victim, store)), what
    return rows


def test_damaged_files_are_imported_or_reported(
    victim: Target, draw: random.Random, seed: int, soak: bool, report: Callable[..., None]
) -> None:
    store = victim.new_store()
    grant(victim)
    count = IMPORTED_LONG if soak else IMPORTED
    storage = StorageClient(
        PROJECT,
        AnonymousCredentials(),  # type: ignore[no-untyped-call]
        client_options={"api_endpoint": victim.running.environment()["STORAGE_EMULATOR_HOST"]},
    )
    bucket = storage.create_bucket("fuzzed")
    for number in range(count):
        _, content = mutations.mutate(draw)
        bucket.blob(f"files/{number}.dcm").upload_from_string(content)
    body = {"gcsSource": {"uri": "gs://fuzzed/files/**.dcm"}}
    what = f"seed {seed}: an import of {count} damaged files"
    begun = victim.call("POST", f"/v1/{store}:import", what, json=body)
    done = finished(victim, begun.json(), what)
    counter = {name: int(number) for name, number in done["metadata"]["counter"].items()}
    assert counter.get("success", 0) + counter["failure"] == count
    assert counter.get("pending", 0) == 0
    victim.check()
    report("damaged files by import", tried=count, stored=counter.get("success", 0), lost=0)


@pytest.mark.parametrize("uid", ["../../../x", "1.2\0.3", "1" * 10_000, "%2e%2e", "1.2/../3", "."])
def test_hostile_uids_are_refused(victim: Target, uid: str) -> None:
    store = victim.new_store()
    hostile = make_dicom(SOPInstanceUID=uid)
    answer = victim.call("POST", f"/v1/{store}/dicomWeb/studies", uid[:40], **multipart([hostile]))
    assert answer.status_code == 409
    assert taken(victim, store) == []
    victim.check()


@pytest.mark.parametrize(
    "name",
    ["../../escape.dcm", "a/../../b.dcm", "with\nline.dcm", "x" * 900 + ".dcm", "ünïcode ☃.dcm"],
)
def test_hostile_object_names_stay_in_the_state_folder(victim: Target, name: str) -> None:
    store = victim.new_store()
    grant(victim)
    bucket = f"names-{zlib.crc32(name.encode())}"
    path = f"/storage/v1/b?project={PROJECT}"
    victim.call("POST", path, "nothing", json={"name": bucket})
    upload = f"/upload/storage/v1/b/{bucket}/o"
    answer = victim.client.post(
        upload, params={"uploadType": "media", "name": name}, content=make_dicom()
    )
    assert answer.status_code in (200, 400, 404, 500), answer.text  # fake-gcs-server's own answer
    body = {"gcsSource": {"uri": f"gs://{bucket}/**.dcm"}}
    begun = victim.call("POST", f"/v1/{store}:import", repr(name[:40]), json=body)
    if begun.status_code == 200:
        finished(victim, begun.json(), repr(name[:40]))
    victim.check()
    above = victim.running.state.parent.parent
    escaped = [path for path in above.rglob("*") if path.name in ("escape.dcm", "b.dcm")]
    assert [path for path in escaped if victim.running.state not in path.parents] == []
