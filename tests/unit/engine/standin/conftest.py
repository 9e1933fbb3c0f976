"""The stand-in, and a small Google Cloud behind it."""

import pytest

from engine.standin.config import SERVICES, ProviderConfig
from engine.standin.http import Api
from engine.standin.provider import StandIn
from tests.support.fake_google import FakeGoogle
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
