"""The model of policies: resources, findings, and the policies themselves."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final

PROJECT = "gcp-healthcare-dicom"
"""The name of the pack, and the namespace of the program's configuration keys."""


class _Unknown(Enum):
    UNKNOWN = "unknown"

    def __bool__(self) -> bool:
        raise TypeError("an unknown value is neither true nor false: compare it with UNKNOWN")


UNKNOWN: Final = _Unknown.UNKNOWN
"""A value that a preview can't know, such as the name of something that is still to be made."""


class Level(Enum):
    """The effect of a violation, in Pulumi's words."""

    ADVISORY = "advisory"
    MANDATORY = "mandatory"


class Severity(Enum):
    """How bad a violation is, in Pulumi's words."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


@dataclass(frozen=True, eq=False)
class Resource:
    """A resource as a policy sees it.

    Attributes:
        type: Its type token, such as `gcp:healthcare/dataset:Dataset`.
        name: Its logical name.
        urn: Its URN.
        props: Its properties, camelCase. A resource policy gets the inputs. A stack policy gets
            the outputs; what they leave unknown is filled with the inputs.
        protect: Whether Pulumi refuses to delete it.
        provider: The configuration of its provider.
        sources: Property -> the resources that its value is made from. Stack policies only.
    """

    type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    protect: bool = False
    provider: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, Sequence["Resource"]] = field(default_factory=dict)


@dataclass(frozen=True)
class Finding:
    """A violation of a rule.

    Attributes:
        text: What is wrong, with the property and its value.
        resource: The culprit; None blames the resource under check, or the stack as a whole.
        hint: What to do, where it differs from the policy's general hint.
    """

    text: str
    resource: Resource | None = None
    hint: str | None = None


@dataclass(frozen=True)
class ConfigKey:
    """A key of a policy's configuration.

    Attributes:
        name: The key.
        schema: Its JSON schema, with a default.
        text: What it does.
    """

    name: str
    schema: Mapping[str, Any]
    text: str


Config = Mapping[str, Any]
"""A policy's configuration, defaults filled in."""
ResourceCheck = Callable[[Resource, Config], Iterator[Finding]]
StackCheck = Callable[[Sequence[Resource], Config], Iterator[Finding]]


@dataclass(frozen=True)
class Policy:
    """A policy, but for its check.

    Attributes:
        name: Its id in Pulumi, and its key in the pack's configuration.
        level: What a violation does, unless configured otherwise.
        severity: How bad a violation is.
        what: The rule in one sentence.
        why: What it prevents.
        hint: How to fix a violation.
        config: Its configuration keys, besides those that every policy has.
    """

    name: str
    level: Level
    severity: Severity
    what: str
    why: str
    hint: str
    config: tuple[ConfigKey, ...] = ()


@dataclass(frozen=True)
class ResourcePolicy(Policy):
    """Judges one resource by its inputs, before it is made or changed."""

    check: ResourceCheck = field(kw_only=True)


@dataclass(frozen=True)
class StackPolicy(Policy):
    """Judges all resources of a stack together, at the end of a preview and of an update."""

    check: StackCheck = field(kw_only=True)
