"""The two servers that are compared, each started and filled at its first use."""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path

import httpx

from benchmarks import files, load, local, orthanc
from benchmarks.fhir import hapi
from benchmarks.load import Request
from benchmarks.local import Local

MANY, FEW = 20_000, 400
IMPORTED, SEARCHED = 100_000, 200_000
"""Files of the large import, and of the large store that is searched."""
BUCKET, LARGE_BUCKET = "benchmark", "benchmark-large"
FILLING_CLIENTS = 4


class Orthanc:
    """A running Orthanc."""

    def __init__(self, url: str) -> None:
        self.url = url

    def clear(self) -> None:
        """Delete everything."""
        patients = httpx.get(f"{self.url}/patients", timeout=300).json()
        body = {"Resources": patients}
        httpx.post(f"{self.url}/tools/bulk-delete", json=body, timeout=300).raise_for_status()


class Sides:
    """The servers and data that the benchmarks share.

    Args:
        folder: for the data of both servers
        stack: stops the servers when it is closed
        report: called with each step that takes long
    """

    def __init__(self, folder: Path, stack: ExitStack, report: Callable[[str], None]) -> None:
        self._folder, self._stack = folder, stack
        self.report = report

    @cached_property
    def local(self) -> Local:
        """The emulator."""
        self.report("starting an emulator, and filling its public bucket")
        return self._stack.enter_context(local.running(self._folder / "local"))

    @cached_property
    def orthanc(self) -> Orthanc:
        """An Orthanc that is empty at first, and again after each measurement."""
        self.report("starting Orthanc (the first time, its packages are downloaded)")
        return Orthanc(self._stack.enter_context(orthanc.running(self._folder / "orthanc")))

    @cached_property
    def hapi(self) -> str:
        """The root of the FHIR API of a HAPI FHIR that is empty at first."""
        self.report("starting HAPI FHIR (the first time, its libraries are downloaded)")
        return self._stack.enter_context(hapi.running(self._folder / "hapi"))

    @cached_property
    def lab_files(self) -> list[bytes]:
        """The lab's files."""
        return files.lab(self.local.storage)

    @cached_property
    def many(self) -> str:
        """The bucket with the many small files in `all/`."""
        self.report(f"creating {MANY} small files")
        self.local.bucket(BUCKET, _objects("all", files.small(MANY)))
        return BUCKET

    @cached_property
    def large(self) -> str:
        """The bucket with the files of the large import in `first/`, and some of them in `few/`."""
        self.report(f"creating {IMPORTED} small files (a minute)")
        self.local.bucket(LARGE_BUCKET, _objects("first", files.small(IMPORTED)))
        self.local.add_objects(LARGE_BUCKET, _objects("few", files.small(FEW)))
        return LARGE_BUCKET

    @cached_property
    def large_store(self) -> str:
        """A DICOM store of the emulator that holds `SEARCHED` files."""
        bucket = self.large
        others = SEARCHED - IMPORTED
        self.report(f"creating {others} more small files, and importing all (minutes)")
        self.local.add_objects(bucket, _objects("second", files.small(others, IMPORTED)))
        store = self.local.new_store()
        for folder in ("first", "second"):
            self.local.bring_in(store, f"gs://{bucket}/{folder}/*.dcm")
        return store

    @cached_property
    def full_store(self) -> str:
        """A DICOM store of the emulator that holds the many files."""
        uri = f"gs://{self.many}/all/*.dcm"
        store = self.local.new_store()
        self.report(f"importing {MANY} files")
        self.local.bring_in(store, uri)
        return store

    @cached_property
    def full_orthanc(self) -> Orthanc:
        """An Orthanc that holds the many files, beside the one that is emptied."""
        folder = self.local.storage / self.many / "all"
        found = Orthanc(self._stack.enter_context(orthanc.running(self._folder / "full")))
        self.report(f"posting {MANY} files to Orthanc")
        posts = [Request("POST", "/instances", path.read_bytes()) for path in folder.iterdir()]
        load.send(found.url, posts, FILLING_CLIENTS)
        return found


def _objects(
    folder: str, small: Iterable[tuple[files.Position, bytes]]
) -> Iterator[tuple[str, bytes]]:
    for at, content in small:
        yield f"{folder}/{at.number:06d}.dcm", content


@contextmanager
def opened(report: Callable[[str], None]) -> Iterator[Sides]:
    """Yield both sides; stop the servers that were started when the context ends."""
    with (
        tempfile.TemporaryDirectory(prefix="gcp-healthcare-bench-") as folder,
        ExitStack() as stack,
    ):
        yield Sides(Path(folder), stack, report)
