"""The shape of a case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policy.model import Resource


@dataclass(frozen=True)
class Case:
    """Resources, and what a policy says of them.

    Attributes:
        title: What the case shows.
        resources: The stack; a resource policy is asked about each of them.
        says: The first lines of the violations; none if the case passes.
        config: The policy's configuration.
    """

    title: str
    resources: Sequence[Resource]
    says: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
