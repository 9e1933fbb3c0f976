"""What DICOMweb's paths name: stores, studies, series and instances."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A store, a study, a series or an instance."""

    store: str
    study: str | None = None
    series: str | None = None
    sop: str | None = None

    def condition(self) -> tuple[str, list[str]]:
        """Give the SQL condition of all instances there, and its parameters."""
        parts = (("store", self.store), ("study", self.study), ("series", self.series))
        given = [(name, uid) for name, uid in (*parts, ("sop", self.sop)) if uid is not None]
        return " AND ".join(f"{name} = ?" for name, _ in given), [uid for _, uid in given]
