"""The resources that references name, as far as a resource shows them.

Those inside the checked resource are found, contained ones and entries of a bundle; of others only
the type is known.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from emulator.services.healthcare.fhir.definitions import resource_types
from emulator.services.healthcare.fhir.profiles.compilation import CORE
from emulator.services.healthcare.fhir.profiles.invariants import plain
from emulator.services.healthcare.fhir.profiles.items import Item, type_of
from emulator.services.healthcare.fhir.profiles.library import Library
from emulator.services.healthcare.fhir.references import Form, of_element


class Targets:
    """The targets of the references of a resource.

    Args:
        root: the resource
        library: of the store

    Attributes:
        container: the resource that the walk is in; the outer one for a contained resource
        library: of the store
    """

    def __init__(self, root: Mapping[str, Any], library: Library) -> None:
        self.container = root
        self.library = library
        self._entries = _entries(root)
        self._plain: dict[int, Any] = {}
        self._resources = {id(one) for one in self._entries.values()}

    @contextmanager
    def inside(self, value: Any) -> Iterator[None]:
        """Look for contained resources in a value, if it is the resource of an entry."""
        before = self.container
        if id(value) in self._resources:
            self.container = value
        try:
            yield
        finally:
            self.container = before

    def plain_container(self) -> Any:
        """Return the container as FHIRPath reads it."""
        key = id(self.container)
        if key not in self._plain:
            self._plain[key] = plain(self.container)
        return self._plain[key]

    def of(self, item: Item) -> Item | None:
        """Return the target of a reference, without value if only its type is known."""
        if not isinstance(item.value, dict):
            return None
        reference = of_element(item.value, item.path)
        found: Mapping[str, Any] | None = None
        if reference.form is Form.CONTAINED:
            contained = self.container.get("contained", ())
            found = next((one for one in contained if one.get("id") == reference.id), None)
            if not reference.id:
                found = self.container
        elif self._entries:
            found = self._entries.get(reference.value) or self._entries.get(
                f"{reference.type}/{reference.id}"
            )
        declared = item.value.get("type")
        type_ = type_of(found) or reference.type or (declared if isinstance(declared, str) else "")
        if type_ not in resource_types():
            return None
        return Item(found, {}, type_, item.path)

    def type_of(self, url: str) -> str:
        """Return the type that a profile is for; empty if the store lacks the profile."""
        profile = self.library.profile(url)
        if profile is not None:
            return profile.type
        name = url.removeprefix(CORE)
        return name if name in resource_types() or name == "Resource" else ""


def _entries(bundle: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the resources of a bundle by full URL, and by type and id."""
    found: dict[str, Mapping[str, Any]] = {}
    if bundle.get("resourceType") != "Bundle":
        return found
    for entry in bundle.get("entry", ()):
        resource = entry.get("resource")
        if resource:
            found[f"{type_of(resource)}/{resource.get('id', '')}"] = resource
            found[str(entry.get("fullUrl", ""))] = resource
    found.pop("", None)
    return found
