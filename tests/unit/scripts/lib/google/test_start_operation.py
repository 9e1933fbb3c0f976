"""Operations that were started by a request whose response was lost."""

from collections.abc import Callable
from typing import Any

import pytest

from scripts import export_metadata, import_dicom
from scripts.lib.google import bigquery, clients
from tests.unit.scripts.fakes import DATASET, OPERATION, Answer, FakeGoogle, Ran, operation, refusal

Run = Callable[..., Ran]
LOST = ConnectionResetError("reset")
BEGUN: Answer = (200, {"name": OPERATION})
DONE: Answer = (200, operation(success=405, done=True))
EXPORT = "google.cloud.healthcare.v1.dicom.DicomService.ExportDicomData"
IMPORT = "google.cloud.healthcare.v1.dicom.DicomService.ImportDicomData"
OTHERS = (
    "google.cloud.healthcare.v1.fhir.FhirService.ExportResources",
    "google.cloud.healthcare.v1.dicom.DicomService.DeidentifyDicomStore",
)

pytestmark = pytest.mark.usefixtures("lab_stack")


@pytest.fixture(autouse=True)
def counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "big_query", lambda project, location: None)
    monkeypatch.setattr(bigquery, "row_count", lambda client, table: 405)


def _listed(*names: str, method: str = EXPORT, page: str = "") -> Answer:
    entries: list[Any] = [
        {"name": name, "metadata": {"apiMethodName": method}}
        for name in (f"{DATASET}/operations/{name}" for name in names)
    ]
    entries += [
        {"name": f"{DATASET}/operations/other{at}", "metadata": {"apiMethodName": other}}
        for at, other in enumerate(OTHERS)
        if names
    ]
    return 200, {"operations": entries, **({"nextPageToken": page} if page else {})}


def _sent(google: FakeGoogle) -> int:
    return sum(method == "POST" for method, _, _ in google.asked)


@pytest.mark.parametrize("disposition", ["empty", "truncate", "append"])
def test_it_is_found_and_followed(google: FakeGoogle, run: Run, disposition: str) -> None:
    google.listed = [_listed("1"), _listed("1", page="2"), _listed("42")]
    google.answers = [LOST, DONE]
    ran = run(export_metadata.app, "-w", disposition)
    assert ran.code == 0, ran.err
    assert (
        f"The response was lost; following the operation that was started: {OPERATION}" in ran.err
    )
    assert _sent(google) == 1
    assert google.asked[-1][1].partition("?")[0].endswith(OPERATION)


def test_of_an_import_too(google: FakeGoogle, run: Run) -> None:
    google.listed = [_listed("1", method=IMPORT), _listed("1", "42", method=IMPORT)]
    google.answers = [LOST, DONE]
    ran = run(import_dicom.app)
    assert ran.code == 0, ran.err
    assert _sent(google) == 1


def test_an_operation_of_another_method_is_not_ours(google: FakeGoogle, run: Run) -> None:
    google.listed = [_listed(), _listed("1", method=IMPORT)]
    google.answers = [LOST, BEGUN, DONE]
    assert run(export_metadata.app).code == 0
    assert _sent(google) == 2


@pytest.mark.parametrize("after", [_listed("1"), _listed("1", "42", "43")])
def test_where_it_can_not_be_determined_an_append_is_not_sent_again(
    google: FakeGoogle, run: Run, after: Answer
) -> None:
    google.listed = [_listed("1"), after]
    google.answers = [LOST]
    ran = run(export_metadata.app, "-w", "append")
    assert ran.code == 1
    assert "gcloud healthcare operations list" in ran.err
    assert ("several operations were started" in ran.err) is (after != _listed("1"))
    assert _sent(google) == 1


def test_a_list_that_is_refused_stops_nothing(google: FakeGoogle, run: Run) -> None:
    denied = refusal(403, "PERMISSION_DENIED", "healthcare.operations.list denied")
    google.listed, google.answers = [denied], [BEGUN, DONE]
    ran = run(export_metadata.app)
    assert (ran.code, "denied" in ran.err) == (0, False)
    google.answers = [LOST, BEGUN, DONE]
    ran = run(export_metadata.app)
    assert ran.code == 0
    assert "its operation can't be looked up" in ran.err
    assert "healthcare.operations.list denied" in ran.err
