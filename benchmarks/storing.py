"""Import the lab's files from the bucket, and store them by STOW-RS, beside Orthanc."""

from collections.abc import Iterator, Sequence

from benchmarks import comparison, load
from benchmarks.comparison import Row
from benchmarks.load import Request
from benchmarks.sides import Sides
from emulator.services.storage.public_bucket import BUCKET

CLIENTS = 4
IMPORT_GOAL, STOW_GOAL = 1.5, 1.2
BOUNDARY = "benchmark"
STOW_HEADERS = {
    "Content-Type": f'multipart/related; type="application/dicom"; boundary={BOUNDARY}',
    "Accept": "application/dicom+json",
}


def measure_import(sides: Sides) -> Iterator[Row]:
    """Compare an import from Cloud Storage with posting the same files to Orthanc."""
    count = len(sides.lab_files)
    posts = [Request("POST", "/instances", content) for content in sides.lab_files]
    sides.report(f"importing {count} files, and posting them to Orthanc, in turns")

    def ours() -> float:
        with sides.local.store() as store:
            return count / sides.local.bring_in(store, f"gs://{BUCKET}/**.dcm").seconds

    rates = comparison.in_turns(ours, lambda: _orthanc_rate(sides, posts))
    yield comparison.rate(f"import of {count} files", *rates, "files/s", IMPORT_GOAL)


def measure_stow(sides: Sides) -> Iterator[Row]:
    """Compare STOW-RS, one instance a request, with Orthanc's."""
    count = len(sides.lab_files)
    bodies = [stow_body(content) for content in sides.lab_files]
    sides.report(f"storing {count} files by STOW-RS on both sides in turns")

    def ours() -> float:
        with sides.local.store() as store:
            path = f"/v1/{store}/dicomWeb/studies"
            requests = [Request("POST", path, body, STOW_HEADERS) for body in bodies]
            return count / load.send(sides.local.running.url, requests, CLIENTS)

    posts = [Request("POST", "/dicom-web/studies", body, STOW_HEADERS) for body in bodies]
    rates = comparison.in_turns(ours, lambda: _orthanc_rate(sides, posts))
    yield comparison.rate(f"STOW-RS of {count} files", *rates, "files/s", STOW_GOAL)


def stow_body(content: bytes) -> bytes:
    """Wrap a file as the only part of a multipart body."""
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    return head + content + f"\r\n--{BOUNDARY}--\r\n".encode()


def _orthanc_rate(sides: Sides, requests: Sequence[Request]) -> float:
    """Return the rate at which the empty Orthanc stores files, in files a second."""
    try:
        return len(requests) / load.send(sides.orthanc.url, requests, CLIENTS)
    finally:
        sides.orthanc.clear()
