"""Implementation guides: which profiles a resource must conform to.

Documented (`ValidationConfig` of the API's reference): a resource must conform to at least one of
the profiles that the member `global` of an enabled guide lists for its type. Inferred
(conformance: fhir-profiles): it must also conform to each profile of `meta.profile` that an enabled
guide has, in `global` or as a resource.
"""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Guide:
    """The profiles of an implementation guide.

    Attributes:
        global_profiles: canonical URLs by resource type
        profiles: the canonical URLs of all its profiles
    """

    global_profiles: Mapping[str, tuple[str, ...]]
    profiles: Set[str]

    @classmethod
    def of(
        cls, resource: Mapping[str, Any], urls_of_ids: Callable[[list[str]], set[str]]
    ) -> "Guide":
        """Return the profiles of an ImplementationGuide.

        Args:
            resource: the guide; an empty one has no profiles
            urls_of_ids: returns the canonical URLs of StructureDefinitions by their ids
        """
        by_type: dict[str, tuple[str, ...]] = {}
        for one in resource.get("global", ()):
            type_, profile = one.get("type", ""), one.get("profile", "")
            by_type[type_] = (*by_type.get(type_, ()), profile)
        names = [
            str(one.get("reference", {}).get("reference", ""))
            for one in resource.get("definition", {}).get("resource", ())
        ]
        ids = [name.rpartition("/")[2] for name in names if name.startswith("StructureDefinition/")]
        listed = {_bare(url) for urls in by_type.values() for url in urls}
        return cls(by_type, listed | urls_of_ids(ids) if ids else listed)

    def declared_in(self, resource: Mapping[str, Any]) -> list[str]:
        """Return the profiles of this guide that a resource declares."""
        return [url for url in declared(resource) if _bare(url) in self.profiles]


def declared(resource: Mapping[str, Any]) -> list[str]:
    """Return the profiles that a resource declares (`meta.profile`)."""
    return [url for url in resource.get("meta", {}).get("profile", ()) if isinstance(url, str)]


def _bare(canonical: str) -> str:
    return canonical.partition("|")[0]
