"""The stand-in's subscription on the emulator: created, read, changed, imported, deleted."""

from collections.abc import Callable
from typing import Any

import pytest

from emulator.server.server_file import ServerInfo
from engine.standin.config import SERVICES
from engine.standin.provider import StandIn
from tests.support.plugin import Engine

pytestmark = pytest.mark.sockets
TOPIC = "gcp:pubsub/topic:Topic"
SUBSCRIPTION = "gcp:pubsub/subscription:Subscription"
FULL: dict[str, Any] = {
    "name": "full",
    "topic": "events",
    "ackDeadlineSeconds": 60,
    "messageRetentionDuration": "86400s",
    "expirationPolicy": {"ttl": ""},
    "retryPolicy": {"minimumBackoff": "1s", "maximumBackoff": "60s"},
    "filter": 'attributes.modality = "CT"',
    "pushConfig": {"pushEndpoint": "https://worker.example.com/dicom"},
    "labels": {"site": "a"},
    "retainAckedMessages": True,
    "enableMessageOrdering": True,
}


@pytest.fixture
def engine(emulator: ServerInfo, project: str) -> Engine:
    """The stand-in, configured for the emulator, with the topics `events` and `dead`."""
    found = Engine(StandIn())
    addresses = emulator.environment()
    endpoints = {setting: addresses[variable] for setting, variable in SERVICES.values()}
    found.configure(**endpoints, project=project)
    for topic in ("events", "dead"):
        found.create(TOPIC, {"name": topic})
    return found


@pytest.fixture
def dead(project: str) -> dict[str, Any]:
    return {"deadLetterTopic": f"projects/{project}/topics/dead", "maxDeliveryAttempts": 7}


@pytest.fixture
def unchanged(engine: Engine) -> Callable[[str, dict[str, Any], dict[str, Any]], bool]:
    """Whether a refreshed state needs no change, and itself is as it was before."""

    def look(id_: str, state: dict[str, Any], news: dict[str, Any]) -> bool:
        _, read, _ = engine.read(SUBSCRIPTION, id_, state, engine.inputs(SUBSCRIPTION, news))
        assert read == state
        return not engine.diff(SUBSCRIPTION, id_, read, news).detailedDiff

    return look


def given(value: Any) -> Any:
    """A value of the outputs without the fields that are null."""
    if not isinstance(value, dict):
        return value
    return {key: below for key, below in value.items() if below is not None}


@pytest.mark.parametrize("news", [FULL, {"name": "small", "topic": "events"}])
def test_a_second_look_finds_no_difference(
    engine: Engine,
    project: str,
    dead: dict[str, Any],
    unchanged: Callable[..., bool],
    news: dict[str, Any],
) -> None:
    news = {**news, "deadLetterPolicy": dead} if news is FULL else news

    id_, state = engine.create(SUBSCRIPTION, news)

    assert id_ == f"projects/{project}/subscriptions/{news['name']}"
    # The outputs have every field, with its zero value or null: see `engine.standin.outputs`.
    assert {key: given(state[key]) for key in news if key != "topic"} == {
        key: value for key, value in news.items() if key != "topic"
    }
    assert unchanged(id_, state, news)


def test_a_change_is_made_in_place_and_stays(
    engine: Engine, dead: dict[str, Any], unchanged: Callable[..., bool]
) -> None:
    id_, state = engine.create(SUBSCRIPTION, {**FULL, "deadLetterPolicy": dead})
    fixed = {key: FULL[key] for key in ("name", "topic", "filter", "enableMessageOrdering")}
    news = {**fixed, "ackDeadlineSeconds": 20, "labels": {"site": "b"}, "pushConfig": None}
    news = {key: value for key, value in news.items() if value is not None}
    assert not list(engine.diff(SUBSCRIPTION, id_, state, news).replaces)

    state = engine.update(SUBSCRIPTION, id_, state, news)

    assert state["ackDeadlineSeconds"] == 20
    assert state["labels"] == {"site": "b"}
    gone = ("deadLetterPolicy", "retryPolicy", "pushConfig", "retainAckedMessages")
    assert {key: state.get(key) for key in gone} == {
        **dict.fromkeys(gone),
        "retainAckedMessages": False,
    }
    assert state["messageRetentionDuration"] == "604800s"
    assert unchanged(id_, state, news)


@pytest.mark.parametrize("form", ["projects/{project}/subscriptions/full", "full"])
def test_an_import_gives_the_same_inputs(
    engine: Engine, project: str, dead: dict[str, Any], form: str
) -> None:
    news = {**FULL, "deadLetterPolicy": dead}
    created, _ = engine.create(SUBSCRIPTION, news)

    id_, state, inputs = engine.read(SUBSCRIPTION, form.format(project=project))

    assert id_ == created
    assert inputs["topic"] == f"projects/{project}/topics/events"
    assert {key: inputs[key] for key in news if key not in ("topic", "labels")} == {
        key: value for key, value in news.items() if key not in ("topic", "labels")
    }
    # The program owns no label of an adopted resource until it names it.
    changes = set(engine.diff(SUBSCRIPTION, id_, state, news).detailedDiff)
    assert changes == {"labels", "pulumiLabels"}


def test_what_is_deleted_is_gone(engine: Engine) -> None:
    id_, state = engine.create(SUBSCRIPTION, {"name": "small", "topic": "events"})

    engine.delete(SUBSCRIPTION, id_, state)

    assert engine.read(SUBSCRIPTION, id_, state)[0] == ""
    again, _ = engine.create(SUBSCRIPTION, {"name": "small", "topic": "events"})
    assert again == id_
