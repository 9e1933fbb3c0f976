"""Where settings refer to topics."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from program.config.topics import TopicSettings

_KEYS = ("pubsubTopic", "topic")


@dataclass(frozen=True)
class TopicReference:
    """A mention of a topic: the key it stands at, and the topic as it is written."""

    key: str
    topic: str


def topic_references(value: object, key: str) -> Iterator[TopicReference]:
    """Find every topic that a raw value names, however deep.

    Args:
        value: A list or map as it was decoded from JSON.
        key: The key that the value stands at.
    """
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from topic_references(item, f"{key}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            if name in _KEYS and isinstance(item, str):
                yield TopicReference(f"{key}.{name}", item)
            elif name != "labels":
                yield from topic_references(item, f"{key}.{name}")


def in_order(topics: Sequence[TopicSettings]) -> list[str]:
    """Return the names of topics, those for dead letters before those whose letters they take.

    Raises:
        graphlib.CycleError: Topics take each other's dead letters.
    """
    names = {topic.name for topic in topics}
    before = {
        topic.name: [
            item.dead_letter.topic
            for item in topic.subscriptions
            if item.dead_letter is not None and item.dead_letter.topic in names
        ]
        for topic in topics
    }
    return list(TopologicalSorter(before).static_order())
