"""`python -m benchmarks.adapters.plain_inference ROOT STORE`: the work of inference as a script.

It reads paths of instances from its input. For each one it fetches the pixels, runs the model and
stores a report, with one session and as many threads as the service has callers. It prints the
seconds that all of it took.
"""

import io
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pydicom
import requests

from workloads.inference import reports
from workloads.inference.arrival import pixels_of
from workloads.inference.cardiothoracic import CardiothoracicRatio

THREADS = 4
TIMEOUT_SECONDS = 60


def main(root: str, store: str) -> None:
    """Measure the instances that the input lists."""
    session, model = requests.Session(), CardiothoracicRatio()
    web = f"{root}/v1/{store}/dicomWeb"
    accept = {"Accept": "application/dicom; transfer-syntax=1.2.840.10008.1.2.1"}
    sent = {"Content-Type": "application/dicom", "Accept": "application/dicom+json"}

    def measure(path: str) -> None:
        found = session.get(f"{web}/{path}", headers=accept, timeout=TIMEOUT_SECONDS)
        found.raise_for_status()
        image = pydicom.dcmread(io.BytesIO(found.content))
        findings = model.measure(pixels_of(image))
        report = reports.structured_report(image, model.algorithm, findings)
        stored = session.post(f"{web}/studies", report, headers=sent, timeout=TIMEOUT_SECONDS)
        stored.raise_for_status()

    paths = sys.stdin.read().split()
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as threads:
        list(threads.map(measure, paths))
    print(time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
