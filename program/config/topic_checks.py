"""What is wrong between topics, subscriptions, and what refers to them."""

from collections.abc import Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from components import rules
from components.problems import Problem, show
from components.settings.raw import Raw, maps, text, twice
from components.settings.references import TopicReference


def topic_problems(raw: Raw, key: str, references: Sequence[TopicReference]) -> Iterator[Problem]:
    """Every problem of the stack's topics.

    Args:
        raw: The values by alias.
        key: The full key of the topics.
        references: Every mention of a topic in the stack.
    """
    topics = maps(raw.get("topics"))
    names = {place: text(topic.get("name")) for place, topic in topics}
    listed = [names.get(place, "") for place in range(max(names, default=-1) + 1)]
    yield from twice(listed, key, ".name", "Rename one.")
    yield from _subscriptions(topics, key)
    yield from _unknown([name for name in listed if name], references)
    yield from _circles(topics, key)


def _subscriptions(topics: Sequence[tuple[int, Raw]], key: str) -> Iterator[Problem]:
    """Subscriptions of one name, which must differ in the whole project."""
    seen: dict[str, str] = {}
    for index, topic in topics:
        for place, item in maps(topic.get("subscriptions")):
            name = text(item.get("name"))
            here = f"{key}[{index}].subscriptions[{place}].name"
            if name in seen:
                complaint = f"is the same as {seen[name]}. Allowed: each once in a project."
                yield Problem(here, complaint, show(name))
            elif name:
                seen[name] = here


def _unknown(known: Sequence[str], references: Sequence[TopicReference]) -> Iterator[Problem]:
    for reference in references:
        if "/" not in reference.topic and reference.topic not in known:
            listed = ", ".join(known) or "none is listed"
            yield Problem(
                reference.key,
                f"is not one of the stack's topics.{rules.nearest(reference.topic, known)} "
                f"Allowed: a name under topics ({listed}), or projects/PROJECT/topics/TOPIC.",
                show(reference.topic),
            )


def _circles(topics: Sequence[tuple[int, Raw]], key: str) -> Iterator[Problem]:
    """Topics that take each other's dead letters: neither could be made first."""
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
        yield Problem(key, f"take each other's dead letters: {names}. Allowed: no circles.")
