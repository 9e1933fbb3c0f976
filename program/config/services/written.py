"""Stores and topics as a stack file has them: for checks of what uses them."""

from collections.abc import Mapping

from program.config.datasets import named
from program.config.errors import ConfigError
from program.config.raw import Raw, items, maps, text

MULTI_REGIONS = ("us", "eu")


def stores(datasets: Mapping[str, Raw], store_list: str) -> dict[str, Raw]:
    """Return the stores of a type that are switched on, by their references.

    Args:
        datasets: name of each dataset, "" of the first one -> its raw settings
        store_list: such as dicomStores

    Returns:
        STORE, or DATASET/STORE in a further dataset -> its raw settings
    """
    return {
        f"{dataset}/{text(store.get('name'))}".removeprefix("/"): store
        for dataset, body in datasets.items()
        for store in map(named, items(body.get(store_list)))
        if isinstance(store, dict) and store.get("enabled", True) is True
    }


def notifies(store: Raw, topic: str, project: str) -> bool:
    """Whether a store notifies a topic, however both are written."""
    single, several = store.get("notificationConfig"), store.get("notificationConfigs")
    configs = [item for item in (single, *items(several)) if isinstance(item, dict)]
    named_topics = [text(item.get("pubsubTopic")) for item in configs]
    return full_topic(topic, project) in [full_topic(each, project) for each in named_topics]


def full_topic(topic: str, project: str) -> str:
    """Return the full name of a topic that is written by its name, or by its full name."""
    return topic if "/" in topic else f"projects/{project}/topics/{topic}"


def subscriptions(raw: Raw, key: str) -> dict[str, str]:
    """Return the name of each subscription of a topic -> its key."""
    return {
        text(item.get("name")): f"{key}[{index}].subscriptions[{position}].name"
        for index, topic in maps(raw.get("topics"))
        for position, item in maps(topic.get("subscriptions"))
    }


def region_missing(key: str, location: str) -> ConfigError:
    """Return the error of something that is in a region, in a stack that is not."""
    return ConfigError(
        f"{key}.region",
        f"is missing: the stack's location {location} is not a region, and instances are in one. "
        "Allowed: a region such as europe-west4.",
    )
