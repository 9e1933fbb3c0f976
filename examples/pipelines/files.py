"""The files of an ingest: those of the lab, with damaged, duplicate and contradictory ones."""

import io
from dataclasses import dataclass
from typing import Any

import pydicom

from scripts.lib.errors import ScriptError
from scripts.lib.google import gcs_uri
from scripts.lib.google.errors import translate_errors

FOLDER, RUNS = "in/", "runs/"
DAMAGED = {"damaged/truncated.dcm": 300, "damaged/empty.dcm": 0}
"""Name of a file -> how many bytes of an instance it has."""
DUPLICATE, CONFLICT = "again/duplicate.dcm", "again/other-patient.dcm"


@dataclass(frozen=True)
class Files:
    """The files in the bucket.

    Attributes:
        instances: SOP Instance UIDs, each once
        patients: their Patient IDs
        number: of files
        dead: of files that can't get into the store
    """

    instances: frozenset[str]
    patients: frozenset[str]
    number: int
    dead: int


def put(client: Any, source: str, bucket: str) -> Files:
    """Copy files to a bucket, and add damaged, duplicate and contradictory ones.

    Args:
        client: of Cloud Storage
        source: `gs://BUCKET/PATTERN` of DICOM files
        bucket: the name of the other bucket

    Raises:
        ScriptError: there are no such files, or Cloud Storage refuses
    """
    parsed = gcs_uri.parse(source)
    target = client.bucket(bucket)
    first = b""
    uids, patients = set(), set()
    with translate_errors(f"copying {source} to gs://{bucket}/{FOLDER}"):
        for blob in client.list_blobs(parsed.bucket, match_glob=parsed.pattern):
            content = blob.download_as_bytes()
            dataset = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
            uids.add(str(dataset.SOPInstanceUID))
            patients.add(str(dataset.PatientID))
            _put(target, blob.name, content)
            first = first or content
        if not uids:
            raise ScriptError(f"{source} has no files.", "Choose others with --source.")
        for name, size in DAMAGED.items():
            _put(target, name, first[:size])
        _put(target, DUPLICATE, first)
        _put(target, CONFLICT, _of_another_patient(first))
    number = len(uids) + len(DAMAGED) + len((DUPLICATE, CONFLICT))
    return Files(frozenset(uids), frozenset(patients), number, len(DAMAGED) + 1)


def clear(client: Any, bucket: str) -> int:
    """Delete the files and the folders of the runs; return the number of objects."""
    with translate_errors(f"emptying gs://{bucket}"):
        found = [
            blob for prefix in (FOLDER, RUNS) for blob in client.list_blobs(bucket, prefix=prefix)
        ]
        for blob in found:
            blob.delete()
    return len(found)


def _put(bucket: Any, name: str, content: bytes) -> None:
    """Put an object, unless it is there with this content: its generation stays."""
    blob = bucket.get_blob(f"{FOLDER}{name}")
    if blob is None or blob.download_as_bytes() != content:
        bucket.blob(f"{FOLDER}{name}").upload_from_string(content, "application/dicom")


def _of_another_patient(content: bytes) -> bytes:
    """Return an instance with the same UIDs and another patient."""
    dataset = pydicom.dcmread(io.BytesIO(content))
    dataset.PatientID = f"{dataset.PatientID}-other"
    buffer = io.BytesIO()
    dataset.save_as(buffer)
    return buffer.getvalue()
