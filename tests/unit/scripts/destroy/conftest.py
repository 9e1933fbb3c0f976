"""A fake cloud for every client that the tear-down makes."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from googleapiclient.discovery import build

from scripts.destroy import command
from scripts.destroy import teardown as flow
from scripts.lib import stack
from scripts.lib.google import clients
from scripts.recovery import stack_locks
from scripts.resources import lookup
from tests.support.fake_engine import FakeEngine
from tests.unit.scripts.destroy.cloud import Cloud
from tests.unit.scripts.destroy.lab_stack import fill, lab_stack

APIS = {
    "healthcare": ("healthcare", clients.healthcare),
    "pubsub": ("pubsub", clients.pubsub),
    "kms": ("cloudkms", clients.key_management),
    "logging": ("logging", clients.cloud_logging),
    "monitoring": ("monitoring", clients.cloud_monitoring),
    "cloudrun": ("run", clients.cloud_run),
    "iap": ("iap", clients.identity_aware_proxy),
    "secretmanager": ("secretmanager", clients.secret_manager),
    "artifactregistry": ("artifactregistry", clients.artifact_registry),
    "compute": ("compute", clients.compute_engine),
    "iam": ("iam", clients.iam),
    "serviceusage": ("serviceusage", clients.service_usage),
    "resourcemanager": ("cloudresourcemanager", clients.resource_manager),
}

VERSIONS = {"logging": "v2", "monitoring": "v3", "run": "v2"}
"""Of the APIs that are not in version 1."""


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """The services, empty."""
    fake = Cloud()

    def client(name: str) -> Any:
        return build(
            name, VERSIONS.get(name, "v1"), http=fake, static_discovery=True, cache_discovery=False
        )

    for api, (name, make) in APIS.items():
        _, variable = lookup.APIS[api]
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setitem(lookup.APIS, api, (partial(client, name), variable))
        monkeypatch.setattr(clients, make.__name__, partial(client, name))
    monkeypatch.setattr(clients, "big_query", fake.big_query)
    monkeypatch.setattr(clients, "cloud_storage", fake.storage)
    return fake


@pytest.fixture
def stopped(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The stacks whose local Google Cloud was stopped."""
    stopped: list[str] = []
    monkeypatch.setattr("engine.stack_environment.stop", stopped.append)
    return stopped


@pytest.fixture
def engine(
    cloud: Cloud, stopped: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> FakeEngine:
    """The lab, up."""
    fill(cloud)
    found = lab_stack(cloud)
    monkeypatch.setenv("LAB_DIR", str(tmp_path))
    monkeypatch.setattr(stack, "enter", lambda name, report: SimpleNamespace(environment={}))
    monkeypatch.setattr(command, "PulumiStack", lambda *_: found)
    monkeypatch.setattr(FakeEngine, "project", "p")
    _note_calls(monkeypatch, found.calls)
    return found


def _note_calls(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """Note when other updates are waited for, and when the state is recovered."""
    for module, name in ((stack_locks, "wait_until_free"), (flow, "recover")):
        act: Callable[..., Any] = getattr(module, name)

        def noted(*given: Any, name: str = name, act: Callable[..., Any] = act) -> Any:
            calls.append(name)
            return act(*given)

        monkeypatch.setattr(module, name, noted)
