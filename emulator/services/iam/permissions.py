"""Sets of permissions, as the tables of roles write them."""

POLICIES = "getIamPolicy setIamPolicy"
ALL = f"create delete get list update {POLICIES}"


def of(resource: str, verbs: str) -> frozenset[str]:
    """Return permissions on a type of resource, such as `pubsub.topics`."""
    return frozenset(f"{resource}.{verb}" for verb in verbs.split())
