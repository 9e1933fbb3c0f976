"""Export to Cloud Storage: original files, or frames as pictures.

Inferred (conformance: export-mime-type-text): the text of a refusal.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from sqlite3 import Row

from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from emulator.core.errors import RPC_CODES, ApiError, invalid_argument
from emulator.core.operations.batch_progress import BatchProgress
from emulator.core.operations.operation_type import OperationRun
from emulator.services.healthcare.clients.gcs import GcsClient
from emulator.services.healthcare.dicom.instances import retrieval
from emulator.services.healthcare.dicom.operations import filter_config
from emulator.services.healthcare.dicom.pixels import rendering, transfer_syntaxes
from emulator.services.healthcare.dicom.resource_path import ResourcePath
from emulator.services.healthcare.dicom.service import Dicom

COLUMNS = "study, series, sop, sha256, frames, transfer_syntax"
UPLOADS = 4
DICOM = "application/dicom"
OCTETS = transfer_syntaxes.OCTET_STREAM
ENDINGS = {DICOM: ".dcm", OCTETS: "", "image/jpeg": ".jpg", "image/png": ".png"}
SYNTAXES = {
    DICOM: transfer_syntaxes.DICOM,
    OCTETS: frozenset({transfer_syntaxes.ANY, ExplicitVRLittleEndian}),
    "image/jpeg": frozenset({transfer_syntaxes.ANY, JPEGBaseline8Bit}),
    "image/png": frozenset({transfer_syntaxes.ANY}),
}
"""Media type -> the transfer syntaxes that go with it, as `mimeType`'s description lists them.

An instance that the libraries here can't encode fails alone.
"""


def parse_mime_type(mime_type: str) -> tuple[str, str]:
    """Return the media type and the transfer syntax that a request's `mimeType` asks for.

    Raises:
        ApiError: 400, naming the supported media types
    """
    media_type, _, parameters = mime_type.partition(";")
    media_type = media_type.strip() or DICOM
    syntax = parameters.strip().removeprefix("transfer-syntax=").strip('"') or transfer_syntaxes.ANY
    if syntax not in SYNTAXES.get(media_type, ()):
        allowed = "; ".join(
            f"{media_type}: {', '.join(sorted(of))}" for media_type, of in SYNTAXES.items()
        )
        raise invalid_argument(
            f"unsupported mime_type {mime_type!r}: leave it empty for the original files, or ask "
            f"for one of these media types, with a transfer-syntax of those behind it: {allowed}"
        )
    return media_type, syntax


def run(dicom: Dicom, operation: OperationRun) -> None:
    """Run an export; existing objects are overwritten.

    Raises:
        ApiError: the bucket was deleted, or the storage service is unavailable
    """
    store: str = operation.request["store"]
    contents = dicom.contents
    resource_paths = filter_config.resolve(store, operation.request.get("places"))
    progress = BatchProgress(
        operation,
        total=sum(contents.count(resource_path) for resource_path in resource_paths),
        failure=filter_config.log_missing(contents, operation, resource_paths),
    )
    with (
        GcsClient(dicom.settings.storage_url) as storage,
        ThreadPoolExecutor(UPLOADS) as uploads,
    ):

        def export(row: Row) -> ApiError | OSError | None:
            return _export(dicom, operation, storage, row)

        for page in (
            page
            for resource_path in resource_paths
            for page in contents.pages(resource_path, COLUMNS)
        ):
            operation.check_cancelled()
            for row, error in zip(page, uploads.map(export, page), strict=True):
                if error:
                    progress.fail(
                        str(ResourcePath(store, row["study"], row["series"], row["sop"])),
                        str(error),
                        RPC_CODES[error.status if isinstance(error, ApiError) else "INTERNAL"],
                    )
                else:
                    progress.succeed()
            progress.report()


def _export(
    dicom: Dicom, operation: OperationRun, storage: GcsClient, row: Row
) -> ApiError | OSError | None:
    """Export one instance; return the error if its own content causes one."""
    request, contents = operation.request, dicom.contents
    name = f"{request['prefix']}{row['study']}/{row['series']}/{row['sop']}"
    try:
        syntax = request.get("syntax", transfer_syntaxes.ANY)
        for suffix, content in _files(dicom, request["kind"], syntax, row):
            storage.write(request["bucket"], name + suffix, content, request["kind"])
    except FileNotFoundError as missing:
        instance = ResourcePath(request["store"], row["study"], row["series"], row["sop"])
        for current in contents.find(instance, COLUMNS):
            if current["sha256"] != row["sha256"]:  # it was replaced since its row was read
                return _export(dicom, operation, storage, current)
        return retrieval.missing_file_error(contents, request["store"], missing)
    except OSError as error:
        return error
    except ApiError as error:
        if error.code >= 500:
            raise
        return error
    return None


def _files(dicom: Dicom, media_type: str, syntax: str, row: Row) -> Iterator[tuple[str, bytes]]:
    contents, ending = dicom.contents, ENDINGS[media_type]
    if media_type == DICOM:
        yield ending, b"".join(retrieval.content(contents, row, syntax))
        return
    path = contents.blobs.path(row["sha256"])
    for frame in range(1, row["frames"] + 1):
        if media_type == OCTETS:
            [(_, content)] = retrieval.frames(contents, row, [frame], OCTETS, syntax)
        else:
            content = rendering.render(path, frame, media_type)
        yield (f"/{frame}{ending}" if row["frames"] > 1 else ending), content
