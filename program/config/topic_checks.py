"""Errors between topics, subscriptions, and references to them."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from components import rules
from program.config.errors import ConfigError, show
from program.config.raw import Raw, maps, text, twice
from program.config.references import TopicReference


def topic_errors(raw: Raw, key: str, references: Sequence[TopicReference]) -> Iterator[ConfigError]:
    """Yield the errors of the stack's topics.

    Args:
        raw: The values by alias.
        key: The full key of the topics.
        references: Every mention of a topic in the stack.
    """
    topics = maps(raw.get("topics"))
    names = {position: text(topic.get("name")) for position, topic in topics}
    listed = [names.get(position, "") for position in range(max(names, default=-1) + 1)]
    yield from twice(listed, key, ".name", "Rename one.")
    yield from _subscriptions(topics, key)
    yield from _unknown([name for name in listed if name], references)
    yield from _circles(topics, key)


def _subscriptions(topics: Sequence[tuple[int, Raw]], key: str) -> Iterator[ConfigError]:
    """Yield an error for each repeated name: subscriptions of a project differ in their names."""
    seen: dict[str, str] = {}
    for index, topic in topics:
        for position, item in maps(topic.get("subscriptions")):
            name = text(item.get("name"))
            here = f"{key}[{index}].subscriptions[{position}].name"
            if name in seen:
                message = f"is the same as {seen[name]}. Allowed: each once in a project."
                yield ConfigError(here, message, show(name))
            elif name:
                seen[name] = here


def _unknown(known: Sequence[str], references: Sequence[TopicReference]) -> Iterator[ConfigError]:
    for reference in references:
        if "/" not in reference.topic and reference.topic not in known:
            listed = ", ".join(known) or "none is listed"
            yield ConfigError(
                reference.key,
                f"is not one of the stack's topics.{rules.nearest(reference.topic, known)} "
                f"Allowed: a name under topics ({listed}), or projects/PROJECT/topics/TOPIC.",
                show(reference.topic),
            )


def _circles(topics: Sequence[tuple[int, Raw]], key: str) -> Iterator[ConfigError]:
    """Yield an error for topics that take each other's dead letters: none can be created first."""
    before: Mapping[str, list[str]] = {
        text(topic.get("name")): [
            text(letters.get("topic"))
            for _, item in maps(topic.get("subscriptions"))
            if isinstance(letters := item.get("deadLetter"), dict)
        ]
        for _, topic in topics
    }
    try:
        TopologicalSorter(before).prepare()
    except CycleError as circle:
        names = " -> ".join(circle.args[1])
        yield ConfigError(key, f"take each other's dead letters: {names}. Allowed: no circles.")
