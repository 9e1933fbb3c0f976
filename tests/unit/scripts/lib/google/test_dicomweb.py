from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts import view_instance
from scripts.lib.errors import ScriptError
from scripts.lib.google import clients, dicomweb
from scripts.lib.google.dicomweb import DicomWeb
from tests.unit.scripts.fakes import STORE, Ran

ROOT = "http://127.0.0.1:1/v1/s/dicomWeb"
Run = Callable[..., Ran]


def _instance(number: int) -> dict[str, Any]:
    tags = {"0020000D": "1.2", "0020000E": "1.3", "00080018": f"1.4.{number}"}
    return {tag: {"vr": "UI", "Value": [uid]} for tag, uid in tags.items()}


class FakeStore:
    """A store's DICOMweb service: pages of instances, and a picture of each."""

    def __init__(self, instances: list[dict[str, Any]], code: int = 200) -> None:
        self.instances = instances
        self.code = code
        self.asked: list[tuple[str, dict[str, str], str]] = []

    def get(
        self, url: str, *, params: dict[str, str], headers: dict[str, str], timeout: float
    ) -> requests.Response:
        path = url.removeprefix(f"{ROOT}/")
        self.asked.append((path, params, headers["Accept"]))
        answer = requests.Response()
        answer.status_code = self.code
        if path.endswith("/rendered"):
            answer._content = b"\x89PNG " + path.encode()
            return answer
        first = int(params["offset"])
        page = self.instances[first : first + int(params["limit"])]
        answer.json = lambda **_: page  # type: ignore[method-assign]
        if not page and self.code == 200:
            answer.status_code = 204
        return answer


def _web(store: Any) -> DicomWeb:
    return DicomWeb(store, ROOT)


@pytest.mark.parametrize("total", [0, 1, 9, 10, 11, 20, 25])
def test_every_page_is_read(total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dicomweb, "PAGE", 10)
    assert _web(FakeStore([_instance(n) for n in range(total)])).count() == total


def test_an_instance_counts_once() -> None:
    assert _web(FakeStore([_instance(1), _instance(1), _instance(2)])).count() == 2


def test_a_search_matches_and_accepts_json() -> None:
    store = FakeStore([_instance(1)])
    assert len(list(_web(store).search(PatientID="88"))) == 1
    asked = {"PatientID": "88", "limit": str(dicomweb.PAGE), "offset": "0"}
    assert store.asked == [("instances", asked, "application/dicom+json")]


def test_a_refusal_is_reported() -> None:
    with pytest.raises(ScriptError, match=f"Reading {ROOT}/instances failed"):
        _web(FakeStore([], code=404)).count()


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch, lab_stack: Any) -> FakeStore:
    fake = FakeStore([_instance(n) for n in range(3)])
    monkeypatch.setattr(clients, "dicom_web", lambda name: (fake, ROOT))
    return fake


def test_pictures_are_saved(store: FakeStore, run: Run, tmp_path: Path) -> None:
    ran = run(view_instance.app, "--into", str(tmp_path), "--most", "2", "--json")
    assert ran.code == 0
    files = [str(tmp_path / f"{n:03d}_1.4.{n}.png") for n in range(2)]
    uids = [{"file": file, "sop_instance_uid": f"1.4.{n}"} for n, file in enumerate(files)]
    assert ran.json == {"store": STORE, "files": uids}
    rendered = "studies/1.2/series/1.3/instances/1.4.1/rendered"
    assert Path(files[1]).read_bytes() == b"\x89PNG " + rendered.encode()
    assert store.asked[0][1]["PatientID"] == "88"
    assert store.asked[1][2] == "image/png"


def test_a_patient_without_instances(store: FakeStore, run: Run, tmp_path: Path) -> None:
    store.instances = []
    ran = run(view_instance.app, "--into", str(tmp_path))
    assert ran.code == 1
    assert f"{STORE} has no instance of that patient." in ran.err
    # Patient identifiers stay out of errors, which end up in logs.
    assert "88" not in ran.err
