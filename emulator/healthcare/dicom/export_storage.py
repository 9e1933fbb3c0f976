"""The export to Cloud Storage: original files, or frames as pictures."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Row
from typing import TYPE_CHECKING

from emulator.errors import ApiError, invalid_argument
from emulator.healthcare.dicom import rendering
from emulator.healthcare.dicom.models import Place
from emulator.healthcare.dicom.storage import Storage
from emulator.operations import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

COLUMNS = "study, series, sop, sha256, frames"
UPLOADS = 4
DICOM = "application/dicom"
ENDINGS = {DICOM: "dcm", "image/jpeg": "jpg", "image/png": "png"}


def kind_of(mime_type: str) -> str:
    """Give the media type that a request's `mimeType` asks for.

    Raises:
        ApiError: 400, naming what can be asked for.
    """
    kind, _, parameters = mime_type.partition(";")
    kind = kind.strip() or DICOM
    syntax = parameters.strip().removeprefix("transfer-syntax=").strip('"')
    if kind not in ENDINGS or (kind == DICOM and syntax not in ("", "*")):
        raise invalid_argument(
            f"unsupported mime_type {mime_type!r}: leave it empty for the original files, or "
            "ask for image/jpeg or image/png"
        )
    return kind


def run(cloud: "Cloud", operation: OperationRun) -> None:
    """Run an export; objects that are there are overwritten.

    Raises:
        ApiError: the bucket or the storage service is gone.
    """
    store: str = operation.request["store"]
    pending = cloud.dicom.contents.count(Place(store))
    success = failure = 0
    with Storage(cloud.storage_url) as storage, ThreadPoolExecutor(UPLOADS) as uploads:

        def export(row: Row) -> ApiError | OSError | None:
            return _export(cloud, operation, storage, row)

        for page in cloud.dicom.contents.pages(Place(store), COLUMNS):
            operation.check_cancelled()
            for row, error in zip(page, uploads.map(export, page), strict=True):
                if error:
                    operation.log_failure(f"{store}/dicomWeb/{_path(row)}", str(error))
                failure += error is not None
                success += error is None
            pending = max(0, pending - len(page))
            operation.progress(success=success, failure=failure, pending=pending)


def _path(row: Row) -> str:
    return f"studies/{row['study']}/series/{row['series']}/instances/{row['sop']}"


def _export(
    cloud: "Cloud", operation: OperationRun, storage: Storage, row: Row
) -> ApiError | OSError | None:
    """Export one instance; gives what its own bytes are to blame for."""
    request = operation.request
    name = f"{request['prefix']}{row['study']}/{row['series']}/{row['sop']}"
    try:
        for suffix, content in _files(cloud, request["kind"], row):
            storage.write(request["bucket"], name + suffix, content, request["kind"])
    except OSError as error:
        return error
    except ApiError as error:
        if error.code >= 500:
            raise
        return error
    return None


def _files(cloud: "Cloud", kind: str, row: Row) -> Iterator[tuple[str, bytes]]:
    path = cloud.dicom.contents.blobs.path(row["sha256"])
    ending = ENDINGS[kind]
    if kind == DICOM:
        yield f".{ending}", path.read_bytes()
        return
    for frame in range(1, row["frames"] + 1):
        yield f"/{frame}.{ending}", rendering.render(path, frame, kind)
