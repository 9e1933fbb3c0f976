"""Searches among many instances, and the metadata of a long series."""

import json
import random
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from benchmarks import comparison, files, load
from benchmarks.clones import BenchmarkError
from benchmarks.comparison import Row
from benchmarks.load import Request
from benchmarks.sides import MANY, SEARCHED, Sides

CLIENTS = 16
SEARCHES = 480
READS = 3
QIDO_GOAL, METADATA_GOAL, GROWTH_GOAL = 3.0, 2.0, 0.8
HEADERS = {"Accept": "application/dicom+json"}
EXPECTED = {"studies": 1, "instances": files.PER_PATIENT}
"""What is searched for, and the number of results for each patient."""
Check = Callable[[bytes], None]


def measure_qido(sides: Sides) -> Iterator[Row]:
    """Compare searches for the studies and instances of random patients with Orthanc's."""
    for what, expected in EXPECTED.items():
        queries = _queries(what, MANY)
        mine, theirs = _both(sides, queries, CLIENTS, _counting(expected))
        work = f"QIDO-RS for a patient's {what} among {MANY}"
        yield comparison.rate(work, mine, theirs, "requests/s", QIDO_GOAL)


def measure_qido_growth(sides: Sides) -> Iterator[Row]:
    """Compare searches of the emulator in a store of `SEARCHED` instances and in one of `MANY`."""
    stores = {SEARCHED: sides.large_store, MANY: sides.full_store}
    for what, expected in EXPECTED.items():
        sides.report(f"/{what} of both stores in turns")
        check = _counting(expected)

        def measured(count: int, what: str = what, check: Check = check) -> float:
            requests = _requests(f"/v1/{stores[count]}/dicomWeb", _queries(what, count))
            return SEARCHES / load.send(sides.local.running.url, requests, CLIENTS, check)

        large, small = comparison.in_turns(partial(measured, SEARCHED), partial(measured, MANY))
        work = f"QIDO-RS for a patient's {what} among {SEARCHED}, beside {MANY}"
        yield comparison.rate(work, large, small, "requests/s", GROWTH_GOAL)


def measure_metadata(sides: Sides) -> Iterator[Row]:
    """Compare the metadata of a long series, by one client."""
    at = files.position_of(0)
    query = f"/studies/{at.study}/series/{at.series}/metadata"
    rates = _both(sides, [query] * READS, 1, _counting(files.LONG_SERIES))
    work = f"metadata of {files.LONG_SERIES} instances"
    yield comparison.rate(work, *rates, "requests/s", METADATA_GOAL)


def _both(sides: Sides, queries: Sequence[str], clients: int, check: Check) -> tuple[float, float]:
    """Send the same queries to both in turns; return the requests a second of each."""
    mine = _requests(f"/v1/{sides.full_store}/dicomWeb", queries)
    theirs = _requests("/dicom-web", queries)
    url, peer = sides.local.running.url, sides.full_orthanc.url
    sides.report(f"{queries[0].partition('?')[0]} on both sides in turns")
    return comparison.in_turns(
        lambda: len(queries) / load.send(url, mine, clients, check),
        lambda: len(queries) / load.send(peer, theirs, clients, check),
    )


def _queries(what: str, count: int) -> list[str]:
    """Return searches for random patients of a store with so many small files."""
    patients = (count - files.LONG_SERIES) // files.PER_PATIENT
    drawn = random.Random(files.SEED).choices(range(1, patients + 1), k=SEARCHES)
    return [f"/{what}?PatientID=BENCH{number:05d}" for number in drawn]


def _requests(root: str, queries: Sequence[str]) -> list[Request]:
    return [Request("GET", root + query, headers=HEADERS) for query in queries]


def _counting(expected: int) -> Check:
    """Return a check of the number of items, of one response in 50: JSON takes processor time."""
    sampled = random.Random(files.SEED)

    def check(body: bytes) -> None:
        if sampled.random() < 0.02 and len(json.loads(body)) != expected:
            raise BenchmarkError(f"{len(json.loads(body))} items instead of {expected}")

    return check
