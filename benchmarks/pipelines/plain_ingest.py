"""A plain script of the work of an ingest: read, parse, STOW-RS, by processes.

Usage: plain_ingest.py URL BUCKET STORE, with names of objects on standard input. Prints the seconds
that it took. It keeps no ledger, retries nothing, and looks at no refusal.
"""

import io
import sys
import time
from multiprocessing import Pool
from urllib.parse import quote

import pydicom
import requests

PROCESSES = 2


def main() -> None:
    """Store all objects."""
    url, bucket, store = sys.argv[1:]
    names = sys.stdin.read().split()
    with Pool(PROCESSES, _begin, (url, bucket, store)) as pool:
        began = time.perf_counter()
        for _ in pool.imap_unordered(_store, names, 16):
            pass
        sys.stdout.write(f"{time.perf_counter() - began}\n")


def _begin(url: str, bucket: str, store: str) -> None:
    global _session, _objects, _studies
    _session = requests.Session()
    _session.trust_env = False
    _objects = f"{url}/storage/v1/b/{bucket}/o"
    _studies = f"{url}/v1/{store}/dicomWeb/studies"


def _store(name: str) -> None:
    read = _session.get(f"{_objects}/{quote(name, safe='')}?alt=media")
    read.raise_for_status()
    dataset = pydicom.dcmread(io.BytesIO(read.content))
    assert dataset.StudyInstanceUID
    assert dataset.PatientID
    headers = {"Content-Type": "application/dicom"}
    _session.post(_studies, data=read.content, headers=headers).raise_for_status()


_session: requests.Session
_objects: str
_studies: str

if __name__ == "__main__":
    main()
