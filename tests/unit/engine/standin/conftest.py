"""The stand-in, and a small Google Cloud behind it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from emulator.app import create_app
from emulator.cloud import Cloud
from emulator.core.settings import Settings
from engine.standin.config import SERVICES, ProviderConfig
from engine.standin.http import Api
from engine.standin.provider import StandIn
from tests.support.emulated_google import EmulatedGoogle
from tests.support.fake_google import FakeGoogle
from tests.support.new_state import write_new_state
from tests.support.plugin import FAST, Engine


@pytest.fixture
def google() -> FakeGoogle:
    return FakeGoogle()


@pytest.fixture
def engine(google: FakeGoogle, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose plugin is configured for the small Google Cloud."""
    for _, variable in SERVICES.values():
        monkeypatch.delenv(variable, raising=False)

    def api(config: ProviderConfig) -> Api:
        return Api(config, retry_policy=FAST, pool=google)

    engine = Engine(StandIn(api))
    engine.configure()
    return engine


@pytest.fixture
def emulated(tmp_path: Path) -> Iterator[EmulatedGoogle]:
    """The local Google Cloud, where every service is enabled."""
    url = "http://127.0.0.1:1"
    write_new_state(tmp_path)
    cloud = Cloud(Settings(tmp_path, url, url, url, all_services_enabled=True))
    with TestClient(create_app(cloud), "http://127.0.0.1") as client:
        yield EmulatedGoogle(client)


@pytest.fixture
def emulator_engine(emulated: EmulatedGoogle, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """An engine whose plugin is configured for the local Google Cloud, in `us-central1`."""
    for _, variable in SERVICES.values():
        monkeypatch.delenv(variable, raising=False)
    engine = Engine(StandIn(lambda config: Api(config, retry_policy=FAST, pool=emulated)))
    engine.configure(region="us-central1")
    return engine
