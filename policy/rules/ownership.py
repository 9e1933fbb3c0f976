"""That it can be told whose a resource is, and what it is for."""

from collections.abc import Iterator

from policy import resource_types
from policy.model import UNKNOWN, Config, Finding, Resource
from policy.properties import labels, present


def labelled(resource: Resource, config: Config) -> Iterator[Finding]:
    """Check that every resource that can carry labels carries the required ones."""
    if resource.type not in resource_types.LABELLED:
        return
    known = labels(resource)
    if known is UNKNOWN:
        return
    missing = [key for key in config["labels"] if not present(known.get(key))]
    if missing:
        noun = "label" if len(missing) == 1 else "labels"
        yield Finding(f"{noun} {', '.join(missing)} missing")
