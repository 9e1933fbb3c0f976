"""Searching among many instances, and the metadata of a long series, beside Orthanc's plug-in."""

import json
import random
from collections.abc import Callable, Iterator, Sequence

from benchmarks import comparison, files, load
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.load import Request
from benchmarks.sides import MANY, Sides

CLIENTS = 16
SEARCHES = 480
READS = 3
QIDO_GOAL, METADATA_GOAL = 3.0, 2.0
HEADERS = {"Accept": "application/dicom+json"}


def measure_qido(sides: Sides) -> Iterator[Row]:
    """Compare searches for patients drawn at random, for their studies and their instances."""
    patients = (MANY - files.LONG_SERIES) // files.PER_PATIENT
    drawn = random.Random(files.SEED).choices(range(1, patients + 1), k=SEARCHES)
    for what, expected in (("studies", 1), ("instances", files.PER_PATIENT)):
        queries = [f"/{what}?PatientID=BENCH{number:05d}" for number in drawn]
        mine, theirs = _both(sides, queries, CLIENTS, _counting(expected))
        work = f"QIDO-RS for a patient's {what} among {MANY}"
        yield comparison.rate(work, mine, theirs, "requests/s", QIDO_GOAL)


def measure_metadata(sides: Sides) -> Iterator[Row]:
    """Compare the metadata of a long series, by one client."""
    at = files.place(0)
    query = f"/studies/{at.study}/series/{at.series}/metadata"
    rates = _both(sides, [query] * READS, 1, _counting(files.LONG_SERIES))
    work = f"metadata of {files.LONG_SERIES} instances"
    yield comparison.rate(work, *rates, "requests/s", METADATA_GOAL)


def _both(
    sides: Sides, queries: Sequence[str], clients: int, check: Callable[[bytes], None]
) -> tuple[float, float]:
    """Send the same queries to both in turns; requests a second of each."""
    root = f"/v1/{sides.full_store}/dicomWeb"
    mine = [Request("GET", root + query, headers=HEADERS) for query in queries]
    theirs = [Request("GET", "/dicom-web" + query, headers=HEADERS) for query in queries]
    url, peer = sides.local.running.url, sides.full_orthanc.url
    sides.report(f"{queries[0].partition('?')[0]} on both sides in turns")
    return comparison.in_turns(
        lambda: len(queries) / load.send(url, mine, clients, check),
        lambda: len(queries) / load.send(peer, theirs, clients, check),
    )


def _counting(expected: int) -> Callable[[bytes], None]:
    """Count an answer's items: of bytes, as reading all of it as JSON would slow the servers."""
    sampled = random.Random(files.SEED)

    def check(body: bytes) -> None:
        if sampled.random() < 0.02 and len(json.loads(body)) != expected:
            raise BenchmarkError(f"{len(json.loads(body))} items instead of {expected}")

    return check
