"""view.py: the address of a patient's latest study, a browser where one has a window."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from engine import viewer
from engine.errors import EngineError
from scripts import view
from scripts.data import study_viewer
from scripts.lib.google import clients
from tests.unit.scripts.fakes import STORE, Ran

Run = Callable[..., Ran]
LOCAL = "http://127.0.0.1:1/"
URL = f"{LOCAL}viewer?StudyInstanceUIDs=1.2"


def _study(uid: str, date: str) -> dict[str, Any]:
    return {
        "0020000D": {"vr": "UI", "Value": [uid]},
        "00080020": {"vr": "DA", "Value": [date]} if date else {"vr": "DA"},
    }


class FakeStore:
    """A store's DICOMweb service that finds studies."""

    def __init__(self) -> None:
        self.studies = [_study("1.1", "20000103"), _study("1.2", "20010103"), _study("1.3", "")]
        self.asked: list[tuple[str, str]] = []

    def get(self, url: str, *, params: dict[str, str], **_: Any) -> requests.Response:
        self.asked.append((url, params["PatientID"]))
        answer = requests.Response()
        answer.status_code = 200
        answer.json = lambda **_: self.studies  # type: ignore[method-assign]
        return answer


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, lab_stack: Any) -> FakeStore:
    """A store on the local Google Cloud."""
    fake = FakeStore()
    monkeypatch.setattr(clients, "dicom_web", lambda name: (fake, f"{LOCAL}v1/{name}/dicomWeb"))
    monkeypatch.setattr(clients, "healthcare_root", lambda: LOCAL)
    monkeypatch.setattr(viewer, "study_page", lambda *_: URL)
    return fake


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that a browser was asked for, in a session with windows."""
    monkeypatch.setenv("DISPLAY", ":0")
    addresses: list[str] = []

    def record(url: str) -> bool:
        addresses.append(url)
        return True

    monkeypatch.setattr("webbrowser.open", record)
    return addresses


def test_the_latest_study_opens_in_a_browser(
    store: FakeStore, opened: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def page(*arguments: Any) -> str:
        asked.append(arguments[:3])
        return URL

    monkeypatch.setattr(viewer, "study_page", page)
    ran = run(view.app)
    assert (ran.code, ran.out, opened) == (0, f"{URL}\n", [URL])
    assert asked == [(LOCAL, STORE, "1.2")]
    assert store.asked == [(f"{LOCAL}v1/{STORE}/dicomWeb/studies", "88")]
    assert "not for diagnosis" in ran.err
    assert "Open this address" not in ran.err


def test_no_browser_is_opened_if_none_is_wanted(
    store: FakeStore, opened: list[str], run: Run
) -> None:
    ran = run(view.app, "--no-browser", "--patient", "1")
    assert (ran.code, ran.out, opened) == (0, f"{URL}\n", [])
    assert store.asked[0][1] == "1"


def test_a_machine_without_windows_gets_the_address(
    store: FakeStore, opened: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("sys.platform", "linux")
    ran = run(view.app)
    assert (ran.out, opened) == (f"{URL}\n", [])
    assert "Open this address in a browser on this machine." in ran.err


def test_json_names_the_study_and_opens_nothing(
    store: FakeStore, opened: list[str], run: Run
) -> None:
    ran = run(view.app, "--json")
    assert ran.json == {
        "store": STORE,
        "study_instance_uid": "1.2",
        "dicom_web": f"{LOCAL}v1/{STORE}/dicomWeb",
        "url": URL,
        "opened": False,
        "notice": study_viewer.NOTICE,
    }
    assert (ran.err, opened) == ("", [])


def test_google_cloud_is_reached_by_a_viewer_of_ones_own(
    store: FakeStore, opened: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(viewer, "study_page", lambda *_: None)
    ran = run(view.app)
    assert ran.out == f"{LOCAL}v1/{STORE}/dicomWeb/studies/1.2\n"
    assert "roles/healthcare.dicomViewer" in ran.err
    assert study_viewer.DOCUMENTATION in ran.err
    ran = run(view.app, "--json")
    assert (ran.json["url"], ran.json["documentation"]) == (None, study_viewer.DOCUMENTATION)
    assert opened == []


def test_the_address_at_a_gateway_of_the_stack_is_named(
    store: FakeStore, run: Run, lab_stack: dict[str, Any]
) -> None:
    other = STORE.replace("dicomstore1", "dicomstore2")
    lab_stack["gateways"] = {
        "ward": {"uri": "https://ward.run.app", "stores": [STORE], "viewer": True},
        "api": {"uri": "https://api.run.app", "stores": [STORE], "viewer": False},
        "lab": {"uri": "https://lab.run.app", "stores": [other], "viewer": True},
    }
    page = (
        "https://ward.run.app/viewer/local-project~us-central1~dataset1~dicomstore1"
        "?StudyInstanceUIDs=1.2"
    )
    assert f"Through a gateway, for its members: {page}\n" in run(view.app, "--no-browser").err
    assert run(view.app, "--json").json["gateways"] == [page]


def test_a_patient_without_studies(store: FakeStore, run: Run) -> None:
    store.studies = []
    ran = run(view.app)
    assert ran.code == 1
    assert f"{STORE} has no study of that patient." in ran.err
    # Patient identifiers stay out of errors, which end up in logs.
    assert "88" not in ran.err


def test_a_viewer_that_cannot_be_fetched(
    store: FakeStore, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> str:
        raise EngineError("The viewer could not be fetched from X.")

    monkeypatch.setattr(viewer, "study_page", refused)
    ran = run(view.app)
    assert ran.code == 1
    assert "error: The viewer could not be fetched from X." in ran.err
