"""Resource names of Google's APIs (https://google.aip.dev/122)."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ResourceName:
    """A name such as `projects/P/locations/L/datasets/D`.

    Attributes:
        segments: pairs of a collection and an id, the outermost first
    """

    segments: tuple[tuple[str, str], ...]

    @classmethod
    def parse(cls, text: str) -> "ResourceName":
        """Split a full resource name.

        Raises:
            ValueError: the text does not alternate collections and ids
        """
        parts = text.split("/")
        if len(parts) % 2 or not all(parts):
            raise ValueError(f"{text!r} is not a valid resource name")
        return cls(tuple(zip(parts[::2], parts[1::2], strict=True)))

    def __str__(self) -> str:
        """Return the full name."""
        return "/".join(f"{collection}/{id_}" for collection, id_ in self.segments)

    @property
    def collection(self) -> str:
        """The collection that the resource is in, such as `datasets`."""
        return self.segments[-1][0]

    @property
    def id(self) -> str:
        """The id of the resource in its collection."""
        return self.segments[-1][1]

    @property
    def collections(self) -> tuple[str, ...]:
        """The collections of all segments, the outermost first."""
        return tuple(collection for collection, _ in self.segments)

    @property
    def parent(self) -> "ResourceName":
        """The resource that contains this one.

        Raises:
            ValueError: the resource is at the top
        """
        if len(self.segments) == 1:
            raise ValueError(f"{self} has no parent")
        return ResourceName(self.segments[:-1])

    @property
    def project(self) -> str:
        """The id of the project; raises `ValueError` for a name without one."""
        return self.ancestor("projects").id

    @property
    def location(self) -> str:
        """The id of the location; raises `ValueError` for a name without one."""
        return self.ancestor("locations").id

    def ancestor(self, collection: str) -> "ResourceName":
        """Return the resource of a collection that contains this one, or is this one.

        Raises:
            ValueError: no segment is of the collection
        """
        for index, (found, _) in enumerate(self.segments):
            if found == collection:
                return ResourceName(self.segments[: index + 1])
        raise ValueError(f"{self} is not in a resource of {collection}")
