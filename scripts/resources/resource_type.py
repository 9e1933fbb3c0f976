"""A resource type that can be adopted: the template of its id, and its look-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import Any

from scripts.lib.property_values import Value
from scripts.resources.lookup import Lookup, grants


class Text(str):
    """An input in a template: `{topic}`, or `{topic.last}` for its part after the last slash."""

    __slots__ = ()

    @property
    def last(self) -> str:
        """The last part of a full name."""
        return self.rpartition("/")[2]


@dataclass(frozen=True)
class Wanted:
    """A resource of the program, as a look-up needs it.

    Attributes:
        id: as the provider imports it
        inputs: the known ones
    """

    id: str
    inputs: Mapping[str, Value]

    def text(self, name: str) -> Text:
        """Return an input that the template of the id has."""
        return Text(self.inputs[name])

    def fill(self, template: str) -> str:
        """Fill a template with the inputs of the id."""
        return template.format_map({k: Text(v) for k, v in self.inputs.items()})


Exists = Callable[[Lookup, Wanted], bool]


@dataclass(frozen=True)
class ResourceType:
    """A resource type that can be adopted.

    Attributes:
        id: template of the id
        exists: looks it up in the service
        grant: whether it is a role for a member: creating it again is harmless
        identity: whether it is a service agent, which the provider can create but not import
        repeatable: whether the provider can't import it, and creating it again is harmless
    """

    id: str
    exists: Exists
    grant: bool = False
    identity: bool = False
    repeatable: bool = False

    def identify(self, inputs: Mapping[str, Value], project: str) -> str | None:
        """Return the id; None while a part of it is not known.

        Args:
            inputs: of the resource, secrets and unknowns as `Special`
            project: the provider's, for resources that do not name one
        """
        known = {"project": Text(project), **_texts(inputs)}
        names = [field.partition(".")[0] for _, field, _, _ in Formatter().parse(self.id) if field]
        if any(not known.get(name) for name in names):
            return None
        condition = inputs.get("condition")
        title = condition.get("title") if self.grant and isinstance(condition, dict) else None
        filled = self.id.format_map(known)
        return f"{filled} {title}" if title else filled

    def find(self, inputs: Mapping[str, Value], project: str, id_: str, lookup: Lookup) -> bool:
        """Return whether the service has it.

        Raises:
            NotServedError: the local Google Cloud has no such service
            ScriptError: the service does not answer
        """
        return self.exists(lookup, Wanted(id_, {"project": project, **inputs}))


def _texts(inputs: Mapping[str, Value]) -> dict[str, Text]:
    return {name: Text(value) for name, value in inputs.items() if isinstance(value, str)}


def at(api: str, collection: str, id_: str) -> ResourceType:
    """Return a resource whose id is its full name, read by a call of its API."""

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        return lookup.get(api, collection, wanted.id) is not None

    return ResourceType(id_, exists)


Policy = Callable[[Lookup, Wanted], dict[str, Any] | None]


def granted(resource: str, policy: Policy) -> ResourceType:
    """Return the type of a grant, looked up in the policy of its resource."""

    def exists(lookup: Lookup, wanted: Wanted) -> bool:
        condition = wanted.inputs.get("condition")
        return grants(
            policy(lookup, wanted),
            wanted.text("role"),
            wanted.text("member"),
            condition if isinstance(condition, dict) else {},
        )

    return ResourceType(f"{resource} {{role}} {{member}}", exists, grant=True)


def granted_at(api: str, collection: str, resource: str) -> ResourceType:
    """Return the type of a grant on a resource whose policy a call of its API reads."""

    def policy(lookup: Lookup, wanted: Wanted) -> dict[str, Any] | None:
        return lookup.policy(api, collection, wanted.fill(resource))

    return granted(resource, policy)
