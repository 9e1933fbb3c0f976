"""fake-gcs-server never writes into a file that has a name: other names of it stay as they are.

The cache of the public bucket and the DICOM stores share files with buckets on the strength of it.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from emulator.server import state_dir
from emulator.server.server_file import ServerInfo
from emulator.services.storage import object_files, xattrs


def upload(blob: storage.Blob) -> None:
    blob.upload_from_string(b"other content", content_type="text/plain")


def upload_in_chunks(blob: storage.Blob) -> None:
    blob.chunk_size = 256 * 1024
    with blob.open("wb") as file:
        file.write(b"x" * (600 * 1024))


def patch(blob: storage.Blob) -> None:
    blob.metadata = {"other": "metadata"}
    blob.content_type = "text/plain"
    blob.patch()


def update(blob: storage.Blob) -> None:
    blob.metadata = {"other": "metadata"}
    blob.update()


def rewrite_onto(blob: storage.Blob) -> None:
    other = blob.bucket.blob("other")
    other.upload_from_string(b"other content")
    blob.rewrite(other)


def compose_onto(blob: storage.Blob) -> None:
    other = blob.bucket.blob("other")
    other.upload_from_string(b"other content")
    blob.compose([other, other])


def delete(blob: storage.Blob) -> None:
    blob.delete()


@pytest.mark.parametrize(
    "change", [upload, upload_in_chunks, patch, update, rewrite_onto, compose_onto, delete]
)
def test_a_change_of_an_object_leaves_other_names_of_its_file(
    emulator: ServerInfo, project: str, tmp_path: Path, change: Callable[[storage.Blob], None]
) -> None:
    client = storage.Client(project, credentials=AnonymousCredentials())  # type: ignore[no-untyped-call]
    bucket = client.create_bucket(f"{project}-files")
    blob = bucket.blob("folder/object")
    blob.upload_from_string(b"content", content_type="application/dicom")
    root = state_dir.storage_folder(emulator.state)
    path = root / bucket.name / "folder" / "object"
    second = emulator.state / f"{project}-second-name"
    assert object_files.hard_link(root, bucket.name, "folder/object", second)
    attributes = xattrs.read(second, object_files.ATTRIBUTE)
    try:
        change(blob)
        assert second.read_bytes() == b"content"
        assert xattrs.read(second, object_files.ATTRIBUTE) == attributes
        assert not path.exists() or not path.samefile(second)
    finally:
        second.unlink()
