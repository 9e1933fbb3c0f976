import pytest
import requests

from scripts.common import clients, failures
from scripts.common.errors import ScriptError

LOG = "http://127.0.0.1:1/_emulator/operations/42/log"


class FakeSession:
    """A log server that answers as told."""

    def __init__(self, code: int, body: str) -> None:
        self.answer = requests.Response()
        self.answer.status_code = code
        self.answer._content = body.encode()

    def get(self, url: str, timeout: float) -> requests.Response:
        assert url == LOG
        return self.answer


def _serving(monkeypatch: pytest.MonkeyPatch, code: int, body: str) -> None:
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1beta1/")
    monkeypatch.setattr(clients, "session", lambda: FakeSession(code, body))


def test_a_console_for_people_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", raising=False)
    assert failures.read("https://console.cloud.google.com/logs") == []
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1/")
    assert failures.read("https://console.cloud.google.com/logs") == []
    assert failures.read("") == []


def test_a_log_of_the_api_itself_is(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = '{"jsonPayload": {"source": "gs://b/x.txt", "error": "not DICOM"}}'
    _serving(monkeypatch, 200, f'{{"entries": [{entry}]}}')
    assert failures.read(LOG) == [failures.Failure("gs://b/x.txt", "not DICOM")]


def test_a_log_that_does_not_answer_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    _serving(monkeypatch, 404, "")
    with pytest.raises(ScriptError, match="Reading the log"):
        failures.read(LOG)
