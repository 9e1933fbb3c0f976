"""Answers of the store as DIMSE statuses with their reasons."""

import json
from typing import Any

import pytest
import requests

from workloads.common import dicomweb
from workloads.dimse.dicomweb import DicomWeb, StoreRefusal
from workloads.dimse.errors import UsageError, error_comment

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"


class FakeSession:
    """A session whose answers are in a list."""

    def __init__(self, *answers: requests.Response | Exception) -> None:
        self.answers, self.asked = list(answers), list[dict[str, Any]]()

    def request(self, method: str, url: str, **more: Any) -> requests.Response:
        self.asked.append({"method": method, "url": url, **more})
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def answer(code: int, content: Any = "") -> requests.Response:
    response = requests.Response()
    response.status_code, response.reason = code, "Reason"
    response._content = (content if isinstance(content, str) else json.dumps(content)).encode()
    return response


@pytest.fixture(autouse=True)
def endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "t")
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:1/v1/")


def store_with(*answers: requests.Response | Exception) -> tuple[DicomWeb, FakeSession]:
    store, session = DicomWeb(STORE, 1), FakeSession(*answers)
    store._session = session  # type: ignore[assignment]
    return store, session


ERROR = {"error": {"code": 0, "message": "words of Google"}}
FAILED = {
    "00081198": {"vr": "SQ", "Value": [{"00091097": {"vr": "LO", "Value": ["already exists: x"]}}]}
}


@pytest.mark.parametrize(
    ("given", "status", "comment", "transient"),
    [
        (answer(503, ERROR), 0xA700, "store: HTTP 503 words of Google", True),
        (answer(429), 0xA700, "store: HTTP 429 Reason", True),
        (answer(401, ERROR), 0x0124, "store: HTTP 401 words of Google", True),
        (answer(403, [ERROR]), 0x0124, "store: HTTP 403 words of Google", False),
        (answer(404, ERROR), 0x0110, "store: HTTP 404 words of Google", False),
        (answer(409, FAILED), 0x0111, "already exists: x", False),
        (answer(409, {"00081198": {"Value": [{}]}}), 0xC000, "failure reason ", False),
        (
            requests.ConnectionError("secret"),
            0xA700,
            "the DICOM store can't be reached (ConnectionError)",
            True,
        ),
    ],
)
def test_failures_have_a_status_and_a_reason(
    given: requests.Response | Exception, status: int, comment: str, transient: bool
) -> None:
    store, _ = store_with(given)
    with pytest.raises(StoreRefusal) as caught:
        store.store(b"content")
    refusal = caught.value
    assert (refusal.status, refusal.comment, refusal.transient) == (status, comment, transient)


def test_a_search_reads_all_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb, "PAGE", 2)
    store, session = store_with(answer(200, [{"a": {}}, {"b": {}}]), answer(200, [{"c": {}}]))
    assert list(store.search("studies", [("PatientID", "1")])) == [{"a": {}}, {"b": {}}, {"c": {}}]
    assert [one["params"][1:] for one in session.asked] == [
        [("limit", "2"), ("offset", "0")],
        [("limit", "2"), ("offset", "2")],
    ]


def test_an_empty_search_has_no_content() -> None:
    store, _ = store_with(answer(204))
    assert list(store.search("studies", [])) == []


@pytest.mark.parametrize("name", ["s", STORE + "/", "projects/p/dicomStores/s"])
def test_names_that_are_not_stores(name: str) -> None:
    with pytest.raises(UsageError, match="is not a valid DICOM store"):
        DicomWeb(name, 1)


def test_comments_fit_the_element() -> None:
    assert error_comment("a\\b \u00e9\n c") == "a/b ? c"
    assert error_comment("x" * 65) == "x" * 61 + "..."
    assert error_comment("x" * 64) == "x" * 64
