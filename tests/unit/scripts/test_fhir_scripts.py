"""The command lines that import and export FHIR resources."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from scripts import export_fhir, import_fhir
from scripts.lib.errors import ExitCode
from scripts.lib.google import operation_errors
from scripts.lib.google.operation_errors import Failure
from tests.unit.scripts.fakes import DATASET, OPERATION, Answer, FakeGoogle, Ran, operation

Run = Callable[..., Ran]
STORE = f"{DATASET}/fhirStores/fhirstore1"
OTHER = f"{DATASET}/fhirStores/other"
SOURCE = "gs://my-bucket/in/*.ndjson"
FOLDER, TABLES = "gs://my-bucket/out", "bq://my-project.research"
BEGUN: Answer = (200, {"name": OPERATION})
DONE: Answer = (200, operation(success=3, done=True))


@pytest.fixture(autouse=True)
def stores(lab_stack: dict[str, Any]) -> None:
    lab_stack["fhirStores"] = {"fhirstore1": STORE, "other": OTHER}


@pytest.fixture
def sent(google: FakeGoogle, run: Run) -> Callable[..., dict[str, Any]]:
    """Run a script that succeeds; return the body of its request."""

    def body(app: Any, *arguments: str) -> dict[str, Any]:
        google.asked.clear()
        google.answers = [BEGUN, DONE]
        ran = run(app, *arguments)
        assert ran.code == 0, ran.err
        found: dict[str, Any] = google.asked[0][2]
        return found

    return body


def _failed(success: int, failure: int) -> Answer:
    error = {"code": 2, "message": "some failed"}
    return 200, operation(success=success, failure=failure, done=True, error=error)


@pytest.mark.parametrize(
    ("options", "structure"),
    [
        ((), "RESOURCE"),
        (("-c", "bundle"), "BUNDLE"),
        (("--content-structure", "resource-pretty"), "RESOURCE_PRETTY"),
        (("--content-structure", "bundle-pretty"), "BUNDLE_PRETTY"),
    ],
)
def test_an_import_names_its_structure(
    sent: Callable[..., Any], options: tuple[str, ...], structure: str
) -> None:
    body = sent(import_fhir.app, SOURCE, *options)
    assert body == {"gcsSource": {"uri": SOURCE}, "contentStructure": structure}


def test_the_result_as_json(google: FakeGoogle, run: Run) -> None:
    google.answers = [BEGUN, DONE]
    shape = run(import_fhir.app, SOURCE, "--store", "other", "--json").json
    assert google.asked[0][1].partition("?")[0].endswith(f"/v1/{OTHER}:import")
    assert shape == {
        "operation": OPERATION,
        "done": True,
        "success": 3,
        "failure": 0,
        "pending": 0,
        "logs_url": "https://console.cloud.google.com/logs/query",
        "store": OTHER,
        "location": SOURCE,
        "failures": [],
    }


@pytest.mark.parametrize("success", [0, 2])
def test_failures_are_shown(
    google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch, success: int
) -> None:
    failures = [Failure("gs://my-bucket/in/1.ndjson:4", "unknown field")]
    monkeypatch.setattr(operation_errors, "read", lambda operation: failures)
    google.answers = [BEGUN, _failed(success, 1)]
    ran = run(import_fhir.app, SOURCE, "-c", "bundle")
    assert ran.code == ExitCode.PARTLY_FAILED
    assert "gs://my-bucket/in/1.ndjson:4: unknown field" in ran.err
    assert ("--content-structure bundle says" in ran.err) is (success == 0)
    google.answers = [BEGUN, _failed(success, 1)]
    error = json.loads(run(import_fhir.app, SOURCE, "--json").out)["error"]
    assert error["failures"] == [failures[0].to_json()]


def test_an_export_to_a_folder(sent: Callable[..., Any]) -> None:
    assert sent(export_fhir.app, FOLDER) == {"gcsDestination": {"uriPrefix": FOLDER}}
    moment = "2026-01-01T00:00:00Z"
    types = ("--type", "Patient", "--type", "Observation")
    assert sent(export_fhir.app, FOLDER, *types, "--since", moment) == {
        "gcsDestination": {"uriPrefix": FOLDER},
        "_type": "Patient,Observation",
        "_since": moment,
    }


def test_an_export_to_tables(sent: Callable[..., Any]) -> None:
    assert sent(export_fhir.app, TABLES) == {
        "bigqueryDestination": {
            "datasetUri": TABLES,
            "schemaConfig": {"schemaType": "ANALYTICS_V2"},
            "writeDisposition": "WRITE_EMPTY",
        }
    }
    options = ("--schema", "analytics", "--depth", "3", "-w", "truncate", "--type", "Patient")
    assert sent(export_fhir.app, TABLES, *options) == {
        "bigqueryDestination": {
            "datasetUri": TABLES,
            "schemaConfig": {"schemaType": "ANALYTICS", "recursiveStructureDepth": "3"},
            "writeDisposition": "WRITE_TRUNCATE",
        },
        "_type": "Patient",
    }


@pytest.mark.parametrize(
    ("app", "arguments", "why"),
    [
        (import_fhir.app, ("my-bucket/in",), "is not a valid Cloud Storage URI"),
        (import_fhir.app, (SOURCE, "--resume", "42"), "is not a valid operation name"),
        (import_fhir.app, (SOURCE, "--store", "none"), "has no FHIR store 'none'"),
        (export_fhir.app, ("my-bucket",), "gs://BUCKET/FOLDER or bq://PROJECT.DATASET"),
        (export_fhir.app, ("bq://my-project.research.Patient",), "is not a valid target"),
        (export_fhir.app, (FOLDER, "--depth", "3"), "are for tables"),
        (export_fhir.app, (TABLES, "--depth", "6"), "'--depth'"),
    ],
)
def test_wrong_options_are_refused_before_any_call(
    google: FakeGoogle, run: Run, app: Any, arguments: tuple[str, ...], why: str
) -> None:
    ran = run(app, *arguments)
    assert (ran.code, why in ran.err, google.asked) == (ExitCode.USAGE, True, [])


def test_a_stack_without_a_store_is_named(
    google: FakeGoogle, run: Run, lab_stack: dict[str, Any]
) -> None:
    lab_stack["fhirStores"] = {}
    ran = run(export_fhir.app, FOLDER)
    assert ran.code == ExitCode.USAGE
    assert "Stack 'local' has no FHIR store." in ran.err
    assert google.asked == []


@pytest.mark.parametrize("dataset", ["research", "dataset2"])
def test_a_store_in_another_dataset_of_the_stack(
    google: FakeGoogle, run: Run, lab_stack: dict[str, Any], dataset: str
) -> None:
    other = DATASET.replace("dataset1", "dataset2")
    store, message_store = f"{other}/fhirStores/a", f"{other}/hl7V2Stores/a"
    lab_stack["datasets"] = {
        "healthcare": {"dataset": DATASET, "dicomStores": {}, "fhirStores": {"fhirstore1": STORE}},
        "research": {
            "dataset": other,
            "dicomStores": {},
            "fhirStores": {"a": store},
            "hl7v2Stores": {"a": message_store},
        },
    }
    google.answers = [BEGUN, DONE]
    assert run(export_fhir.app, FOLDER, "--dataset", dataset, "--json").json["store"] == store
    google.answers = [BEGUN, DONE]
    first = run(export_fhir.app, FOLDER, "--dataset", "dataset1", "--json")
    assert first.json["store"] == STORE
    ran = run(export_fhir.app, FOLDER, "--dataset", dataset, "--store", "fhirstore1")
    assert ran.code == ExitCode.USAGE
    assert "Dataset 'research' of stack 'local' has no FHIR store 'fhirstore1'." in ran.err


@pytest.mark.parametrize(("disposition", "requests"), [("empty", 2), ("append", 1)])
def test_an_append_whose_response_was_lost_is_not_sent_again(
    google: FakeGoogle, run: Run, disposition: str, requests: int
) -> None:
    google.answers = [ConnectionResetError("reset"), BEGUN, DONE]
    ran = run(export_fhir.app, TABLES, "-w", disposition)
    assert ("gcloud healthcare operations list" in ran.err) is (requests == 1)
    assert sum(method == "POST" for method, _, _ in google.asked) == requests


def test_an_operation_is_followed_again(google: FakeGoogle, run: Run) -> None:
    google.answers = [BEGUN, (200, operation(pending=9))]
    ran = run(export_fhir.app, FOLDER, "--store", "other", "--timeout", "0")
    assert ran.code == ExitCode.STILL_RUNNING
    again = f"export_fhir.py {FOLDER} --store other --resume {OPERATION}"
    assert again in ran.err
    google.answers = [DONE]
    ran = run(export_fhir.app, FOLDER, "--store", "other", "--resume", OPERATION)
    assert ran.out == "3 resources, none failed.\n"
