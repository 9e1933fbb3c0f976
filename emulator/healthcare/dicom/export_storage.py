"""The export to Cloud Storage: original files, or frames as pictures."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Row
from typing import TYPE_CHECKING

from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from emulator.errors import ApiError, invalid_argument
from emulator.healthcare.dicom import filters, rendering, syntaxes, wado
from emulator.healthcare.dicom.storage import Storage
from emulator.operations.running import OperationRun

if TYPE_CHECKING:
    from emulator.cloud import Cloud

COLUMNS = "study, series, sop, sha256, frames, transfer_syntax"
UPLOADS = 4
DICOM = "application/dicom"
OCTETS = syntaxes.OCTETS
ENDINGS = {DICOM: ".dcm", OCTETS: "", "image/jpeg": ".jpg", "image/png": ".png"}
SYNTAXES = {
    DICOM: syntaxes.DICOM,
    OCTETS: frozenset({syntaxes.ANY, ExplicitVRLittleEndian}),
    "image/jpeg": frozenset({syntaxes.ANY, JPEGBaseline8Bit}),
    "image/png": frozenset({syntaxes.ANY}),
}
"""Media type -> the transfer syntaxes that go with it, as `mimeType`'s description lists them.

An instance that can't be encoded so by the libraries here fails by itself.
"""


def kind_of(mime_type: str) -> tuple[str, str]:
    """Give the media type and the transfer syntax that a request's `mimeType` asks for.

    Raises:
        ApiError: 400, naming what can be asked for.
    """
    kind, _, parameters = mime_type.partition(";")
    kind = kind.strip() or DICOM
    syntax = parameters.strip().removeprefix("transfer-syntax=").strip('"') or syntaxes.ANY
    if syntax not in SYNTAXES.get(kind, ()):
        allowed = "; ".join(f"{kind}: {', '.join(sorted(of))}" for kind, of in SYNTAXES.items())
        raise invalid_argument(
            f"unsupported mime_type {mime_type!r}: leave it empty for the original files, or ask "
            f"for one of these media types, with a transfer-syntax of those behind it: {allowed}"
        )
    return kind, syntax


def run(cloud: "Cloud", operation: OperationRun) -> None:
    """Run an export; objects that are there are overwritten.

    Raises:
        ApiError: the bucket or the storage service is gone.
    """
    store: str = operation.request["store"]
    contents = cloud.dicom.contents
    places = filters.places(store, operation.request.get("places"))
    pending = sum(contents.count(place) for place in places)
    success, failure = 0, filters.log_absent(contents, operation, places)
    with Storage(cloud.storage_url) as storage, ThreadPoolExecutor(UPLOADS) as uploads:

        def export(row: Row) -> ApiError | OSError | None:
            return _export(cloud, operation, storage, row)

        for page in (page for place in places for page in contents.pages(place, COLUMNS)):
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
        syntax = request.get("syntax", syntaxes.ANY)
        for suffix, content in _files(cloud, request["kind"], syntax, row):
            storage.write(request["bucket"], name + suffix, content, request["kind"])
    except FileNotFoundError as missing:
        return wado.lost(cloud.dicom.contents, request["store"], missing)
    except OSError as error:
        return error
    except ApiError as error:
        if error.code >= 500:
            raise
        return error
    return None


def _files(cloud: "Cloud", kind: str, syntax: str, row: Row) -> Iterator[tuple[str, bytes]]:
    contents, ending = cloud.dicom.contents, ENDINGS[kind]
    if kind == DICOM:
        yield ending, b"".join(wado.content(contents, row, syntax))
        return
    path = contents.blobs.path(row["sha256"])
    for frame in range(1, row["frames"] + 1):
        if kind == OCTETS:
            [(_, content)] = wado.frames(contents, row, [frame], OCTETS, syntax)
        else:
            content = rendering.render(path, frame, kind)
        yield (f"/{frame}{ending}" if row["frames"] > 1 else ending), content
