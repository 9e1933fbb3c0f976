from http.client import IncompleteRead

import httplib2
import pytest
import requests
from google.api_core import exceptions
from google.auth.exceptions import DefaultCredentialsError
from googleapiclient.errors import HttpError

from scripts.lib.errors import ExitCode, ScriptError
from scripts.lib.google.errors import LOG_IN, as_script_error, translate_errors


def _http_error(code: int, body: bytes) -> HttpError:
    return HttpError(httplib2.Response({"status": str(code), "reason": "Reason"}), body)


def test_googles_json_gives_message_and_status() -> None:
    body = b'{"error": {"code": 403, "status": "PERMISSION_DENIED", "message": "no %s"}}'
    mapped = as_script_error("importing", _http_error(403, body % b"storage.objects.list"))
    assert mapped is not None
    assert mapped.message == "Importing failed: no storage.objects.list (403 PERMISSION_DENIED)"
    assert "roles/storage.objectAdmin" in mapped.hint
    assert mapped.details == {"code": 403, "status": "PERMISSION_DENIED"}


def test_a_proxys_html_is_survived() -> None:
    mapped = as_script_error("importing", _http_error(502, b"<html>bad gateway</html>"))
    assert mapped is not None
    assert mapped.details["code"] == 502
    assert "Try again in a minute" in mapped.hint
    assert "html" not in mapped.message.lower() or "Reason" in mapped.message


def test_no_match_has_a_hint_about_wildcards() -> None:
    body = b'{"error": {"message": "gs://b/x resolves to zero GCS objects", "code": 400}}'
    mapped = as_script_error("importing", _http_error(400, body))
    assert mapped is not None
    assert "Only *, ** and ? are wildcards" in mapped.hint


@pytest.mark.parametrize(
    "error",
    [
        ConnectionRefusedError("refused"),
        requests.ConnectionError("refused"),
        httplib2.ServerNotFoundError("no host"),
        TimeoutError("slow"),
        IncompleteRead(b"half", 40),
        requests.exceptions.ChunkedEncodingError("half"),
    ],
)
def test_lost_connections_are_reported_as_such(error: Exception) -> None:
    mapped = as_script_error("asking", error)
    assert mapped is not None
    assert "no connection" in mapped.message
    assert mapped.exit_code is ExitCode.FAILED


def test_missing_credentials_say_how_to_log_in() -> None:
    mapped = as_script_error("asking", DefaultCredentialsError("none found"))  # type: ignore[no-untyped-call]
    assert mapped is not None
    assert mapped.hint == LOG_IN


def test_bigquery_errors_speak_with_their_own_text() -> None:
    errors = [{"message": "Syntax error at 1"}]
    error = exceptions.BadRequest("400 POST", errors=errors)  # type: ignore[no-untyped-call]
    mapped = as_script_error("querying", error)
    assert mapped is not None
    assert mapped.message.startswith("Querying failed: Syntax error at 1 (400")


def test_a_bug_of_ours_is_not_hidden() -> None:
    assert as_script_error("asking", KeyError("x")) is None
    with pytest.raises(KeyError), translate_errors("asking"):
        raise KeyError("x")


def test_script_errors_pass_through_unchanged() -> None:
    error = ScriptError("culprit", "hint")
    with pytest.raises(ScriptError) as caught, translate_errors("asking"):
        raise error
    assert caught.value is error
    assert str(error) == "culprit\nhint"
    assert error.to_json() == {
        "message": "culprit",
        "hint": "hint",
        "cure": "hint",
        "exit_code": 1,
    }


def test_a_query_that_may_name_a_patient_stays_out() -> None:
    lost = requests.ConnectionError("no route to http://h/instances?PatientID=secret&limit=1 (x)")
    mapped = as_script_error("searching", lost)
    assert mapped is not None
    assert "secret" not in mapped.message
    assert "http://h/instances" in mapped.message
    response = requests.Response()
    response.status_code = 404
    response.url = "http://h/instances?PatientID=secret"
    response._content = b'{"error": {"message": "no such store", "status": "NOT_FOUND"}}'
    refused = as_script_error("searching", requests.HTTPError("secret", response=response))
    assert refused is not None
    assert refused.message == "Searching failed: no such store (404 NOT_FOUND)"
