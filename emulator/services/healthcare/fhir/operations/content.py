"""Resources in the files of an import, by the structure of their content.

Documented (`ContentStructure` of the API's reference): a line or a whole file is a resource, or a
bundle of resources.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.services.healthcare.fhir.refusals import OutcomeError, unparseable
from emulator.services.healthcare.fhir.resources import parsing

BUNDLE, RESOURCE, BUNDLE_PRETTY, RESOURCE_PRETTY = (
    "BUNDLE",
    "RESOURCE",
    "BUNDLE_PRETTY",
    "RESOURCE_PRETTY",
)
DEFAULTS = frozenset({"", "CONTENT_STRUCTURE_UNSPECIFIED"})
"""Documented: what stands for `BUNDLE`."""
_WHOLE_FILES = frozenset({BUNDLE_PRETTY, RESOURCE_PRETTY})
_BUNDLES = frozenset({BUNDLE, BUNDLE_PRETTY})


@dataclass(frozen=True, slots=True)
class Item:
    """A resource of a file, or what stands in its place.

    Attributes:
        source: the URI of the file, the line, and the entry of a bundle
        resource: None if there is none
        refused: why there is none
    """

    source: str
    resource: dict[str, Any] | None = None
    refused: OutcomeError | None = None


def is_whole(structure: str) -> bool:
    """Whether a file is one text, rather than a text a line."""
    return structure in _WHOLE_FILES


def items(uri: str, texts: Iterable[bytes], structure: str) -> Iterator[Item]:
    """Yield the resources of a file.

    Args:
        uri: of the file
        texts: the lines of the file; its whole content as one where the structure is of files
        structure: of the content, such as `RESOURCE`
    """
    for number, text in enumerate(texts, start=1):
        if not is_whole(structure) and not text.strip():
            continue
        source = uri if is_whole(structure) else f"{uri}:{number}"
        try:
            parsed = parsing.parse(text)
            found = _entries(source, parsed) if structure in _BUNDLES else [Item(source, parsed)]
        except OutcomeError as refused:
            found = [Item(source, refused=refused)]
        yield from found


def _entries(source: str, bundle: Mapping[str, Any]) -> list[Item]:
    if bundle.get("resourceType") != "Bundle":
        raise unparseable(
            "expected a Bundle: the content_structure for lines of resources is RESOURCE"
        )
    if bundle.get("type") == "history":
        raise unparseable("history bundles can't be imported")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise unparseable("expected array", "Bundle.entry")
    return [_entry(f"{source} Bundle.entry[{index}]", each) for index, each in enumerate(entries)]


def _entry(source: str, entry: Any) -> Item:
    resource = entry.get("resource") if isinstance(entry, Mapping) else None
    if not isinstance(resource, dict):
        return Item(source, refused=unparseable('missing required field "resource"'))
    return Item(source, resource)
