from collections.abc import Callable
from typing import Any

import pytest

from scripts import import_dicom
from scripts.lib import stack
from scripts.lib.google import gcs_uri, operation_errors
from tests.unit.scripts.fakes import OPERATION, STORE, FakeGoogle, Ran, operation, refusal

Run = Callable[..., Ran]

pytestmark = pytest.mark.usefixtures("lab_stack")


def test_it_waits_and_reports_the_counts(google: FakeGoogle, run: Run) -> None:
    google.answers = [
        (200, {"name": OPERATION}),
        (200, operation(success=200, pending=205)),
        (200, operation(success=405, done=True)),
    ]
    ran = run(import_dicom.app)
    assert ran.code == 0
    assert ran.out == "405 files stored, none failed.\n"
    assert "Importing: 200 of 405" in ran.err
    assert "Importing: 405 of 405" in ran.err
    method, uri, body = google.asked[0]
    assert (method, body) == ("POST", {"gcsSource": {"uri": gcs_uri.LAB_SOURCE}})
    assert uri == f"https://healthcare.googleapis.com/v1/{STORE}:import?alt=json"


def test_json_is_all_of_standard_output_and_no_progress(google: FakeGoogle, run: Run) -> None:
    google.answers = [(200, {"name": OPERATION}), (200, operation(success=2, done=True))]
    ran = run(import_dicom.app, "gs://bucket/*.dcm", "--json")
    assert ran.code == 0
    assert ran.err == ""
    shape = ran.json
    assert isinstance(shape.pop("seconds"), float)
    assert shape == {
        "operation": OPERATION,
        "done": True,
        "success": 2,
        "failure": 0,
        "pending": 0,
        "logs_url": "https://console.cloud.google.com/logs/query",
        "store": STORE,
        "source": "gs://bucket/*.dcm",
        "failures": [],
    }


def test_files_that_failed_are_an_error_with_count_log_and_names(
    google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = [operation_errors.Failure(f"gs://bucket/{n}.txt", "not DICOM") for n in range(7)]
    monkeypatch.setattr(operation_errors, "read", lambda _: shape)
    end = operation(success=3, failure=7, done=True, error={"code": 2, "message": "7 errors"})
    google.answers = [(200, {"name": OPERATION}), (200, end)]
    ran = run(import_dicom.app)
    assert ran.code == 3
    assert ran.out == ""
    assert f"error: Importing into {STORE}: 7 of 10 failed. 7 errors" in ran.err
    assert "The log: https://console.cloud.google.com/logs/query" in ran.err
    assert "gs://bucket/0.txt: not DICOM" in ran.err
    assert "gs://bucket/5.txt" not in ran.err
    assert "... and 2 more" in ran.err


def test_failures_in_json(google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        operation_errors, "read", lambda _: [operation_errors.Failure("gs://b/x", "bad")]
    )
    end = operation(success=3, failure=1, done=True, error={"code": 2, "message": "1 error"})
    google.answers = [(200, {"name": OPERATION}), (200, end)]
    ran = run(import_dicom.app, "--json")
    assert ran.code == 3
    error = ran.json["error"]
    assert (error["success"], error["failure"], error["exit_code"]) == (3, 1, 3)
    assert error["failures"] == [{"source": "gs://b/x", "error": "bad"}]


def test_no_wait_prints_the_name_alone(google: FakeGoogle, run: Run) -> None:
    google.answers = [(200, {"name": OPERATION}), (200, operation(pending=9))]
    ran = run(import_dicom.app, "--no-wait")
    assert ran.code == 0
    assert ran.out == f"{OPERATION}\n"


def test_resume_follows_without_starting(google: FakeGoogle, run: Run) -> None:
    google.answers = [(200, operation(success=405, done=True))]
    ran = run(import_dicom.app, "--resume", OPERATION)
    assert ran.code == 0
    assert ran.out == "405 files stored, none failed.\n"
    assert [method for method, _, _ in google.asked] == ["GET"]


def test_resume_refuses_a_name_of_another_resource(google: FakeGoogle, run: Run) -> None:
    ran = run(import_dicom.app, "--resume", "42")
    assert ran.code == 2
    assert "'42' is not a valid operation name" in ran.err
    assert google.asked == []


def test_ctrl_c_reports_the_whole_command(
    google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("time.sleep", interrupt)
    google.answers = [(200, {"name": OPERATION}), (200, operation(pending=9))]
    ran = run(import_dicom.app, "--stack", "local-two", "--store", "dicomstore2")
    assert ran.code == 130
    assert f"the operation is still running: {OPERATION}" in ran.err
    command = "import_dicom.py --stack local-two --store dicomstore2 --resume " + OPERATION
    assert command in ran.err
    assert "Traceback" not in ran.err


def test_ctrl_c_before_anything_was_started(
    google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "resolve", interrupt)
    ran = run(import_dicom.app)
    assert ran.code == 130
    assert "error: Interrupted.\nEither nothing was started" in ran.err


def test_time_is_up(google: FakeGoogle, run: Run) -> None:
    google.answers = [(200, {"name": OPERATION}), (200, operation(success=1, pending=9))]
    ran = run(import_dicom.app, "--timeout", "0")
    assert ran.code == 4
    assert "Not done after 0 s" in ran.err
    assert f"--resume {OPERATION}" in ran.err


@pytest.mark.parametrize(
    ("uri", "culprit"),
    [
        ("gs://bucket/**/a.dcm", "has a ** that is neither at the end nor before an extension"),
        ("bucket/a.dcm", "is not a valid Cloud Storage URI"),
    ],
)
def test_a_bad_uri_is_refused_before_any_call(
    google: FakeGoogle, run: Run, uri: str, culprit: str
) -> None:
    ran = run(import_dicom.app, uri)
    assert ran.code == 2
    assert culprit in ran.err
    assert google.asked == []


def test_no_match_and_denials_keep_the_services_text(google: FakeGoogle, run: Run) -> None:
    google.answers = [refusal(400, "INVALID_ARGUMENT", "gs://b/x resolves to zero GCS objects")]
    ran = run(import_dicom.app, "gs://bbb/x*")
    assert ran.code == 1
    assert "resolves to zero GCS objects (400 INVALID_ARGUMENT)" in ran.err
    assert "Only *, ** and ? are wildcards" in ran.err


def test_an_unknown_store_lists_those_there_are(google: FakeGoogle, run: Run) -> None:
    ran = run(import_dicom.app, "--store", "nosuch")
    assert ran.code == 2
    assert "Stack 'local' has no DICOM store 'nosuch'." in ran.err
    assert "Its DICOM stores: dicomstore1, dicomstore2." in ran.err
    assert google.asked == []


def test_a_stack_that_is_not_deployed_has_a_hint(
    google: FakeGoogle, run: Run, lab_stack: dict[str, Any]
) -> None:
    lab_stack.clear()
    ran = run(import_dicom.app)
    assert ran.code == 1
    assert "Stack 'local' is not up." in ran.err
    assert "make lab STACK=local" in ran.err


def test_flags_alone_need_no_stack(
    google: FakeGoogle, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(stack, "enter", never)
    google.answers = [(200, {"name": OPERATION}), (200, operation(success=1, done=True))]
    names = ("--project", "p", "--location", "l", "--dataset", "d", "--store", "s")
    assert run(import_dicom.app, *names).code == 0
    assert "/v1/projects/p/locations/l/datasets/d/dicomStores/s:import" in google.asked[0][1]


def test_a_lost_start_is_sent_again_because_importing_twice_is_harmless(
    google: FakeGoogle, run: Run
) -> None:
    google.answers = [
        ConnectionResetError(),
        (200, {"name": OPERATION}),
        (200, operation(success=1, done=True)),
    ]
    assert run(import_dicom.app).code == 0
