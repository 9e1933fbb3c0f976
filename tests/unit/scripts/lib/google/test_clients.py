from typing import Any

import google.auth
import pytest
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import DefaultCredentialsError

from scripts.lib.errors import ScriptError
from scripts.lib.google import clients
from tests.unit.scripts.fakes import STORE

VARIABLE = "GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT"


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    anonymous = AnonymousCredentials()  # type: ignore[no-untyped-call]
    monkeypatch.setattr(google.auth, "default", lambda scopes: (anonymous, None))


@pytest.mark.parametrize(
    "value",
    [
        "http://127.0.0.1:1/v1beta1/",
        "http://127.0.0.1:1/v1",
        "http://127.0.0.1:1/",
        "http://127.0.0.1:1",
    ],
)
def test_the_version_is_taken_off(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv(VARIABLE, value)
    assert clients.endpoint(VARIABLE) == "http://127.0.0.1:1/"


def test_without_the_variable_google_cloud_is_meant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert clients.endpoint(VARIABLE) is None
    assert clients.dicom_web(STORE)[1] == f"https://healthcare.googleapis.com/v1/{STORE}/dicomWeb"
    request = clients.healthcare().projects().locations().get(name="projects/p/locations/l")
    assert request.uri.startswith("https://healthcare.googleapis.com/v1/projects/p/locations/l?")


def test_the_endpoint_moves_every_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "http://127.0.0.1:1/v1beta1/")
    assert clients.dicom_web(STORE)[1] == f"http://127.0.0.1:1/v1/{STORE}/dicomWeb"
    request = clients.healthcare().projects().locations().get(name="projects/p/locations/l")
    assert request.uri.startswith("http://127.0.0.1:1/v1/projects/p/locations/l?")
    monkeypatch.setenv("GOOGLE_PUBSUB_CUSTOM_ENDPOINT", "http://127.0.0.1:2/v1/")
    topics = clients.pubsub().projects().topics().list(project="projects/p")
    assert topics.uri.startswith("http://127.0.0.1:2/v1/projects/p/topics?")
    monkeypatch.setenv("GOOGLE_RESOURCE_MANAGER_CUSTOM_ENDPOINT", "http://127.0.0.1:3/v1/")
    policy = clients.resource_manager().projects().getIamPolicy(resource="p", body={})
    assert policy.uri.startswith("http://127.0.0.1:3/v1/projects/p:getIamPolicy?")


def test_an_access_token_comes_before_the_application_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "given")
    assert clients.credentials().token == "given"
    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN")
    assert isinstance(clients.credentials(), AnonymousCredentials)


def test_missing_credentials_are_one_line_that_names_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def find_none(**_: Any) -> Any:
        raise DefaultCredentialsError("no key file")  # type: ignore[no-untyped-call]

    monkeypatch.delenv("GOOGLE_OAUTH_ACCESS_TOKEN", raising=False)
    monkeypatch.setattr(google.auth, "default", find_none)
    for make in (clients.healthcare, clients.session, lambda: clients.big_query("p")):
        with pytest.raises(ScriptError) as caught:
            make()
        assert caught.value.message == "No Google Cloud credentials were found."
        assert "gcloud auth application-default login" in caught.value.hint
