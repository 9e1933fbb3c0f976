"""The viewer as the scripts see it: an address, or none on Google Cloud."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine import viewer
from engine.errors import EngineError
from viewer import fetch

STORE = "projects/p/locations/l/datasets/d/dicomStores/s"


def test_the_local_google_cloud_has_a_page_of_a_study(monkeypatch: pytest.MonkeyPatch) -> None:
    messages: list[str] = []

    def fetched(report: Callable[[str], None]) -> Path:
        report("fetching ...")
        return Path()

    monkeypatch.setattr(fetch, "fetch", fetched)
    page = viewer.study_page("http://127.0.0.1:8080/", STORE, "1.2.3", messages.append)
    assert page == "http://127.0.0.1:8080/viewer/p~l~d~s?StudyInstanceUIDs=1.2.3"
    assert messages == ["fetching ..."]


def test_google_cloud_has_none_and_nothing_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch, "fetch", lambda report: pytest.fail("fetched"))
    endpoint = "https://healthcare.googleapis.com/"
    assert viewer.study_page(endpoint, STORE, "1.2.3", lambda _: None) is None


def test_a_viewer_that_cannot_be_fetched_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(report: Callable[[str], None]) -> Path:
        raise fetch.ViewerError("out of reach; the way round")

    monkeypatch.setattr(fetch, "fetch", refused)
    with pytest.raises(EngineError, match="out of reach; the way round"):
        viewer.study_page("http://localhost:1/", STORE, "1.2.3", lambda _: None)
