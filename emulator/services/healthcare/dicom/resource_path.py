"""Resources of DICOMweb paths: stores, studies, series and instances."""

from dataclasses import dataclass

from emulator.core.conditions import Condition


@dataclass(frozen=True, slots=True)
class ResourcePath:
    """A store, a study, a series or an instance."""

    store: str
    study: str | None = None
    series: str | None = None
    instance: str | None = None

    def __str__(self) -> str:
        """Return the resource name, `STORE/dicomWeb/studies/S/series/E/instances/I` in full."""
        collections = zip(("studies", "series", "instances"), self._uids, strict=True)
        parts = [f"{collection}/{uid}" for collection, uid in collections if uid]
        return "/".join([self.store, *(["dicomWeb"] if parts else []), *parts])

    @property
    def level(self) -> str:
        """The level of the resource: `store`, `study`, `series` or `instance`."""
        return ("store", "study", "series", "instance")[sum(uid is not None for uid in self._uids)]

    @property
    def id(self) -> str:
        """The UID of the resource; the full name of a store."""
        return self.instance or self.series or self.study or self.store

    @property
    def _uids(self) -> tuple[str | None, str | None, str | None]:
        return self.study, self.series, self.instance

    def where_clause(self) -> Condition:
        """Return the SQL condition of all instances of the resource."""
        parts = (("store", self.store), ("study", self.study), ("series", self.series))
        given = [(name, uid) for name, uid in (*parts, ("sop", self.instance)) if uid is not None]
        return Condition(
            " AND ".join(f"{name} = ?" for name, _ in given), tuple(uid for _, uid in given)
        )
