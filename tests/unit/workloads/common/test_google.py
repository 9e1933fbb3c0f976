"""The session: what it takes from the environment, once."""

import pytest
import requests

from workloads.common import google


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", raising=False)
    monkeypatch.delenv("GOOGLE_PUBSUB_CUSTOM_ENDPOINT", raising=False)
    monkeypatch.delenv("STORAGE_EMULATOR_HOST", raising=False)
    monkeypatch.setenv("GOOGLE_OAUTH_ACCESS_TOKEN", "token")


def used(url: str) -> tuple[str | None, str | bool | None]:
    """The proxy and the authorities of a call, as requests chooses them."""
    session = google.session(1)
    settings = session.merge_environment_settings(url, {}, None, None, None)
    return requests.utils.select_proxy(url, settings["proxies"]), settings["verify"]


def test_google_is_reached_directly_and_checked() -> None:
    assert used("https://healthcare.googleapis.com/v1/x") == (None, True)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_proxy_of_the_environment_is_used(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    for host in ("healthcare", "pubsub", "storage"):
        assert used(f"https://{host}.googleapis.com/v1/x")[0] == "http://proxy:3128"


def test_servers_without_a_proxy_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:3128")
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,pubsub.googleapis.com")
    monkeypatch.setenv("GOOGLE_HEALTHCARE_CUSTOM_ENDPOINT", "http://127.0.0.1:8080/v1/")
    assert used("http://127.0.0.1:8080/v1/x")[0] is None
    assert used("https://pubsub.googleapis.com/v1/x")[0] is None


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_authorities_of_the_environment_are_used(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "/etc/authorities.pem")
    assert used("https://healthcare.googleapis.com/v1/x")[1] == "/etc/authorities.pem"
