"""Selections of operations: pages of a store's resources, while others change it."""

from typing import Any

from emulator.cloud import Cloud
from emulator.services.healthcare.fhir.operations.selection import Selection
from tests.support.fhir_resources import patient

FEW, MANY = 20, 80


def fill(fhir: Any, start: int, end: int) -> None:
    entry = [
        {
            "request": {"method": "PUT", "url": f"Patient/p{number}"},
            "resource": patient(f"p{number}"),
        }
        for number in range(start, end)
    ]
    fhir.ok("POST", "", {"resourceType": "Bundle", "type": "transaction", "entry": entry})


def test_pages_have_what_was_there_at_first_as_it_is_now(cloud: Cloud, fhir: Any) -> None:
    fill(fhir, 0, 5)
    store = cloud.healthcare.fhir.resources
    found = []
    for number, page in enumerate(store.pages(fhir.store, 2, types=["Patient"])):
        found.append([(one.id, one.resource().get("gender")) for one in page])
        if number == 0:
            fhir.put(patient("p2", gender="other"))
            fhir.put(patient("p9"))
            fhir.ok("DELETE", "Patient/p3")
    assert found == [[("p0", None), ("p1", None)], [("p2", "other")], [("p4", None)]]


def test_a_resource_costs_the_same_in_a_store_of_many(
    cloud: Cloud, fhir: Any, monkeypatch: Any
) -> None:
    resources = cloud.healthcare.fhir.resources
    steps = {}
    for start, end in ((0, FEW), (FEW, MANY)):
        fill(fhir, start, end)
        count = 0

        def counted() -> None:
            nonlocal count
            count += 1

        with resources.database.read() as connection:
            connection.set_progress_handler(counted, 1)
            monkeypatch.setattr("emulator.services.healthcare.fhir.operations.selection.PAGE", 2)
            pages = [*Selection(["Patient"]).pages(resources, fhir.store)]
            connection.set_progress_handler(None, 1)
        assert sum(map(len, pages)) == end
        steps[end] = count / end
    assert steps[MANY] < 1.3 * steps[FEW]
